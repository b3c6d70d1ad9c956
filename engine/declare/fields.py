"""The fields of the forms: WTForms fields under short names, with length limits.

Messages are msgids of the catalogue (English is the source), translated where they are shown.
"""

from __future__ import annotations

import functools
import re
import unicodedata
from collections.abc import Callable, Hashable, Iterable, Mapping
from typing import Any, cast

from wtforms import BooleanField, EmailField, Form, StringField, TextAreaField, ValidationError
from wtforms.fields.choices import SelectChoice  # type: ignore[attr-defined]  # not in its stubs
from wtforms.fields.core import Field, UnboundField
from wtforms.validators import InputRequired, StopValidation

from engine.declare.workflow import Workflow
from engine.text.addresses import BadAddress, fold_address
from engine.text.i18n import marked as _

SHORT_CHARACTERS = 200
NOTE_CHARACTERS = 10_000
LONG_BYTES = 1024 * 1024
# What is longer than this before it is cleaned is refused as it came: nothing works on it. A
# browser sends a line end as two characters.
RAW_SHORT = 2_000
RAW_NOTE = 4 * NOTE_CHARACTERS
RAW_LONG = 2 * LONG_BYTES
REQUIRED = _("Please fill this in")
TOO_LONG = _("This is longer than %(limit)s characters; please shorten it")
NOTE_TOO_LONG = _("This is longer than 10,000 characters; please shorten it")
TOO_LARGE = _("This is longer than one megabyte; please shorten it")

# Drawn as nothing, though they are no spaces: the fillers of Hangul, the empty Braille cell.
_BLANK = frozenset("\u115f\u1160\u2800\u3164\uffa0")
# Characters that break a header, a log line or a database: all controls but tab and line feed.
_CONTROLS = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\x85\u2028\u2029\ud800-\udfff]")


def clean_text(text: str | None) -> str:
    """Normalise line ends and remove control characters; keep everything else."""
    return _CONTROLS.sub("", (text or "").replace("\r\n", "\n").replace("\r", "\n")).strip()


def clean_line(text: str | None) -> str:
    return " ".join(clean_text(text).split())


def _up_to(most: int, clean: Callable[[str | None], str]) -> Callable[[str | None], str]:
    """Make a filter that cleans a text of at most ``most`` characters.

    A longer one is left as it is, to be refused.
    """
    return lambda text: text if text and len(text) > most else clean(text)


def _needed(form: Form, field: Field) -> None:
    if not field.data or not _is_seen(field.data):
        raise StopValidation(REQUIRED)


def _is_seen(text: str) -> bool:
    """True if a reader sees any of it.

    Marks, spaces, characters without a shape and those drawn as nothing are not seen.
    """
    return any(
        unicodedata.category(character)[0] not in "CMZ" and character not in _BLANK
        for character in set(text)
    )


def _short(form: Form, field: Field) -> None:
    """Stop the chain of validators, so that no later one works on a text without bounds."""
    if len(field.data or "") > SHORT_CHARACTERS:
        raise StopValidation(TOO_LONG)


def _long(form: Form, field: Field) -> None:
    if len((field.data or "").encode(errors="replace")) > LONG_BYTES:
        raise StopValidation(TOO_LARGE)


def _note(form: Form, field: Field) -> None:
    if len(field.data or "") > NOTE_CHARACTERS:
        raise StopValidation(NOTE_TOO_LONG)


def _address(form: Form, field: Field) -> None:
    try:
        field.data = fold_address(field.data or "")
    except BadAddress as trouble:
        raise ValidationError(str(trouble)) from None


_short_line, _long_text = _up_to(RAW_SHORT, clean_line), _up_to(RAW_LONG, clean_text)
clean_note = _up_to(RAW_NOTE, clean_text)


def _field(
    kind: type[Field],
    label: str,
    *validators: Any,
    clean: Callable[[str | None], str],
    hint: str,
    optional: bool,
    **extra: Any,
) -> Any:
    limit, *others = validators
    needed = [] if optional else [_needed]
    attributes = extra | ({} if optional else {"required": True})
    return kind(
        label, [limit, *needed, *others], filters=[clean], description=hint, render_kw=attributes
    )


def Text(label: str, *, hint: str = "", optional: bool = False, autocomplete: str = "off") -> Any:
    """Declare one line of at most 200 characters."""
    return _field(
        StringField,
        label,
        _short,
        clean=_short_line,
        hint=hint,
        optional=optional,
        autocomplete=autocomplete,
    )


def LongText(label: str, *, hint: str = "", optional: bool = False, rows: int = 8) -> Any:
    """Declare a text of any kind, at most one mebibyte of UTF-8."""
    return _field(
        TextAreaField, label, _long, clean=_long_text, hint=hint, optional=optional, rows=rows
    )


def Note(label: str, *, hint: str = "", optional: bool = False, rows: int = 3) -> Any:
    """Declare a short text of at most 10,000 characters, as long as the note of an act."""
    return _field(
        TextAreaField, label, _note, clean=clean_note, hint=hint, optional=optional, rows=rows
    )


def Address(label: str, *, hint: str = "") -> Any:
    """Declare a mail address, folded to the form in which it is stored."""
    return _field(
        EmailField,
        label,
        _short,
        _address,
        clean=_short_line,
        hint=hint,
        optional=False,
        autocomplete="email",
        inputmode="email",
    )


def Tick(label: str, *, hint: str = "", optional: bool = False, required: str = REQUIRED) -> Any:
    """Declare a box to tick; ``required`` says why it must be ticked."""
    if optional:
        return BooleanField(label, description=hint)
    return BooleanField(
        label, [InputRequired(required)], description=hint, render_kw={"required": True}
    )


def options(names: Mapping[str, str]) -> list[Any]:
    """Return the choices of a SelectField: value to name."""
    return [SelectChoice(value, name) for value, name in names.items()]


def private(field: Any) -> Any:
    """Mark a field as private: on the case's page alone, emptied when the case ends.

    Those who decide read it, and its author when it comes back. It is never part of events,
    letters, drafts or exports.
    """
    field.private = True
    field.kwargs["render_kw"] = {**(field.kwargs.get("render_kw") or {}), "data-private": True}
    return field


def form_for(workflow: type[Workflow], names: tuple[str, ...]) -> type[Form]:
    """Return the WTForms form of these fields, in declared order; built once."""
    return _build_form(cast(Hashable, workflow), names)  # mypy takes the class for an instance


# Bounded: there are few forms, but tests declare workflows of their own.
@functools.lru_cache(maxsize=256)
def _build_form(workflow: Any, names: tuple[str, ...]) -> type[Form]:
    chosen = {name: field for name, field in workflow.fields.items() if name in names}
    return cast(type[Form], type(workflow.__name__ + "Form", (Form,), chosen))


def answers_of(form: Form) -> dict[str, Any]:
    return dict(form.data)


def too_long(form: Form) -> dict[str, str]:
    """Return the error of each field that is longer than even a draft may be."""
    found: dict[str, str] = {}
    for field in form:
        for validator in (_short, _note, _long):
            try:
                if validator in field.validators:
                    validator(form, field)
            except StopValidation as trouble:
                found[field.name] = str(trouble)
    return found


def labels_of(workflow: type[Workflow], names: Iterable[str] = ()) -> dict[str, str]:
    """Return field name to label (a msgid), in declared order."""
    wanted = set(names) or set(workflow.fields)
    return {
        name: field.args[0]
        for name, field in workflow.fields.items()
        if name in wanted and isinstance(field, UnboundField)
    }


def written_answers(
    workflow: type[Workflow], answers: Mapping[str, Any]
) -> list[tuple[str, str, bool]]:
    """Return (label, text, True if long) of each filled field that is no tick."""
    return [
        (label, str(answers[name]), _is_long(workflow.fields[name]))
        for name, label in labels_of(workflow).items()
        if answers.get(name) and not isinstance(answers[name], bool)
    ]


def _is_long(field: UnboundField[Any]) -> bool:
    return field.field_class is TextAreaField

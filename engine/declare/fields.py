"""The fields of the forms: WTForms fields under short names, with the limits that a text from a
person has.

Messages are words of the catalogue (English is the source); they are translated where they are
shown.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable, Mapping
from typing import Any, cast

from wtforms import BooleanField, EmailField, Form, StringField, TextAreaField, ValidationError
from wtforms.fields.choices import SelectChoice  # type: ignore[attr-defined]  # newer than its stubs
from wtforms.fields.core import Field, UnboundField
from wtforms.validators import InputRequired, StopValidation

from engine.declare.workflow import Workflow
from engine.text.addresses import BadAddress, fold_address
from engine.text.i18n import marked as _

SHORT_CHARACTERS = 200
LONG_BYTES = 1024 * 1024
# What is longer than this before it is cleaned is refused as it came: nothing works on it. A
# browser sends a line end as two
# characters.
RAW_SHORT, RAW_LONG = 2_000, 2 * LONG_BYTES
REQUIRED = _("Please fill this in")
TOO_LONG = _("This is longer than %(limit)s characters; please shorten it")
TOO_LARGE = _("This is longer than one megabyte; please shorten it")

# Drawn as nothing, though they are no spaces: the fillers of Hangul, the empty Braille cell.
_BLANK = frozenset("\u115f\u1160\u2800\u3164\uffa0")
# Characters that break a header, a log line or a database: all controls but tab and line feed.
_CONTROLS = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\x85\u2028\u2029\ud800-\udfff]")


def clean_text(text: str | None) -> str:
    """The text with line ends made plain and control characters gone; nothing else is touched."""
    return _CONTROLS.sub("", (text or "").replace("\r\n", "\n").replace("\r", "\n")).strip()


def clean_line(text: str | None) -> str:
    return " ".join(clean_text(text).split())


def _up_to(most: int, clean: Callable[[str | None], str]) -> Callable[[str | None], str]:
    """A filter that cleans a text of at most ``most`` characters, and leaves a longer one to be
    refused."""
    return lambda text: text if text and len(text) > most else clean(text)


def _needed(form: Form, field: Field) -> None:
    if not field.data or not _is_seen(field.data):
        raise StopValidation(REQUIRED)


def _is_seen(text: str) -> bool:
    """Does anything of it show? Not where there are only marks, spaces, characters without a shape,
    and those drawn as nothing."""
    return any(
        unicodedata.category(character)[0] not in "CMZ" and character not in _BLANK
        for character in set(text)
    )


def _short(form: Form, field: Field) -> None:
    """Stops the chain: no later validator works on a text without bounds."""
    if len(field.data or "") > SHORT_CHARACTERS:
        raise StopValidation(TOO_LONG)


def _long(form: Form, field: Field) -> None:
    if len((field.data or "").encode(errors="replace")) > LONG_BYTES:
        raise StopValidation(TOO_LARGE)


def _address(form: Form, field: Field) -> None:
    try:
        field.data = fold_address(field.data or "")
    except BadAddress as trouble:
        raise ValidationError(str(trouble)) from None


_short_line, _long_text = _up_to(RAW_SHORT, clean_line), _up_to(RAW_LONG, clean_text)


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
    """One line, 200 characters at most."""
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
    """A text of any kind, one mebibyte of UTF-8 at most."""
    return _field(
        TextAreaField, label, _long, clean=_long_text, hint=hint, optional=optional, rows=rows
    )


def Address(label: str, *, hint: str = "") -> Any:
    """A mail address, folded to the one form it is kept in."""
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
    """A box to tick; ``required`` says why it must be."""
    if optional:
        return BooleanField(label, description=hint)
    return BooleanField(
        label, [InputRequired(required)], description=hint, render_kw={"required": True}
    )


def options(names: Mapping[str, str]) -> list[Any]:
    """What a SelectField offers: value to name."""
    return [SelectChoice(value, name) for value, name in names.items()]


def private(field: Any) -> Any:
    """Shown on the case's page only: never in events, letters or exports, and emptied when the case
    ends."""
    field.private = True
    return field


_made: dict[tuple[type[Workflow], tuple[str, ...]], type[Form]] = {}


def form_for(workflow: type[Workflow], names: tuple[str, ...]) -> type[Form]:
    """The WTForms form of these fields of a workflow, in the order of their declaration; made once."""
    if (workflow, names) not in _made:
        chosen = {name: field for name, field in workflow.fields.items() if name in names}
        _made[workflow, names] = cast(type[Form], type(workflow.__name__ + "Form", (Form,), chosen))
    return _made[workflow, names]


def answers_of(form: Form) -> dict[str, Any]:
    return dict(form.data)


def too_long(form: Form) -> dict[str, str]:
    """What no form takes, however unfinished: the fields that are longer than they may be, each
    with its word."""
    found: dict[str, str] = {}
    for field in form:
        for validator in (_short, _long):
            try:
                if validator in field.validators:
                    validator(form, field)
            except StopValidation as trouble:
                found[field.name] = str(trouble)
    return found


def labels_of(workflow: type[Workflow], names: Iterable[str] = ()) -> dict[str, str]:
    """Field name to label (a word of the catalogue), in the order of their declaration."""
    wanted = set(names) or set(workflow.fields)
    return {
        name: field.args[0]
        for name, field in workflow.fields.items()
        if name in wanted and isinstance(field, UnboundField)
    }


def written_answers(
    workflow: type[Workflow], answers: Mapping[str, Any]
) -> list[tuple[str, str, bool]]:
    """What somebody wrote, for reading: (label, text, is it long), ticks and empty fields left out."""
    return [
        (label, str(answers[name]), _is_long(workflow.fields[name]))
        for name, label in labels_of(workflow).items()
        if answers.get(name) and not isinstance(answers[name], bool)
    ]


def _is_long(field: UnboundField[Any]) -> bool:
    return field.field_class is TextAreaField

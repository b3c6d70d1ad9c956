"""The wording of a workflow: texts of the catalogue, declared in the workflow's own file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields

from engine.text.i18n import marked as _


@dataclass(frozen=True)
class NumberWording:
    """A number of the charter on the settings pages.

    ``group``: the page of it (``web.labels.charter_labels.GROUPS``); ``does``: one sentence
    with ``%(value)s`` in it that says what the number does to members.
    """

    group: str
    name: str
    does: str


@dataclass(frozen=True, eq=False)
class Wording:
    """The texts of a workflow, by the names that its declaration uses.

    ``events`` follow the actor's name ("applied to join"; ``%(whose)s``: the person concerned);
    ``system_events`` are whole sentences. Both are keyed by action, or by ``action>state`` where
    the words depend on the state that it led to; ``actions`` by action, or by ``state>action`` if
    it means more in that state. ``letters``: what each is about, for the desk.
    ``chat``: the lines for the chat group about the cases in a state: of a poll (``%(name)s``,
    ``%(when)s``), of a duty (``%(what)s``, ``%(when)s``), of an end that is announced
    (``%(names)s``).
    """

    states: Mapping[str, str] = field(default_factory=dict)
    actions: Mapping[str, str] = field(default_factory=dict)
    choices: Mapping[str, str] = field(default_factory=dict)
    events: Mapping[str, str] = field(default_factory=dict)
    system_events: Mapping[str, str] = field(default_factory=dict)
    letters: Mapping[str, str] = field(default_factory=dict)
    chat: Mapping[str, str] = field(default_factory=dict)
    numbers: Mapping[str, NumberWording] = field(default_factory=dict)

    def __or__(self, other: Wording) -> Wording:
        """Merge two; where both name a thing, ``other`` wins."""
        parts = {
            part.name: {**getattr(self, part.name), **getattr(other, part.name)}
            for part in fields(self)
        }
        return Wording(**parts)

    def action(self, name: str, state: str = "") -> str:
        """Find what an action is called, in this state; empty where it has no words."""
        return self.actions.get(f"{state}>{name}") or self.actions.get(name, "")

    def event_key(self, action: str, state: str) -> str:
        """Find the key under which an event has its words; empty where it has none."""
        known = self.events.keys() | self.system_events.keys()
        return next((key for key in (f"{action}>{state}", action) if key in known), "")


# What every workflow has, by the engine's own states, actions and letters.
GENERAL = Wording(
    states={"void": _("No longer applies")},
    actions={
        "submit": _("Hand in"),
        "withdraw": _("Withdraw"),
        "vote": _("Cast my vote"),
        "undo": _("Take my decision back"),
    },
    events={"undo": _("took the earlier decision back")},
    system_events={
        "granted": _("Nobody else was there to decide, so it was granted"),
        "postponed": _("The mail about it left late, so the due time moved"),
        "resumed": _("The club came back from its break, and the due time moved"),
        "held": _("A removal is proposed, so this waits until it is decided"),
        "held_up": _("The next reading week did not begin, because this was still open"),
        "void": _("It no longer applies"),
    },
    letters={"taken_back": _("a decision was taken back"), "your_link": _("the link to the form")},
)

"""What states, actions and events are called on pages: looked up in the workflow's own words."""

from __future__ import annotations

from engine.club.history import HistoryEntry
from engine.declare.registry import all_workflows, workflow
from engine.storage.models import Event
from engine.text.i18n import marked as _

UNREADABLE = _("cannot be read")
# What a page does that is no action of a workflow.
PAGE_ACTIONS = {"acknowledge": _("I have read the charter")}

# Whose turn it may be; that of the person concerned has their name.
ROLES = {
    "reviewer": _("the reviewer"),
    "owner": _("the owner"),
    "admins": _("the admins"),
    "members": _("the members"),
}
SOMEBODY = _("somebody")

# Seconds, then: one ahead, several ahead, one ago, several ago.
SPANS = (
    (86400, _("in one day"), _("in %(n)s days"), _("one day ago"), _("%(n)s days ago")),
    (3600, _("in one hour"), _("in %(n)s hours"), _("one hour ago"), _("%(n)s hours ago")),
    (60, _("in a minute"), _("in %(n)s minutes"), _("a minute ago"), _("%(n)s minutes ago")),
)


def state_text(workflow_name: str, state: str) -> str:
    """Name a state, also one that is not declared (any more)."""
    return workflow(workflow_name).wording.states.get(state, UNREADABLE)


def action_text(action: str, workflow_name: str = "", state: str = "") -> str:
    """Name an action as its button does. Without a workflow: as the first one that has it."""
    flows = (workflow(workflow_name),) if workflow_name else all_workflows()
    names = (name for flow in flows if (name := flow.wording.action(action, state)))
    return PAGE_ACTIONS.get(action) or next(names, action)


def choice_text(workflow_name: str, choice: str) -> str:
    """Name what may be chosen in a ballot."""
    return workflow(workflow_name).wording.choices.get(choice, choice)


def system_event_text(workflow_name: str, event: HistoryEntry | Event) -> str:
    """Tell an event without an actor as a sentence; empty for what a person did."""
    wording = workflow(workflow_name).wording
    return wording.system_events.get(wording.event_key(event.action, event.to_state), "")


def event_text(workflow_name: str, event: HistoryEntry | Event) -> str:
    """Tell what a person did, in the words that follow their name.

    A history outlives its declaration: an action that is gone has no words of its own.
    """
    wording = workflow(workflow_name).wording
    return wording.events.get(wording.event_key(event.action, event.to_state), _("dealt with it"))

"""A member's new display name."""

from engine.declare.fields import Text
from engine.declare.workflow import Wording, Workflow, admins, final, form, members, tell
from engine.declare.workflow import marked as _
from engine.rules import effects


class NewName(Workflow):
    """A new display name, city+name, of which the member and the group hear (clause 2.2)."""

    label, clause = _("New display name"), "2.2"
    opens = form("new-name", members)
    listed_on, on_behalf = "settings", True

    name = Text(_("Name"), autocomplete="name")
    city = Text(_("City"), autocomplete="address-level2")

    wording = Wording(
        states={"renamed": _("Changed")},
        events={"open": _("changed the display name")},
        letters={
            "renamed": _("the new display name is valid"),
            "rename_in_group": _("asks to rename somebody in the group"),
        },
    )

    renamed = final(tell("renamed"), tell("rename_in_group", admins), do=effects.rename)

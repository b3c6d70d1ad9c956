"""A submission that is sent twice: a double press, or a repeated request."""

from __future__ import annotations

from werkzeug.datastructures import MultiDict

from engine.declare.fields import clean_text
from engine.security.links import Link
from engine.storage.models import Event


def is_same_submission(link: Link, event: Event, sent: MultiDict[str, str]) -> bool:
    """True if the same person sent this form a moment ago: a double press or a repeat."""
    if event.who_id != link.person_id or not event.answers:
        return False
    if sent.get("action") not in (None, "", event.action):
        return False
    return all(
        clean_text(sent.get(name)) == text
        for name, text in event.answers.items()
        if isinstance(text, str)
    )

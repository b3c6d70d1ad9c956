"""The stages of people and letters, and how an action came in, as enumerations."""

from __future__ import annotations

from enum import StrEnum


class PersonStatus(StrEnum):
    """Where a person is on their way through the club."""

    APPLICANT = "applicant"
    MEMBER = "member"
    DEPARTED = "departed"
    REMOVED = "removed"
    REFUSED_MAIL = "refused_mail"
    ERASED = "erased"


class PersonRole(StrEnum):
    """What a member is in the club. A member who is no officer has the role *member*."""

    OWNER = "owner"
    ADMIN = "admin"
    MEMBER = "member"


class LetterState(StrEnum):
    """A letter's place in the outbox. A deferred letter is queued with a later ``next_at``."""

    QUEUED = "queued"
    CLAIMED = "claimed"
    TRANSMITTING = "transmitting"
    SENT = "sent"
    FAILED = "failed"
    DROPPED = "dropped"
    HELD = "held"

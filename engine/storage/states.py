"""The stages of people and letters, and the channels of actions, as enumerations."""

from __future__ import annotations

from enum import StrEnum


class PersonStatus(StrEnum):
    """The stage of a person in the club."""

    APPLICANT = "applicant"
    MEMBER = "member"
    DEPARTED = "departed"
    REMOVED = "removed"
    REFUSED_MAIL = "refused_mail"
    ERASED = "erased"


class PersonRole(StrEnum):
    """The rank of a member. A member who is no officer has the role *member*."""

    OWNER = "owner"
    ADMIN = "admin"
    MEMBER = "member"


class LetterState(StrEnum):
    """The stage of a letter in the outbox. A deferred one is queued with a later ``next_at``."""

    QUEUED = "queued"
    CLAIMED = "claimed"
    TRANSMITTING = "transmitting"
    SENT = "sent"
    FAILED = "failed"
    DROPPED = "dropped"
    HELD = "held"

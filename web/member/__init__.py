"""A member's own room, page by page: what is due, the record, letters, settings, data; behind a
link of their own."""

from web.member import data, feed, letters, page, record, settings, unsubscribe  # noqa: F401  (their routes)
from web.member.auth import member

__all__ = ["member"]

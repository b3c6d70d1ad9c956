"""A member's own pages: deadlines, record, letters, settings, data; behind a personal link.

May import: http, labels, app.
"""

from web.member import data, feed, letters, page, record, settings, unsubscribe  # noqa: F401  (their routes)
from web.member.auth import member

__all__ = ["member"]

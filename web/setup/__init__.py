"""The set-up of a new installation: a code from the server, four pages, a working club.

The answers wait in the database, so that a reload or another day loses nothing; the last press
creates the club.

May import: forms, http, labels, app.
"""

from web.setup import founding, steps  # noqa: F401  (their pages join the blueprint)
from web.setup.door import init, setup

__all__ = ["init", "setup"]

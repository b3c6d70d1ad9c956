"""Pages around the club: home, privacy, shared reflections, mailbox, sign-in.

May import: http, labels, app.
"""

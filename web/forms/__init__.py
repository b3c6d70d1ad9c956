"""Forms that set-up and desk share.

May import: http, labels, app.
"""

"""The case page, the forms that open a case, and the review queue.

May import: member, forms, public, http, labels, app.
"""

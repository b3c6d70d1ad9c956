"""A club and its people: roles, permissions, electors.

May import: declare, charter, security, storage, text.
"""

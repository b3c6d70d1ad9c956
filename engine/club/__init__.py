"""A club and its people: who holds which role, who may do what, who votes.

May import: declare, charter, security, storage, text.
"""

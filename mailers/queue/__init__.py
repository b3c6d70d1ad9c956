"""A letter's way through the outbox: claimed, prepared, handed over, recorded.

May import: letters, smtp, account, engine.
"""

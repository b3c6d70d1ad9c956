"""Delivery of the outbox: letters claimed, prepared, handed over, recorded.

May import: letters, smtp, account, engine.
"""

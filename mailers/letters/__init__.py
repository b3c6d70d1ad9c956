"""From a queued letter to the bytes of one mail.

May import: engine.
"""

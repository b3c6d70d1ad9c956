"""Signed links, encryption, rate limits and browser sessions.

May import: storage, settings.
"""

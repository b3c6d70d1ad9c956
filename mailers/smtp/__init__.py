"""Talking to a mail server, and judging what it answers.

May import: engine, letters.
"""

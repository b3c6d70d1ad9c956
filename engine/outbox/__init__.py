"""Queueing letters and telling what became of them.

May import: club and what club may import.
"""

"""The work of the clock: sweep, reminders, openings, pauses.

May import: cases and what cases may import.
"""

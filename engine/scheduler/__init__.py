"""What time brings: the sweep, reminders, weekly openings, pauses.

May import: cases and what cases may import.
"""

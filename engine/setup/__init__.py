"""Founding and changing clubs, and bringing members in from a list.

May import: scheduler, operations and what they may import.
"""

"""The charter on the desk: settings, preview, history.

May import: the same as web/desk.
"""

"""Words of states, actions, events, letters and numbers on pages.

May import: engine.
"""

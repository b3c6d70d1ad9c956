"""Queueing letters, and reporting their fate.

May import: club and what club may import.
"""

"""The declaration language: workflows, states, deadlines, fields, and their checks.

May import: charter, storage, text.
"""

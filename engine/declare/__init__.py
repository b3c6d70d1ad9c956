"""The declaration language: workflows, states, due times, fields, and the checks of a declaration.

May import: charter, storage, text.
"""

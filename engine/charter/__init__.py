"""A club's charter as validated data: numbers, texts and clauses.

May import: text.
"""

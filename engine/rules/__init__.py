"""States, tests and effects that several workflows share.

May import: cases and what cases may import. Imported by workflows only.
"""

"""Text that people read or type: languages, addresses, tables, differences.

May import: nothing of the project.
"""

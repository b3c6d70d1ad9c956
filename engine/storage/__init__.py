"""Rows and how they are read and written: models, engines, the unit of work, migrations.

May import: nothing of the project.
"""

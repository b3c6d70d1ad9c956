"""Rows and access to them: models, engines, unit of work, migrations.

May import: nothing of the project.
"""

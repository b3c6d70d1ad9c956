"""Running an installation: backup, restore, moving, doctor, mail account.

May import: club and what club may import.
"""

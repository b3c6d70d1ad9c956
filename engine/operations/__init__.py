"""Running an installation: backup, restore, moving, doctor, the mail account.

May import: club and what club may import.
"""

"""The SMTP client, and the verdict on replies.

May import: engine, letters.
"""

"""The mail account: providers, a test mail, DNS records.

May import: smtp, letters, engine.
"""

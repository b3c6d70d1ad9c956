"""The layers of every request: sign-in, csrf, limits, language, errors, logging.

May import: app, labels.
"""

"""What every request passes: sign-in, csrf, limits, language, errors, logging.

May import: app, labels.
"""

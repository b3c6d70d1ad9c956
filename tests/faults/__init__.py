"""The fault rig: a mail server that misbehaves on command, a proxy that cuts and delays, a driver
that kills the worker.

The suite runs each fault once (``test_faults.py``); ``make soak`` runs them for as long as asked.
"""

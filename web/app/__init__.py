"""A running process: services, background jobs, server, health and demo.

May import: engine, workflows, mailers.
"""

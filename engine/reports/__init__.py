"""What people look up: worklists, records, statistics, forecasts, exports.

May import: everything else in engine.
"""

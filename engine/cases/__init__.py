"""Moving cases: transitions, deadlines, votes, submissions, erasure.

May import: outbox, club and what they may import.
"""

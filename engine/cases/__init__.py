"""Moving cases: the transitions, their deadlines, votes, submissions and erasure.

May import: outbox, club and what they may import.
"""

"""A long list, page by page: ``?page=2``."""

from __future__ import annotations

from dataclasses import dataclass

from flask import request

MOST_ID = 2**63


@dataclass(frozen=True)
class Paging:
    """``total``: how many rows there are in all; ``number``: which page this is, from 1."""

    total: int
    size: int
    number: int

    @classmethod
    def asked(cls, total: int, size: int) -> Paging:
        """The page that the address asks for, or the one nearest to it."""
        last = max(1, -(-total // size))
        number = request.args.get("page", default=1, type=int)
        return cls(total, size, min(max(1, number), last))

    @property
    def offset(self) -> int:
        return (self.number - 1) * self.size

    @property
    def last(self) -> int:
        return max(1, -(-self.total // self.size))

"""Pages of a long list: ``?page=2``."""

from __future__ import annotations

from dataclasses import dataclass

from flask import request

MOST_ID = 2**63


@dataclass(frozen=True)
class Paging:
    """A page of a list. ``total``: the number of rows; ``number``: of this page, from 1."""

    total: int
    size: int
    number: int

    @classmethod
    def asked(cls, total: int, size: int) -> Paging:
        """Return the page that the address asks for, or the nearest one."""
        last = max(1, -(-total // size))
        number = request.args.get("page", default=1, type=int)
        return cls(total, size, min(max(1, number), last))

    @property
    def offset(self) -> int:
        return (self.number - 1) * self.size

    @property
    def last(self) -> int:
        return max(1, -(-self.total // self.size))

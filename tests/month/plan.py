"""What a month is to be: how many people, how long, and when what breaks."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

END = datetime(
    2026, 11, 9, 4, 0, tzinfo=UTC
)  # a Monday noon in Shanghai, a week after the clocks went back in New York


@dataclass(frozen=True)
class Club:
    slug: str
    zone: str
    locale: str
    members: int

    @property
    def owner(self) -> str:
        return f"owner@{self.slug}.example"


@dataclass(frozen=True)
class Plan:
    """What is to happen: how many people, how long, and when what breaks (in shares of the run)."""

    seed: int = 1
    members: int = 100
    days: float = 35
    mail_down: tuple[float, float] = (0.25, 0.365)  # four days of thirty-five
    worker_off: tuple[float, float] = (0.54, 0.60)  # from Saturday morning to Monday noon
    crash: float = 0.45
    owner_away: tuple[float, float] = (0.66, 0.77)

    @property
    def begin(self) -> datetime:
        return END - timedelta(days=self.days)

    def at(self, share: float) -> datetime:
        return self.begin + share * (END - self.begin)

    def span(self, shares: tuple[float, float]) -> tuple[datetime, datetime]:
        return self.at(shares[0]), self.at(shares[1])

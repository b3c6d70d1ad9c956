"""Two charts with tables, by week: duties on time, and members. Drawn as SVG."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from flask import Blueprint, render_template
from werkzeug.wrappers import Response

from engine.reports.statistics import members, on_time
from web.app.services import services
from web.http.auth import officer_here

figures = Blueprint("figures", __name__)

# The drawing's own units: the plot begins right of the numbers and ends above the weeks.
WIDTH = 640
HEIGHT = 240
LEFT = 36
RIGHT = 8
TOP = 12
BOTTOM = 28
MOST_LABELS = 6
BAR_SHARE, WIDEST_BAR = 0.7, 56  # Of a week's width.


@dataclass(frozen=True)
class AxisMark:
    """A label of an axis, and its position."""

    at: float
    text: str | date


@dataclass(frozen=True)
class Bar:
    """A week: the whole height, and the part on time."""

    x: float
    width: float
    top: float
    split: float


@dataclass(frozen=True)
class Scale:
    """A vertical scale.

    ``most``: the value at the upper edge; ``count``: the number of weeks.
    """

    most: int
    count: int

    def x(self, index: float) -> float:
        return round(LEFT + (WIDTH - LEFT - RIGHT) * index / self.count, 1)

    def y(self, value: float) -> float:
        return round(HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * value / self.most, 1)

    def numbers(self) -> list[AxisMark]:
        step = (
            self.most // 4
            if self.most % 4 == 0
            else self.most // 2
            if self.most % 2 == 0
            else self.most
        )
        return [AxisMark(self.y(value), str(value)) for value in range(0, self.most + 1, step)]

    def weeks(self, mondays: Sequence[date]) -> list[AxisMark]:
        step = -(-len(mondays) // MOST_LABELS)
        return [
            AxisMark(self.x(nr + 0.5), monday)
            for nr, monday in enumerate(mondays)
            if nr % step == 0
        ]


def scale_for(largest: int, count: int) -> Scale:
    """Return the scale up to the next of 1, 2, 4, 8, 10, 20, 40 and so on."""
    size = 1
    while size * 10 < largest:
        size *= 10
    return Scale(
        next(size * step for step in (1, 2, 4, 8, 10) if size * step >= max(largest, 1)),
        max(count, 1),
    )


@figures.get("/<slug>/desk/figures")
def statistics_page(slug: str) -> str | Response:
    now = services().clock.now()
    with services().db.read() as session:
        club, _you = officer_here(session, slug)
        weeks, crowd = on_time(session, club.zone, now), members(session, club.zone, now)
    duties = scale_for(max((week.on_time + week.late for week in weeks), default=0), len(weeks))
    people = scale_for(max((week.count for week in crowd), default=0), len(crowd))
    return render_template(
        "pages/desk/figures.html",
        weeks=weeks,
        bars=[_bar(duties, nr, week.on_time, week.late) for nr, week in enumerate(weeks)],
        duties=duties,
        crowd=crowd,
        line=[(people.x(nr + 0.5), people.y(week.count)) for nr, week in enumerate(crowd)],
        people=people,
        width=WIDTH,
        height=HEIGHT,
        left=LEFT,
        right=WIDTH - RIGHT,
        foot=HEIGHT - BOTTOM,
    )


def _bar(scale: Scale, nr: int, good: int, late: int) -> Bar:
    width = round(min(BAR_SHARE * (WIDTH - LEFT - RIGHT) / scale.count, WIDEST_BAR), 1)
    return Bar(round(scale.x(nr + 0.5) - width / 2, 1), width, scale.y(good + late), scale.y(good))

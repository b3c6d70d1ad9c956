"""Measurements of product and reference in turn, and the report of their figures."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from benchmarks.database import on_postgresql


class Mismatch(AssertionError):
    """Rows, answers and mails do not agree: the figures are worth nothing."""


@dataclass(frozen=True)
class Scale:
    """How much to do: the full run, or a smoke run of a few seconds."""

    quick: bool = False

    def of(self, full: int, quick: int) -> int:
        return quick if self.quick else full


@dataclass(frozen=True)
class Pair:
    """The figures of product and reference, round by round."""

    unit: str
    product: tuple[float, ...]
    reference: tuple[float, ...]

    @property
    def ratios(self) -> tuple[float, ...]:
        return tuple(mine / other for mine, other in zip(self.product, self.reference, strict=True))

    @property
    def ratio(self) -> float:
        return statistics.median(self.ratios)

    def say(self, name: str = "product", other: str = "reference") -> None:
        print(
            f"  {name:<28}{_figure(statistics.median(self.product)):>9} {self.unit}   {_spread(self.product)}"
        )
        print(
            f"  {other:<28}{_figure(statistics.median(self.reference)):>9} {self.unit}   {_spread(self.reference)}"
        )
        print(f"  {'ratio':<28}{_figure(self.ratio):>9} ×   {_spread(self.ratios)}")


@dataclass(frozen=True)
class Mark:
    """A mark of performance.md. ``at_least``: more is better (a rate); else less is (a time, a
    size).

    Most of them speak of SQLite; where a mark does not hold, nothing is judged.
    """

    what: str
    value: float
    unit: str
    at_least: bool
    on_postgresql: bool = False

    def judge(self, figure: float) -> None:
        if on_postgresql() and not self.on_postgresql:
            return
        half = self.value / 2 if self.at_least else self.value * 2
        sign = "≥" if self.at_least else "≤"
        reached = [_reaches(figure, goal, self.at_least) for goal in (self.value, half)]
        verdict = (
            "reached"
            if reached[0]
            else "half of it reached"
            if reached[1]
            else "half of it NOT reached"
        )
        print(
            f"  mark: {self.what} {sign} {_figure(self.value)} {self.unit}, half {sign} {_figure(half)} {self.unit};"
            f" here {_figure(figure)} {self.unit}: {verdict}"
        )


def alternate(
    rounds: int, unit: str, product: Callable[[int], float], reference: Callable[[int], float]
) -> Pair:
    """A B A B …: what disturbs one of them disturbs the other as much."""
    mine, others = [], []
    for number in range(rounds):
        mine.append(product(number))
        others.append(reference(number))
    return Pair(unit, tuple(mine), tuple(others))


def same(**counts: int) -> None:
    """Say the counts that must be one number. Raises Mismatch."""
    text = " = ".join(f"{count} {name.replace('_', ' ')}" for name, count in counts.items())
    if len(set(counts.values())) != 1:
        raise Mismatch("these should be one number: " + text.replace(" = ", ", "))
    print(f"  checked: {text}")


def percentile(values: Sequence[float], share: float) -> float:
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))]


def say_latencies(name: str, seconds: Sequence[float]) -> None:
    print(
        f"  {name:<28}p50 {percentile(seconds, 0.5) * 1000:.1f} ms   p99 {percentile(seconds, 0.99) * 1000:.1f} ms   ({len(seconds)})"
    )


def _reaches(figure: float, goal: float, at_least: bool) -> bool:
    return figure >= goal if at_least else figure <= goal


def _spread(values: Sequence[float]) -> str:
    return f"({_figure(min(values))}–{_figure(max(values))}, {len(values)} rounds)"


def _figure(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.1f}" if value >= 10 else f"{value:.2f}"

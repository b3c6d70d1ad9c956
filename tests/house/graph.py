"""Draw the packages and their imports as docs/packages.svg: ``make graph``.

A test compares the file with the code, so the picture cannot fall behind.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from xml.sax.saxutils import escape

from tests.house.packages import ENGINE, MAILERS, ROOT, WEB, all_imports, package

FILE = ROOT / "docs" / "packages.svg"
WIDTH, ROW, BOX, HEIGHT, MARGIN = 960, 74, 124, 34, 20

# Every package with its floor; ranks of one room are the floors of that room.
ROOMS = {
    **ENGINE,
    "workflows": 10,
    **{name: rank + 9 for name, rank in MAILERS.items()},
    **{name: rank + 13 for name, rank in WEB.items()},
    "app": 20,
}


def arrows() -> set[tuple[str, str]]:
    """The pairs (importing package, imported package)."""
    found = set()
    for file, module in all_imports():
        here = package(file.removesuffix(".py").replace("/", "."), ROOMS)
        there = package(module, ROOMS)
        if here and there and here != there:
            found.add((here, there))
    return found


def places() -> dict[str, tuple[float, float]]:
    """The middle of each package's box, the highest floor on top."""
    floors = sorted(set(ROOMS.values()), reverse=True)
    found = {}
    for row, floor in enumerate(floors):
        names = [name for name, rank in ROOMS.items() if rank == floor]
        for column, name in enumerate(names):
            found[name] = (WIDTH / (len(names) + 1) * (column + 1), MARGIN + ROW * row + HEIGHT / 2)
    return found


def svg() -> str:
    return "\n".join(_lines()) + "\n"


def _lines() -> Iterator[str]:
    at = places()
    height = max(y for _x, y in at.values()) + HEIGHT / 2 + MARGIN
    yield (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height:.0f}" '
        'font-family="sans-serif" font-size="12" role="img">'
    )
    yield "<title>The packages: each imports only those below it</title>"
    yield f'<rect width="{WIDTH}" height="{height:.0f}" fill="#fffdf8"/>'
    for here, there in sorted(arrows()):
        (x1, y1), (x2, y2) = at[here], at[there]
        yield (
            f'<line x1="{x1:.0f}" y1="{y1 + HEIGHT / 2:.0f}" x2="{x2:.0f}" '
            f'y2="{y2 - HEIGHT / 2:.0f}" stroke="#9aa5a0" stroke-width="0.7"/>'
        )
    for name, (x, y) in at.items():
        room = name.partition(".")[0]
        fill = {"engine": "#e6f0e9", "mailers": "#f7ead8", "web": "#e5ecf6"}.get(room, "#f3e3e3")
        yield (
            f'<rect x="{x - BOX / 2:.0f}" y="{y - HEIGHT / 2:.0f}" width="{BOX}" '
            f'height="{HEIGHT}" rx="5" fill="{fill}" stroke="#5d6b64"/>'
        )
        yield f'<text x="{x:.0f}" y="{y + 4:.0f}" text-anchor="middle">{escape(name)}</text>'
    yield "</svg>"


if __name__ == "__main__":
    Path(FILE).write_text(svg())

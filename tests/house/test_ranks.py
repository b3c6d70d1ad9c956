"""Packages import only those of a lower rank; the picture of them is true."""

from __future__ import annotations

import ast

from tests.house import graph
from tests.house.packages import ROOMS, ROOT, all_imports, package


def test_packages_import_only_lower_ranks() -> None:
    upward = set()
    for file, module in all_imports():
        ranks = ROOMS.get(file.partition("/")[0], {})
        here = package(file.removesuffix(".py").replace("/", "."), ranks)
        there = package(module, ranks)
        if here and there and here != there and ranks[there] >= ranks[here]:
            upward.add(f"{file} (rank {ranks[here]}) imports {module} (rank {ranks[there]})")
    assert sorted(upward) == [], (
        "move the symbol down to a package that both may import, or hand the value in as an argument"
    )


def test_every_module_lies_in_a_ranked_package() -> None:
    homeless = [
        path.relative_to(ROOT).as_posix()
        for room, ranks in ROOMS.items()
        for path in sorted((ROOT / room).rglob("*.py"))
        if path != ROOT / room / "__init__.py"
        if package(".".join(path.relative_to(ROOT).with_suffix("").parts), ranks) is None
    ]
    assert homeless == [], "give the package a rank in tests/house/packages.py"


def test_a_package_says_what_it_is_for_and_what_it_may_import() -> None:
    silent = [
        path.relative_to(ROOT).as_posix()
        for room in ROOMS
        for path in sorted((ROOT / room).rglob("__init__.py"))
        if path.parent != ROOT / room and "migrations" not in path.parts
        if "May import:" not in (ast.get_docstring(ast.parse(path.read_text())) or "")
    ]
    assert silent == [], "write what the package is for, and a line that begins with 'May import:'"


def test_the_picture_of_the_packages_is_true() -> None:
    assert graph.FILE.read_text() == graph.svg(), "make graph, and look at docs/packages.svg"

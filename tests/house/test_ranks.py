"""Sub-packages import only those of a lower rank: the house has floors, and no arrow leads up."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]

# A package may import those of a lower rank, and itself. Files beside the packages have a rank too.
ENGINE = {
    "engine.text": 1, "engine.storage": 1, "engine.clock": 2, "engine.settings": 2, "engine.charter": 2,
    "engine.security": 2, "engine.declare": 3, "engine.club": 4, "engine.outbox": 5, "engine.operations": 5,
    "engine.cases": 6, "engine.scheduler": 7, "engine.rules": 7, "engine.setup": 8, "engine.reports": 9,
}  # fmt: skip
MAILERS = {
    "mailers.letters": 1, "mailers.smtp": 2, "mailers.dev_mailbox": 2, "mailers.account": 3, "mailers.queue": 4,
}  # fmt: skip
WEB = {
    "web.app": 1, "web.labels": 1, "web.http": 2, "web.forms": 3, "web.public": 4, "web.member": 4, "web.commands": 4,
    "web.cases": 5, "web.setup": 5, "web.desk": 6,
}  # fmt: skip


def imports(room: str) -> Iterator[tuple[str, str]]:
    """(file, module it imports) of a room's product code."""
    for path in sorted((ROOT / room).rglob("*.py")):
        if "migrations" in path.parts:
            continue
        for node in ast.walk(ast.parse(path.read_text())):
            names = (
                [alias.name for alias in node.names]
                if isinstance(node, ast.Import | ast.ImportFrom)
                else []
            )
            for name in names:
                module = f"{node.module}.{name}" if isinstance(node, ast.ImportFrom) else name
                if module.startswith(f"{room}."):
                    yield path.relative_to(ROOT).as_posix(), module


def package(module: str, ranks: dict[str, int]) -> str | None:
    return next((name for name in ranks if module == name or module.startswith(f"{name}.")), None)


def upward(room: str, ranks: dict[str, int]) -> list[str]:
    found = set()
    for file, module in imports(room):
        here, there = (
            package(file.removesuffix(".py").replace("/", "."), ranks),
            package(module, ranks),
        )
        if here and there and here != there and ranks[there] >= ranks[here]:
            found.add(f"{file} ({here}, rank {ranks[here]}) imports {module} (rank {ranks[there]})")
    return sorted(found)


def test_packages_import_only_lower_ranks() -> None:
    found = [
        line
        for room, ranks in (("engine", ENGINE), ("mailers", MAILERS), ("web", WEB))
        for line in upward(room, ranks)
    ]
    assert found == [], (
        "move the symbol down to the package that both may import, or hand the value in as an argument"
    )


def test_every_file_of_a_room_lies_in_a_ranked_package() -> None:
    homeless = [
        path.relative_to(ROOT).as_posix()
        for room, ranks in (("engine", ENGINE), ("mailers", MAILERS), ("web", WEB))
        for path in sorted((ROOT / room).rglob("*.py"))
        if path.parent != ROOT / room or path.name != "__init__.py"
        if package(".".join(path.relative_to(ROOT).with_suffix("").parts), ranks) is None
    ]
    assert homeless == [], (
        "give the file a package of tests/house/test_ranks.py, or its package a rank"
    )


def test_a_package_says_what_it_is_for_and_what_it_may_import() -> None:
    silent = [
        path.relative_to(ROOT).as_posix()
        for room in ("engine", "mailers", "web")
        for path in sorted((ROOT / room).rglob("__init__.py"))
        if path.parent != ROOT / room and "migrations" not in path.parts
        if "May import:" not in (ast.get_docstring(ast.parse(path.read_text())) or "")
    ]
    assert silent == [], (
        "write in the package's docstring what it is for, and a line that begins with 'May import:'"
    )

"""The packages of the product, their ranks, and who imports whom."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]

# A package may import those of a lower rank, and itself. Modules beside the packages have a rank too.
ENGINE = {
    "engine.text": 1,
    "engine.storage": 1,
    "engine.clock": 2,
    "engine.settings": 2,
    "engine.charter": 2,
    "engine.security": 2,
    "engine.declare": 3,
    "engine.club": 4,
    "engine.outbox": 5,
    "engine.operations": 5,
    "engine.cases": 6,
    "engine.scheduler": 7,
    "engine.rules": 7,
    "engine.setup": 8,
    "engine.reports": 9,
}
MAILERS = {
    "mailers.letters": 1,
    "mailers.smtp": 2,
    "mailers.dev_mailbox": 2,
    "mailers.account": 3,
    "mailers.queue": 4,
}
WEB = {
    "web.app": 1,
    "web.labels": 1,
    "web.http": 2,
    "web.forms": 3,
    "web.public": 4,
    "web.member": 4,
    "web.commands": 4,
    "web.cases": 5,
    "web.setup": 5,
    "web.desk": 6,
}
ROOMS = {"engine": ENGINE, "mailers": MAILERS, "web": WEB}


def all_imports() -> Iterator[tuple[str, str]]:
    """Yield (file, module that it imports) for the product's own modules."""
    files = [path for room in (*ROOMS, "workflows") for path in sorted((ROOT / room).rglob("*.py"))]
    for path in [*files, ROOT / "app.py"]:
        if "migrations" in path.parts:
            continue
        for node in ast.walk(ast.parse(path.read_text())):
            names = node.names if isinstance(node, ast.Import | ast.ImportFrom) else []
            for alias in names:
                module = alias.name
                if isinstance(node, ast.ImportFrom):
                    module = f"{node.module}.{alias.name}"
                if module.partition(".")[0] in (*ROOMS, "workflows"):
                    yield path.relative_to(ROOT).as_posix(), module


def package(module: str, ranks: Mapping[str, int]) -> str | None:
    """Return the package that holds a module, if it has a rank."""
    return next((name for name in ranks if module == name or module.startswith(f"{name}.")), None)

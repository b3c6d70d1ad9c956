"""The declarations in docs/workflows-to-come.md are valid, all eleven workflows together."""

from __future__ import annotations

import re
import sys
import types
from pathlib import Path

import pytest

from engine.declare import registry, validation
from engine.declare.workflow import Workflow
from tests.engine.toys import own_registry

PAGE = Path(__file__).resolve().parents[2] / "docs" / "workflows-to-come.md"


def test_the_workflows_on_paper_register(monkeypatch: pytest.MonkeyPatch) -> None:
    head, *blocks = re.findall(r"```python\n(.*?)```", PAGE.read_text(), re.DOTALL)
    monkeypatch.setattr(validation, "written", lambda workflow, letter, language: True)
    monkeypatch.setattr(validation, "unworded", lambda workflow: ())
    own_registry(monkeypatch)
    found: list[type[Workflow]] = []
    for block in blocks:
        name = block.splitlines()[0].removeprefix("# workflows/").removesuffix(".py")
        module = types.ModuleType(f"workflows.{name}")
        monkeypatch.setitem(sys.modules, module.__name__, module)
        exec(compile(head + block, name, "exec"), module.__dict__)
        found += [
            value
            for value in vars(module).values()
            if isinstance(value, type)
            and issubclass(value, Workflow)
            and value.__module__ == module.__name__
        ]
    registry.register(*found)
    assert sorted(flow.key for flow in found) == [
        "conduct",
        "gift",
        "honour",
        "leave",
        "study_session",
        "suggestion",
        "topic",
    ]

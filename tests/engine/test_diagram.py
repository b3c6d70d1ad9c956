"""What the diagram shows is what the declaration says, and docs/workflows.md shows the diagram."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from engine.declare.diagram import diagram
from engine.declare.registry import all_workflows, workflow
from engine.declare.workflow import Workflow

PAGE = Path(__file__).resolve().parents[2] / "docs" / "workflows.md"


@pytest.mark.parametrize("flow", all_workflows(), ids=lambda flow: flow.key)
def test_every_arrow_and_every_undo_is_drawn(flow: type[Workflow]) -> None:
    drawn = diagram(flow)
    for state in flow.states.values():
        assert all(f"{state.name} --> {target}: " in drawn for target in state.arrows())
        assert state.undo == (f"note right of {state.name}: undo leads back to " in drawn)


def test_a_diagram_names_turns_acts_clock_and_ends() -> None:
    lines = [line.strip() for line in diagram(workflow("study_plan")).splitlines()]
    assert lines[0] == "stateDiagram-v2"
    for line in (
        'state "owed (person)" as owed',
        "[*] --> owed: when join is approved",
        "owed --> overdue: due",
        "removal_proposed --> removal_proposed: answer (person)",
        "removed --> [*]",
        "note right of accepted: undo leads back to review",
        "note right of overdue: undo leads back to overdue or review or removal_proposed",
    ):
        assert line in lines
    assert not any("void" in line for line in lines)


def test_the_page_of_workflows_is_what_the_declarations_say() -> None:
    flows = "\n".join(
        f"## {flow.label}\n\n{flow.__doc__}\n\n```mermaid\n{diagram(flow)}```\n"
        for flow in all_workflows()
    )
    page = f"# The workflows\n\nDrawn from the declarations in `workflows/`; write it anew with `GOLDEN=write make test`.\n\n{flows}"
    if os.environ.get("GOLDEN") == "write":
        PAGE.write_text(page)
    assert PAGE.read_text() == page, (
        "the declarations changed: GOLDEN=write make test, then read docs/workflows.md"
    )

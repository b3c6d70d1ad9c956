"""What a unit knows and has to write travels in its typed session, nowhere else."""

from __future__ import annotations

import ast

from tests.house.test_imports import named, sources

# Where a letter may be put in the queue: by whom it is counted, and by the worker that gives back
# what it took.
QUEUES = {"engine/outbox/queue.py", "mailers/queue/outbox.py", "mailers/queue/prepared.py"}


def test_no_state_travels_in_an_info_dictionary() -> None:
    found = [
        f"{named(path)}:{node.lineno}"
        for path in sources()
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Attribute)
        and node.attr == "info"
        and not ast.unparse(node.value).endswith("log")
    ]
    assert found == [], (
        "give it a field: of UnitOfWork (engine/storage/unit_of_work.py), or of the object that needs it"
    )


def test_listeners_of_sessions_are_registered_at_one_place() -> None:
    names = {
        f"{named(path)}:{ast.unparse(node.args[0])}"
        for path in sources()
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Call)
        and ast.unparse(node.func) in ("event.listen", "event.listens_for")
        if "ession" in ast.unparse(node.args[0])
    }
    assert names == {"engine/storage/unit_of_work.py:ClubSession"}, (
        "register it there, in its place in the order"
    )


def test_only_what_is_counted_puts_letters_in_the_queue() -> None:
    """Else nobody wakes the post: it would find the letter with its next tick only."""
    found = set()
    for path in sources():
        for node in ast.walk(ast.parse(path.read_text())):
            values = [ast.unparse(value) for value in set_states(node)]
            if any("'queued'" in value or "LetterState.QUEUED" in value for value in values):
                found.add(named(path))
    assert found == QUEUES, "use requeue() of engine/outbox/queue.py"


def set_states(node: ast.AST) -> list[ast.expr]:
    """What is set as a state here: by keyword, in a dictionary, or as an attribute of a letter."""
    if isinstance(node, ast.keyword):
        return [node.value] if node.arg == "state" else []
    if isinstance(node, ast.Dict):
        keyed = zip(node.keys, node.values, strict=True)
        return [value for key, value in keyed if key and ast.unparse(key) == "'state'"]
    if isinstance(node, ast.Assign):
        targets = " ".join(ast.unparse(target) for target in node.targets)
        return [node.value] if "letter.state" in targets else []
    return []

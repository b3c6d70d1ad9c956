"""The import rules: engine ← workflows, engine ← mailers, all of these ← web ← app.py."""

from __future__ import annotations

import ast
import functools
from collections.abc import Iterable, Iterator
from pathlib import Path

from engine.declare.registry import all_workflows

ROOT = Path(__file__).resolve().parents[2]
ROOMS = {
    "engine": {"engine"},
    "workflows": {"engine", "workflows"},
    "mailers": {"engine", "mailers"},
}
ONLY = {  # package: the files that may import it
    "flask": ("web/", "app.py"),
    "flask_wtf": ("web/",),
    "apscheduler": ("web/",),
    "jinja2": ("mailers/letters/compose.py", "web/"),
    "smtplib": ("mailers/smtp/connection.py",),
    "nacl": ("engine/security/encryption.py",),
    "waitress": ("web/app/server.py", "web/app/connections.py"),
}
BANNED = {"core", "common", "utils", "helpers", "misc"}


def sources() -> list[Path]:
    return [
        path
        for room in ("engine", "workflows", "mailers", "web")
        for path in sorted((ROOT / room).rglob("*.py"))
    ] + [ROOT / "app.py"]


def trials() -> list[Path]:
    return [
        path for room in ("tests", "benchmarks") for path in sorted((ROOT / room).rglob("*.py"))
    ]


@functools.cache
def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text())


def imported(path: Path) -> Iterator[str]:
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.module or ""


def named(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def written_here(paths: Iterable[Path]) -> list[Path]:
    """Without migrations, which stay as they were released."""
    return [path for path in paths if "migrations/versions" not in named(path)]


def test_rooms_import_only_downwards() -> None:
    ours = {"engine", "workflows", "mailers", "web", "app", "tests"}
    upwards = [
        f"{named(path)} imports {name}"
        for path in sources()
        if (allowed := ROOMS.get(named(path).partition("/")[0])) is not None
        for name in imported(path)
        if name.partition(".")[0] in ours - allowed
    ]
    assert upwards == [], "hand it in as an argument, or move the code up to web/"


def test_nothing_imports_what_composes_the_app() -> None:
    backwards = [
        f"{named(path)} imports {name}"
        for path in sources()
        if named(path).startswith("web/")
        for name in imported(path)
        if name.partition(".")[0] in ("app", "tests")
    ]
    assert backwards == [], "app.py composes, nothing imports it"


def test_each_library_is_imported_where_it_belongs() -> None:
    astray = [
        f"{named(path)} imports {name}: only {', '.join(places)} may"
        for path in sources()
        for name in imported(path)
        if (places := ONLY.get(name.partition(".")[0])) is not None
        and not named(path).startswith(places)
    ]
    assert astray == [], "call what wraps the library in that place"


def test_files_stay_short() -> None:
    longer = {
        named(path): length
        for path in written_here(sources() + trials())
        if (length := len(path.read_text().splitlines())) > 400
    }
    assert longer == {}, "longer than 400 lines: it does two things, split it"


def test_files_are_well_named() -> None:
    banned = [
        named(path)
        for path in sources() + trials()
        if BANNED & {part.removesuffix(".py") for part in path.parts}
    ]
    assert banned == [], "say what it is for"


def test_templates_styles_and_script_stay_short() -> None:
    folders = ("templates/pages", "templates/mail", "web/static")
    files = [path for folder in folders for path in (ROOT / folder).rglob("*.*")]
    longer = [named(path) for path in files if len(path.read_text().splitlines()) > 300]
    assert longer == [], (
        "longer than 300 lines: take a part out (a macro, a part of the sheet in web/http/assets.py)"
    )


def test_functions_need_no_scrolling() -> None:
    longer = [
        f"{named(path)}:{node.name} has {length} lines"
        for path in written_here(sources())
        for node in ast.walk(tree(path))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and (length := (node.end_lineno or 0) - node.lineno + 1) > 55
    ]
    assert longer == [], "longer than 55 lines: let it tell its steps and name them"


def test_one_file_is_one_workflow() -> None:
    classes = {
        path.name: sum(isinstance(node, ast.ClassDef) for node in tree(path).body)
        for path in (ROOT / "workflows").glob("*.py")
    }
    assert {name for name, count in classes.items() if count != (name != "__init__.py")} == set(), (
        "one file is one workflow"
    )


def _is_number(node: ast.expr) -> bool:
    return (
        isinstance(node, ast.Constant)
        and isinstance(node.value, int | float)
        and not isinstance(node.value, bool)
    )


def test_no_number_of_a_rule_stands_in_a_workflow() -> None:
    numbers = [
        f"{path.name}:{node.lineno}"
        for path in sorted((ROOT / "workflows").glob("*.py"))
        for node in ast.walk(tree(path))
        if isinstance(node, ast.Call)
        for given in (*node.args, *(word.value for word in node.keywords if word.arg != "rows"))
        if _is_number(given)
    ]
    assert numbers == [], "a rule's number lives in the charter: charter.<name>"


def test_only_the_database_commits() -> None:
    others = [
        f"{named(path)}:{node.lineno}"
        for path in sources()
        if named(path) != "engine/storage/database.py"
        for node in ast.walk(tree(path))
        if isinstance(node, ast.Attribute) and node.attr == "commit"
    ]
    assert others == [], "db.write(unit) is the only committer"


def _assigned(node: ast.AST) -> Iterator[ast.expr]:
    for target in node.targets if isinstance(node, ast.Assign) else []:
        yield from target.elts if isinstance(target, ast.Tuple) else [target]


def test_the_state_of_a_case_is_set_at_one_place() -> None:
    others = [
        f"{named(path)}:{node.lineno}"
        for path in sources()
        if named(path) != "engine/cases/transitions.py"
        for node in ast.walk(tree(path))
        for target in _assigned(node)
        if isinstance(target, ast.Attribute)
        and target.attr == "state"
        and ast.unparse(target.value) in ("case", "matter", "transition.case")
    ]
    assert others == [], "only the door (engine/cases/transitions.py) changes a state"


def test_time_is_an_argument_below_the_web() -> None:
    may = (
        "engine/clock.py",
        "engine/storage/models.py",
        "mailers/dev_mailbox.py",
        "mailers/smtp/connection.py",
        "web/app/background.py",
    )
    asks = [
        f"{named(path)}: {word}"
        for path in sources()
        if named(path) not in may
        for word in ("datetime.now(", "utcnow(", "time.time(", "time.sleep(", "func.now(")
        if word in path.read_text()
    ]
    assert asks == [], "it asks the machine for the time: take `now` as an argument"


def test_no_request_sends_mail_but_these() -> None:
    """The ticker is no request; the demo lets its own time pass on this machine; a test mail has 20
    seconds at most."""
    senders = {"DeliveryWorker", "SmtpConnection", "try_account"}
    found = set()
    for path in (ROOT / "web").rglob("*.py"):
        for node in ast.walk(tree(path)):
            if isinstance(node, ast.ImportFrom) and senders & {alias.name for alias in node.names}:
                found.add(named(path))
    assert found == {"web/app/background.py", "web/app/demo.py", "web/forms/mail_form.py"}, (
        "a letter is queued; the post sends it"
    )


def test_across_clubs_is_listed() -> None:
    marked = set()
    for path in sources():
        for node in ast.walk(tree(path)):
            if isinstance(node, ast.FunctionDef) and any(
                ast.unparse(item) == "across_clubs" for item in node.decorator_list
            ):
                marked.add(f"{named(path)}:{node.name}")
    assert marked == {
        "engine/operations/backup.py:hold_unsent",
        "engine/operations/health.py:read_health",
        "engine/operations/installation_checks.py:letters",
        "engine/operations/installation_checks.py:rows",
        "engine/cases/drafts.py:forget_old_drafts",
        "engine/outbox/delivery_log.py:release_all",
        "engine/operations/mail_account.py:discard_rendered",
        "engine/scheduler/recurring.py:openings_round",
        "engine/scheduler/schedules.py:plan_every_club",
        "engine/cases/member_links.py:forget_ended_sessions",
        "engine/cases/member_links.py:forget_known_browsers",
        "engine/cases/member_links.py:forget_spent_links",
        "engine/scheduler/sweep.py:sweep_batch",
        "engine/scheduler/sweep.py:forget_old",
        "engine/scheduler/sweep.py:wake_unscheduled",
        "mailers/queue/outbox.py:claim",
        "mailers/queue/outbox.py:extend_leases",
        "mailers/queue/outbox.py:requeue_expired_leases",
        "web/http/auth.py:signed_in",
        "engine/cases/erasure.py:forget_bytes",
    }, "a function looks across clubs: say here that it is meant"


def test_no_generic_file_names_a_workflow_or_a_state_of_its_own() -> None:
    """Forbidden: every registered key, and every state that a workflow declares itself (those of
    builders are the builders')."""
    keys = {flow.key for flow in all_workflows()}
    built = {
        name
        for flow in all_workflows()
        for state in flow.states.values()
        for name in state.wording.states
    }
    states = (
        {name for flow in all_workflows() for name in flow.states}
        - built
        - set(MEANS_SOMETHING_ELSE)
    )
    assert {"join", "reflection", "handover"} <= keys and {
        "owed",
        "shared",
        "unconfirmed",
        "elected",
    } <= states
    found = [
        f"{named(path)}:{node.lineno}: {node.value!r}"
        for path in sources()
        if not named(path).startswith(("workflows/", *NAMES_WORKFLOWS))
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Constant) and node.value in keys | states
    ]
    assert found == [], (
        "say it in the declaration: an attribute of the workflow or of the state, read through engine.declare.registry"
    )


NAMES_WORKFLOWS = ("web/app/demo.py",)  # it plays invented people, who apply, write and vote
MEANS_SOMETHING_ELSE = {
    "departed": "a person's status",
    "erased": "a person's status",
    "moved": "what a database is after `db move`",
    "refused": "an answer of a mail server",
    "vote": "the action of every poll",
}

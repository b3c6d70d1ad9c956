"""Who may import whom: engine ← workflows, engine ← mailers, all of these ← web ← app.py; never
upwards."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

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
    "waitress": ("web/app/server.py",),
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


def imported(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.module or ""


def named(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


@pytest.mark.parametrize("path", sources(), ids=named)
def test_rooms_import_only_downwards(path: Path) -> None:
    room = named(path).partition("/")[0]
    allowed = ROOMS.get(room)
    for name in imported(path):
        package = name.partition(".")[0]
        if allowed is not None and package in {
            "engine",
            "workflows",
            "mailers",
            "web",
            "app",
            "tests",
        }:
            assert package in allowed, (
                f"{named(path)} imports {name}: hand it in as an argument, or move the code up to web/"
            )
        if room == "web":
            assert package not in {"app", "tests"}, (
                f"{named(path)} imports {name}: app.py composes, nothing imports it"
            )
        places = ONLY.get(package)
        if places is not None:
            assert named(path).startswith(places), (
                f"{named(path)} imports {name}: only {', '.join(places)} may"
            )


@pytest.mark.parametrize("path", sources() + trials(), ids=named)
def test_files_stay_short_and_well_named(path: Path) -> None:
    if "migrations/versions" not in named(path):
        assert len(path.read_text().splitlines()) <= 400, (
            f"{named(path)} is longer than 400 lines: it does two things, split it"
        )
    assert not BANNED & {part.removesuffix(".py") for part in path.parts}, (
        f"{named(path)}: say what it is for"
    )


@pytest.mark.parametrize("folder", ["templates/pages", "templates/mail", "web/static"])
def test_templates_styles_and_script_stay_short(folder: str) -> None:
    longer = [
        named(path)
        for path in (ROOT / folder).rglob("*.*")
        if len(path.read_text().splitlines()) > 300
    ]
    assert longer == [], (
        "longer than 300 lines: take a part out (a macro, a part of the sheet in web/http/assets.py)"
    )


@pytest.mark.parametrize("path", sources(), ids=named)
def test_functions_need_no_scrolling(path: Path) -> None:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(
            node, ast.FunctionDef | ast.AsyncFunctionDef
        ) and "migrations/versions" not in named(path):
            length = (node.end_lineno or 0) - node.lineno + 1
            assert length <= 55, (
                f"{named(path)}:{node.name} has {length} lines: let it tell its steps and name them"
            )


def test_one_file_is_one_workflow() -> None:
    for path in (ROOT / "workflows").glob("*.py"):
        classes = [
            node for node in ast.parse(path.read_text()).body if isinstance(node, ast.ClassDef)
        ]
        assert len(classes) == (0 if path.name == "__init__.py" else 1), (
            f"{path.name}: one file is one workflow"
        )


def test_no_number_of_a_rule_stands_in_a_workflow() -> None:
    for path in (ROOT / "workflows").glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call):
                for given in (
                    *node.args,
                    *(word.value for word in node.keywords if word.arg != "rows"),
                ):
                    is_number = (
                        isinstance(given, ast.Constant)
                        and isinstance(given.value, int | float)
                        and not isinstance(given.value, bool)
                    )
                    assert not is_number, (
                        f"{path.name}:{node.lineno}: a rule's number lives in the charter: charter.<name>"
                    )


def test_only_the_database_commits() -> None:
    for path in sources():
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Attribute) and node.attr == "commit":
                assert named(path) == "engine/storage/database.py", (
                    f"{named(path)}:{node.lineno}: db.write(unit) is the only committer"
                )


def test_the_state_of_a_case_is_set_at_one_place() -> None:
    for path in sources():
        for node in ast.walk(ast.parse(path.read_text())):
            targets = node.targets if isinstance(node, ast.Assign) else []
            flat = [
                item
                for target in targets
                for item in (target.elts if isinstance(target, ast.Tuple) else [target])
            ]
            for target in flat:
                if (
                    isinstance(target, ast.Attribute)
                    and target.attr == "state"
                    and ast.unparse(target.value) in ("case", "matter", "step.case")
                ):
                    assert named(path) == "engine/cases/transitions.py", (
                        f"{named(path)}:{node.lineno}: only the door (engine/cases/transitions.py) changes a state"
                    )


def test_time_is_an_argument_below_the_web() -> None:
    for path in sources():
        if named(path) in (
            "engine/clock.py",
            "engine/storage/models.py",
            "mailers/dev_mailbox.py",
            "mailers/smtp/connection.py",
            "web/app/background.py",
        ):
            continue
        text = path.read_text()
        for word in ("datetime.now(", "utcnow(", "time.time(", "time.sleep(", "func.now("):
            assert word not in text, (
                f"{named(path)} asks the machine for the time ({word}): take `now` as an argument"
            )


def test_no_request_sends_mail_but_these() -> None:
    """The ticker is no request; the demo lets its own time pass on this machine; a test mail has 20
    seconds at most."""
    senders = {"DeliveryWorker", "SmtpConnection", "try_account"}
    found = set()
    for path in (ROOT / "web").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.ImportFrom) and senders & {alias.name for alias in node.names}:
                found.add(named(path))
    assert found == {"web/app/background.py", "web/app/demo.py", "web/forms/mail_form.py"}, (
        "a letter is queued; the post sends it"
    )


def test_across_clubs_is_listed() -> None:
    marked = set()
    for path in sources():
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.FunctionDef) and any(
                ast.unparse(item) == "across_clubs" for item in node.decorator_list
            ):
                marked.add(f"{named(path)}:{node.name}")
    assert marked == {
        "engine/operations/backup.py:hold_unsent",
        "engine/operations/installation_checks.py:letters",
        "engine/operations/installation_checks.py:rows",
        "engine/cases/drafts.py:forget_old_drafts",
        "engine/outbox/delivery_log.py:release_all",
        "engine/operations/mail_account.py:discard_rendered",
        "engine/scheduler/recurring.py:openings_round",
        "engine/scheduler/schedules.py:plan_every_club",
        "engine/cases/member_links.py:forget_ended_sessions",
        "engine/scheduler/sweep.py:sweep_round",
        "engine/scheduler/sweep.py:forget_old",
        "engine/scheduler/sweep.py:wake_unscheduled",
        "mailers/queue/outbox.py:claim",
        "mailers/queue/outbox.py:extend_leases",
        "mailers/queue/outbox.py:requeue_expired_leases",
        "web/http/auth.py:signed_in",
        "engine/cases/erasure.py:forget_bytes",
    }, "a function looks across clubs: say here that it is meant"

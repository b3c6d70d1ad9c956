"""What a declaration must hold to is found out at import."""

from __future__ import annotations

import pytest

from engine.declare import validation
from engine.declare.fields import Text
from engine.declare.registry import all_workflows, register
from engine.declare.validation import Misdeclared, letters
from engine.declare.workflow import (
    State,
    Wording,
    Workflow,
    ask,
    charter,
    due,
    end_of_day,
    final,
    may,
    members,
    opened_from,
    owner,
    person,
    poll,
    reviewer,
    tell,
)
from engine.declare.workflow import form as opened_by_form
from engine.rules import effects
from tests.engine.toys import own_registry
from workflows import WORKFLOWS

DUE = end_of_day(charter.plan_days)
unworded = validation.unworded  # the fixture below replaces it


class Sound(Workflow):
    label, clause, opens = "Sound", "1.1", opened_by_form("sound", owner)
    word = Text("A word")
    asked = State(
        person,
        ask("please"),
        may(person, "submit", to="done", fill=("word",)),
        may(owner, "close", to="done"),
        due(DUE, to="done"),
    )
    done = final(tell("thanks"), undo=True)


@pytest.fixture(autouse=True)
def _alone(monkeypatch: pytest.MonkeyPatch) -> None:
    own_registry(monkeypatch)
    monkeypatch.setattr(validation, "written", lambda workflow, letter, language: True)
    monkeypatch.setattr(validation, "unworded", lambda workflow: ())


def complaint(flow: type[Workflow]) -> str:
    with pytest.raises(Misdeclared) as wrong:
        register(flow)
    return str(wrong.value)


def test_a_sound_workflow_is_taken() -> None:
    assert register(Sound) == (Sound,)
    assert (Sound.key, Sound.start, Sound.form_path, list(Sound.states), list(Sound.fields)) == (
        "sound",
        "asked",
        "sound",
        ["asked", "done", "void"],
        ["word"],
    )
    assert letters(Sound) == ["please", "taken_back", "thanks"]


@pytest.mark.parametrize("needed", ["label", "clause"])
def test_a_workflow_without_label_or_clause_is_refused(needed: str) -> None:
    values = {
        "label": "Toy",
        "clause": "1.1",
        "opens": opened_by_form("toy", owner),
        "done": final(),
    }
    del values[needed]
    assert complaint(type("Toy", (Workflow,), values)) == f"Toy: says no {needed}"


def test_a_workflow_that_says_not_how_it_opens_is_refused() -> None:
    with pytest.raises(Misdeclared, match=r"^Toy: says no opens$"):
        register(type("Toy", (Workflow,), {"label": "Toy", "clause": "1.1", "done": final()}))


def test_a_workflow_that_opens_from_nowhere_is_refused() -> None:
    class Toy(Workflow):
        label, clause, opens = "Toy", "1.1", opened_from("join", "aproved")
        done = final()

    assert complaint(Toy) == "Toy: opens from join.aproved, which is not declared"


def test_a_start_that_is_not_declared_is_refused() -> None:
    class Toy(Workflow):
        label, clause, opens, start = "Toy", "1.1", opened_by_form("toy", owner), "begin"
        done = final()

    assert complaint(Toy) == "Toy: starts in 'begin', which is not declared"


def test_a_target_that_is_not_declared_is_refused() -> None:
    class Toy(Workflow):
        label, clause, opens = "Toy", "1.1", opened_by_form("toy", owner)
        asked = State(
            person,
            may(person, "submit", to="doen"),
            due(DUE, to="done"),
        )
        done = final()

    assert complaint(Toy) == "Toy: asked leads to 'doen', which is not declared"


def test_an_undo_of_what_nobody_decides_is_refused() -> None:
    class Toy(Workflow):
        label, clause, opens = "Toy", "1.1", opened_by_form("toy", owner)
        asked = State(person, may(person, "submit", to="done"), due(DUE, to="done"))
        done = final(undo=True)

    assert complaint(Toy) == "Toy: done has an undo, but nobody decides that it comes there"


def test_an_undo_that_would_leave_an_effect_standing_is_refused() -> None:
    class Toy(Workflow):
        label, clause, opens = "Toy", "1.1", opened_by_form("toy", owner)
        asked = State(owner, may(owner, "dismiss", to="out"), due(DUE, to="out"))
        out = final(do=effects.leave_office, undo=True)

    assert (
        complaint(Toy)
        == "Toy: out does something that its undo, back to asked, would not put right: give asked a do"
    )


def test_a_state_that_could_wait_for_ever_is_refused() -> None:
    class Toy(Workflow):
        label, clause, opens = "Toy", "1.1", opened_by_form("toy", owner)
        asked = State(person, may(person, "submit", to="done"))
        done = final()

    assert complaint(Toy) == "Toy: asked could wait for ever: give it a due"


def test_an_ask_in_a_final_state_is_refused() -> None:
    class Toy(Workflow):
        label, clause, opens = "Toy", "1.1", opened_by_form("toy", owner)
        done = final(ask("please"))

    assert complaint(Toy) == "Toy: done is final, so it is nobody's turn: tell, do not ask"


def test_one_action_twice_for_one_role_is_refused() -> None:
    class Toy(Workflow):
        label, clause, opens = "Toy", "1.1", opened_by_form("toy", owner)
        asked = State(
            owner,
            may(owner, "close", to="done"),
            may(owner | person, "close", to="done"),
            due(DUE, to="done"),
        )
        done = final()

    assert complaint(Toy) == "Toy: asked offers 'close' to owner twice"


def test_one_action_for_two_roles_is_fine() -> None:
    class Toy(Workflow):
        label, clause, opens = "Toy", "1.1", opened_by_form("toy", owner)
        asked = State(
            owner,
            may(owner, "close", to="done"),
            may(person, "close", to="done"),
            due(DUE, to="done"),
        )
        done = final()

    assert register(Toy) == (Toy,)


def test_filling_what_is_no_field_is_refused() -> None:
    class Toy(Workflow):
        label, clause, opens = "Toy", "1.1", opened_by_form("toy", owner)
        asked = State(
            person,
            may(person, "submit", to="done", fill=("wrod",)),
            due(DUE, to="done"),
        )
        done = final()

    assert complaint(Toy) == "Toy: asked fills 'wrod', which is no field"


def test_a_state_that_no_way_leads_to_is_refused() -> None:
    class Toy(Workflow):
        label, clause, opens = "Toy", "1.1", opened_by_form("toy", owner)
        done = final()
        lost = final()
        astray = final()

    assert complaint(Toy) == "Toy: no way leads to astray, lost"


def test_a_letter_that_is_not_written_is_refused_with_its_language(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.undo()
    own_registry(monkeypatch)
    monkeypatch.setattr(
        validation,
        "written",
        lambda workflow, letter, language: (letter, language) != ("thanks", "en"),
    )
    assert complaint(Sound) == "Sound: the letter thanks is not written in en"


def test_what_has_no_words_is_refused_with_the_file_that_lacks_them(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.undo()
    own_registry(monkeypatch)
    monkeypatch.setattr(validation, "written", lambda workflow, letter, language: True)
    file = "tests/engine/test_checks.py"
    assert list(unworded(Sound)) == [
        f"{file}: its wording has no states for asked, done",
        f"{file}: its wording has no actions for close",
        f"{file}: its wording has no events for open>asked, submit>done, close>done, due>done",
        f"{file}: its wording has no letters for please, thanks",
    ]
    assert complaint(Sound) == f"Sound: {file}: its wording has no states for asked, done"


def test_a_choice_of_a_poll_needs_its_word() -> None:
    class Toy(Workflow):
        label, clause, opens = "Toy", "1.1", opened_by_form("toy", owner)
        wording = Wording(
            states={"voting": "Voting", "over": "Over"},
            choices={"yes": "Yes"},
            events={"open": "asked"},
            system_events={"due": "It ended"},
        )
        voting = State(members, poll(members, "yes no"), due(DUE, to="over"))
        over = final()

    assert list(unworded(Toy)) == ["tests/engine/test_checks.py: its wording has no choices for no"]


def test_a_refused_workflow_is_not_listed() -> None:
    class Toy(Workflow):
        label, clause, opens, start = "Toy", "1.1", opened_by_form("toy", reviewer), "begin"
        done = final()

    complaint(Toy)
    assert Toy not in all_workflows()


def test_the_clubs_own_workflows_hold(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()
    assert register(*WORKFLOWS) == WORKFLOWS

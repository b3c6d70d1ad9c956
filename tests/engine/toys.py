"""Workflows for tests only, registered for the length of one test."""

from __future__ import annotations

import pytest

from engine.declare import registry, validation
from engine.declare.transition import Transition
from engine.declare.workflow import (
    State,
    Workflow,
    ask,
    calendar,
    charter,
    due,
    either,
    end_of_day,
    final,
    majority,
    may,
    members,
    moment,
    owner,
    person,
    poll,
    tell,
    weekly,
)
from engine.declare.workflow import form as opened_by_form
from engine.rules.effects import remove


def own_registry(monkeypatch: pytest.MonkeyPatch) -> None:
    """Forget at the test's end which workflows it registers."""
    monkeypatch.setattr(registry, "REGISTRY", registry.REGISTRY.copy())


def declared(monkeypatch: pytest.MonkeyPatch, *flows: type[Workflow]) -> None:
    """Register toys; monkeypatch takes them away again."""
    monkeypatch.setattr(validation, "written", lambda workflow, letter, language: True)
    monkeypatch.setattr(validation, "unworded", lambda workflow: ())
    own_registry(monkeypatch)
    registry.register(*flows)


def reading() -> type[Workflow]:
    class ToyReading(Workflow):
        label, clause, one_open = "Reading", "5.1", True
        opens = calendar(weekly(charter.week_opens, due=charter.week_due), for_each=members)
        owed = State(
            person,
            ask("please_read"),
            may(person, "submit", to="done"),
            due(moment("period_due"), to="missed"),
        )
        done = final()
        missed = final(tell("missed"))

    return ToyReading


def topic() -> type[Workflow]:
    class ToyTopic(Workflow):
        label, clause = "Topic", "4.2"
        opens = opened_by_form("topic", members)
        voting = State(
            members,
            poll(
                members,
                "option1 option2 option3",
                first=charter.topic_votes,
                to=either(lambda step: bool(step.count), "decided", "nobody_voted"),
            ),
            due(
                end_of_day(charter.vote_days),
                to=either(lambda step: bool(step.count), "decided", "nobody_voted"),
            ),
        )
        decided = final()
        nobody_voted = final()

    return ToyTopic


def nomination() -> type[Workflow]:
    class ToyNomination(Workflow):
        label, clause = "Nomination", "7.2"
        opens = opened_by_form("nomination", members)
        voting = State(
            members,
            poll(members, "yes no", change=True, secret=True, besides=person),
            due(
                end_of_day(charter.vote_days),
                to=majority(elected="elected", rejected="rejected", too_few="too_few"),
            ),
        )
        elected = final()
        rejected = final()
        too_few = final()

    return ToyNomination


class Broken(Exception):
    """What a broken effect raises."""


def breaking(broken: dict[str, bool]) -> type[Workflow]:
    def break_perhaps(step: Transition) -> None:
        if broken["now"]:
            raise Broken("the effect broke")

    class ToyBreaking(Workflow):
        label, clause = "Breaking", "1.1"
        opens = opened_by_form("breaking", members)
        waiting = State(
            owner,
            ask("decide"),
            may(owner, "close", to="over"),
            due(end_of_day(charter.plan_days), to="over"),
        )
        over = final(do=break_perhaps)

    return ToyBreaking


def removing() -> type[Workflow]:
    class ToyRemoving(Workflow):
        label, clause = "Removing", "1.1"
        opens = opened_by_form("removing", members)
        waiting = State(
            owner,
            ask("decide"),
            may(owner, "close", to="over"),
            due(end_of_day(charter.plan_days), to="over"),
        )
        over = final(do=remove)

    return ToyRemoving

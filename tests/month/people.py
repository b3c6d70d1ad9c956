"""The people of the month: temperaments as data, and their reactions to a mail.

No clock, no network here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from random import Random


@dataclass(frozen=True)
class Temper:
    """``share`` of a hundred; ``on``: the letters about a duty that move them; ``hours``: how long
    they then take."""

    name: str
    share: int
    on: frozenset[str]
    hours: tuple[float, float]
    forgets: float = 0.0


FIRST, SOON = (
    {"please_write", "please_read", "due_moved", "please_revise"},
    {"due_soon", "revise_soon"},
)
CHANCE, PROPOSED = {"second_chance", "last_call"}, {"removal_proposed"}
TEMPERS = (
    Temper("prompt", 38, frozenset(FIRST), (0.3, 40), 0.04),
    Temper("last minute", 25, frozenset(SOON), (0.2, 22), 0.1),
    Temper("late", 15, frozenset(CHANCE | SOON), (0.5, 30), 0.3),
    Temper("only when it hurts", 6, frozenset(PROPOSED), (2, 60), 0.2),
    Temper("moody", 10, frozenset(FIRST | SOON | CHANCE | PROPOSED), (0.2, 60), 0.7),
    Temper("never", 6, frozenset(), (1, 2)),
)


def temper_of(dice: Random) -> Temper:
    return dice.choices(TEMPERS, [temper.share for temper in TEMPERS])[0]


@dataclass(frozen=True)
class Does:
    """One thing that somebody does with the page behind a link. ``times``: how often the button is
    pressed."""

    action: str
    after: timedelta
    typed: Mapping[str, str] = field(default_factory=dict)
    times: int = 1


WORDS = {
    "zh-CN": {
        "goals": "讲得出二十本书。",
        "plan": "每周一本，周四写两页。",
        "reflection": "人是为活着本身而活着的。",
        "book": "活着",
        "author": "余华",
        "note": "想再看看。",
        "why": "愿意多做一点。",
        "about": "想认真读书。",
        "city": "武汉",
        "big book": "红楼梦",
    },
    "en": {
        "goals": "Twenty books that I can talk about.",
        "plan": "One a week, two pages on Thursdays.",
        "reflection": "It stays with me.",
        "book": "Walden",
        "author": "Thoreau",
        "note": "Let me think.",
        "why": "I like to help.",
        "about": "I want to read seriously.",
        "city": "New York",
        "big book": "Middlemarch",
    },
}
CLICKS_TWICE = 0.12


@dataclass
class Mood:
    """What an answer may depend on: the temper, the dice, and the language in which words are
    typed."""

    temper: Temper
    dice: Random
    locale: str

    def chance(self, share: float) -> bool:
        return self.dice.random() < share

    def hours(self, low: float, high: float) -> timedelta:
        return timedelta(hours=self.dice.uniform(low, high))

    def word(self, name: str) -> str:
        return WORDS[self.locale][name]

    def does(self, action: str, after: timedelta, **typed: str) -> Does:
        return Does(action, after, typed, 2 if self.chance(CLICKS_TWICE) else 1)


Answer = Callable[[Mood], list[Does]]


def hand_in(mood: Mood, bare: str, action: str = "submit") -> list[Does]:
    """Write what is owed, if this letter moves somebody of this temper."""
    if bare not in mood.temper.on or mood.chance(mood.temper.forgets):
        return []
    texts = {
        name: mood.word(name) for name in ("goals", "plan", "reflection", "book", "author", "why")
    }
    texts |= {"share": "y"} if mood.chance(0.4) else {}
    return [mood.does(action, mood.hours(*mood.temper.hours), **texts)]


def at_the_opening(mood: Mood) -> list[Does]:
    """Some name a book first, some of those a big one; some hand in at once, and some together on
    the last evening."""
    if mood.chance(0.15):
        words = {name: mood.word(name) for name in ("reflection", "book")}
        return [mood.does("submit", mood.hours(152, 155), **words)]
    if mood.chance(0.2):
        big = (
            {"big": "y", "book": mood.word("big book")}
            if mood.chance(0.5)
            else {"book": mood.word("book")}
        )
        return [mood.does("choose", mood.hours(1, 30), **big)] + (
            [] if "big" in big else hand_in(mood, "please_read")
        )
    return hand_in(mood, "please_read")


def when_proposed(mood: Mood) -> list[Does]:
    answer = (
        [mood.does("answer", mood.hours(1, 48), note=mood.word("note"))] if mood.chance(0.4) else []
    )
    return answer + hand_in(mood, "removal_proposed")


def when_returned(mood: Mood, bare: str) -> list[Does]:
    if mood.chance(0.1):
        return [mood.does("withdraw", mood.hours(1, 40))]
    if mood.chance(0.5):
        return [
            mood.does(
                "resubmit",
                mood.hours(1, 60),
                reflection=mood.word("reflection") + "！",
                plan=mood.word("plan") + "！",
            )
        ]
    return hand_in(mood, bare, "resubmit")


def ballot(mood: Mood) -> list[Does]:
    if not mood.chance(0.55):
        return []
    first = mood.does("vote", mood.hours(0.5, 40), choice=mood.dice.choice(("yes", "no")))
    again = mood.does("vote", mood.hours(41, 70), choice=mood.dice.choice(("yes", "no")))
    return [first, again] if mood.chance(0.2) else [first]


def perhaps(share: float, action: str, low: float, high: float, *typed: str) -> Answer:
    """With this chance, so many hours after the mail; ``typed``: the fields that are filled in."""
    return lambda mood: (
        [mood.does(action, mood.hours(low, high), **{name: mood.word(name) for name in typed})]
        if mood.chance(share)
        else []
    )


def duty(bare: str) -> Answer:
    return lambda mood: hand_in(mood, bare)


# By a letter's whole name, or by what stands behind the full stop.
ANSWERS: Mapping[str, Answer] = {
    "join.confirm_address": perhaps(0.85, "confirm", 0.1, 60),
    "join.please_revise": perhaps(0.75, "resubmit", 1, 60, "about"),
    "new_address.confirm_new_address": perhaps(0.8, "confirm", 0.1, 60),
    "departure.please_confirm": perhaps(0.8, "confirm", 0.1, 60),
    "club.imported": perhaps(0.6, "acknowledge", 0.2, 90),
    "reflection.please_read": at_the_opening,
    "reflection.reflection_accepted": lambda mood: (
        perhaps(0.05, "retract", 1, 50)(mood) + perhaps(0.05, "share", 1, 50)(mood)
    ),
    "nomination.please_vote": ballot,
    "nomination.vote_soon": perhaps(0.4, "vote", 0.2, 20),
    "nomination.vote_begun": perhaps(0.1, "withdraw", 1, 40),
    "nomination.elected": perhaps(0.1, "step_down", 20, 150, "note"),
    "removal_proposed": when_proposed,
    "please_revise": lambda mood: when_returned(mood, "please_revise"),
    "revise_soon": lambda mood: when_returned(mood, "revise_soon"),
} | {
    bare: duty(bare)
    for bare in ("please_write", "due_soon", "due_moved", "second_chance", "last_call")
}


def answers_to(letter: str, mood: Mood) -> list[Does]:
    """What this member does about a letter."""
    answer = ANSWERS.get(letter) or ANSWERS.get(letter.partition(".")[2])
    return answer(mood) if answer else []


# What a decider presses, with weights; None: nothing, it waits.
DECISIONS: Mapping[str, tuple[tuple[int, str | None], ...]] = {
    "please_decide": ((78, "approve"), (10, "return"), (6, "decline"), (6, None)),
    "please_decide_removal": ((30, "remove"), (20, "excuse"), (20, "extend"), (30, None)),
}
EXTEND_DAYS = 3


def decision(letter: str, mood: Mood) -> Does | None:
    """What a decider does about an ask, when they get to it."""
    weights = DECISIONS.get(letter.partition(".")[2])
    if weights is None:
        return None
    action = mood.dice.choices([what for _, what in weights], [weight for weight, _ in weights])[0]
    if action is None:
        return None
    return mood.does(
        action,
        timedelta(),
        note=mood.word("note"),
        **({"days": str(EXTEND_DAYS)} if action == "extend" else {}),
    )


# What a member sets out to do of their own accord in a month: the form's path, the share of
# members, what is typed.
WISHES: tuple[tuple[str, float], ...] = (
    ("new-address", 0.05),
    ("new-name", 0.05),
    ("departure", 0.04),
    ("nomination", 0.05),
    ("", 0.12),
)

_FAMILY = "赵钱孙李周吴郑王冯陈褚卫蒋沈韩杨朱秦许何吕施张孔曹严华金魏陶姜"
_GIVEN = [
    "安然",
    "伯言",
    "晨曦",
    "德馨",
    "方舟",
    "高远",
    "海蓝",
    "佳音",
    "凯歌",
    "立群",
    "明哲",
    "念慈",
    "平川",
    "清扬",
    "若水",
    "思齐",
    "天佑",
    "维桢",
    "晓岚",
    "雅静",
    "子墨",
]
_FIRST = [
    "Ada",
    "Ben",
    "Cora",
    "Dan",
    "Elsa",
    "Finn",
    "Gina",
    "Hugo",
    "Ines",
    "Jack",
    "Kate",
    "Liam",
    "Mona",
    "Nils",
    "Olga",
    "Paul",
    "Rosa",
    "Sam",
    "Tess",
    "Viktor",
]


def chinese_name(number: int) -> str:
    return _FAMILY[number % len(_FAMILY)] + _GIVEN[number // len(_FAMILY) % len(_GIVEN)]


def english_name(number: int) -> str:
    return f"{_FIRST[number % len(_FIRST)]} Quillfeather-{number}"

"""The stories behind the letters of a member's page: fresh links, reminders with a draft."""

from __future__ import annotations

from engine.cases.drafts import form_of, keep_draft
from engine.cases.member_links import mail_member_page, reissue_links
from engine.storage.models import Person
from tests.club import LILEI, House
from tests.mailers.golden_reflection import reading
from tests.mailers.golden_steps import Stories, Story, joined, send, then, wait


def draft(workflow: str) -> Story:
    def told(house: House) -> None:
        lilei, form = house.person(LILEI).id, form_of("case", house.case(LILEI, workflow).id)
        house.write(
            lambda session: keep_draft(
                session,
                session.get_one(Person, (house.club_id, lilei)),
                form,
                {"plan": "每天"},
                house.now,
            )
        )

    return told


def asked(house: House) -> None:
    house.add(LILEI, "李雷")
    lilei = house.person(LILEI).id
    house.write(
        lambda session: mail_member_page(
            session, session.get_one(Person, (house.club_id, lilei)), request_id="r", now=house.now
        )
    )


def got_out(house: House) -> None:
    house.add(LILEI, "李雷")
    lilei = house.person(LILEI).id
    house.write(
        lambda session: reissue_links(
            session, session.get_one(Person, (house.club_id, lilei)), house.now
        )
    )


STORIES: Stories = {
    "club.fresh_link": (asked, LILEI),
    "club.new_links": (got_out, LILEI),
    "study_plan.due_soon+draft": (
        then(joined, send, draft("study_plan"), wait(days=2, hours=22)),
        LILEI,
    ),
    "reflection.due_soon+draft": (
        then(reading, draft("reflection"), wait(days=5, hours=11)),
        LILEI,
    ),
}

"""A copy about a person is what the database holds, and nothing that is another's."""

from __future__ import annotations

import csv
import io
import json
from typing import Any

import pytest
from sqlalchemy import select

from engine.reports.export import everything_about, plain
from engine.storage.models import Case, Club, Draft, Letter, Row, WebSession
from engine.text.csv_export import spreadsheet
from tests.club import LILEI, MEIMEI, OWNER, PLAN, House
from tests.engine.test_drafts import keep

pytestmark = pytest.mark.postgres


def export(house: House, who: str) -> dict[str, Any]:
    person = house.person(who)
    with house.read() as session:
        return everything_about(session, session.get_one(Club, house.club_id), person)


def lived(house: House) -> None:
    """Lilei joined, wrote a plan that came back, and keeps a draft; Meimei applied with words of
    her own."""
    house.join()
    house.deliver()
    house.press(LILEI, "submit", workflow="study_plan", answers=PLAN)
    house.press(OWNER, "return", workflow="study_plan", note="请再写细一点。")
    house.deliver()
    keep(
        house, LILEI, f"case:{house.case(LILEI, 'study_plan').id}", goals="读二十本史书。", plan=""
    )
    house.apply(MEIMEI, "form-2", name="韩梅梅", about="只有梅梅知道的事。")
    lilei = house.person(LILEI).id

    def sign_in(session: Any) -> None:
        session.add(
            WebSession(
                person_id=lilei,
                secret_hash="hash-of-a-secret",
                link="a-used-link",
                device="手机",
                started_at=house.now,
                ends_at=house.now,
            )
        )

    house.write(sign_in)


def test_an_export_is_what_the_tables_hold(house: House) -> None:
    lived(house)
    lilei, found = house.person(LILEI), export(house, LILEI)
    assert found["person"] == plain(lilei)
    mine = house.rows(select(Case).where(Case.person_id == lilei.id).order_by(Case.id))
    assert found["cases"] == [plain(case, without={"private"}) for case in mine]
    events = [event for case in mine for event in house.events(case)]
    assert [
        (event["case_id"], event["action"], event["note"], event["answers"])
        for event in found["events"]
    ] == [(event.case_id, event.action, event.note, event.answers) for event in events]
    assert [event["who"] for event in found["events"]] == [
        "me",
        "me",
        "somebody else",
        "somebody else",
        "me",
        "somebody else",
    ]
    letters = house.rows(select(Letter).where(Letter.person_id == lilei.id).order_by(Letter.id))
    assert [(one["name"], one["state"], one["message_id"]) for one in found["letters_to_me"]] == [
        (letter.name, letter.state, letter.message_id) for letter in letters
    ]
    about = house.rows(
        select(Letter)
        .where(Letter.about_id == lilei.id, Letter.person_id != lilei.id)
        .order_by(Letter.id)
    )
    assert [one["name"] for one in found["letters_about_me"]] == [letter.name for letter in about]
    assert found["drafts"] == [plain(draft) for draft in house.rows(select(Draft))]
    assert [one["device"] for one in found["sessions"]] == ["手机"]


def test_an_export_opens_no_door_and_tells_nothing_about_others(house: House) -> None:
    lived(house)
    text = json.dumps(export(house, LILEI), ensure_ascii=False)
    for secret in (
        "hash-of-a-secret",
        "a-used-link",
        OWNER,
        MEIMEI,
        "韩梅梅独名",
        "只有梅梅知道的事",
    ):
        assert secret not in text, secret
    assert "请再写细一点" in text and PLAN["goals"] in text
    of_owner = export(house, OWNER)
    assert [event["action"] for event in of_owner["acts_in_matters_of_others"]] == [
        "approve",
        "open",
        "return",
    ]
    assert "只有梅梅知道的事" not in json.dumps(of_owner, ensure_ascii=False)
    assert PLAN["goals"] not in json.dumps(of_owner, ensure_ascii=False)


def test_every_column_of_a_person_is_in_their_export(house: House) -> None:
    house.add(LILEI)
    assert set(export(house, LILEI)["person"]) == {
        column.key for column in Row.metadata.tables["person"].columns
    }


def test_a_spreadsheet_runs_nothing_that_somebody_wrote() -> None:
    cells = [
        "=1+1",
        "+86",
        "-1",
        "@SUM(A1)",
        "\t=1",
        "\r=1",
        "＝1+1",
        "读史",
        "a,b",
        'say "yes"',
        "two\nlines",
        "",
    ]
    raw = spreadsheet([cells])
    assert raw.startswith(b"\xef\xbb\xbf")
    read = next(csv.reader(io.StringIO(raw.decode("utf-8-sig"), newline="")))
    assert read == [
        "'=1+1",
        "'+86",
        "'-1",
        "'@SUM(A1)",
        "'\t=1",
        "'\r=1",
        "'＝1+1",
        "读史",
        "a,b",
        'say "yes"',
        "two\nlines",
        "",
    ]

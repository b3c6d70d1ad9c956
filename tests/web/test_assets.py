"""Style sheet, script and logo: cached for good, and requested again after a change."""

from __future__ import annotations

from tests.world import World
from web.http.assets import FOLDER, SHEET


def test_the_sheet_is_all_of_its_parts_in_order(world: World) -> None:
    parts = [(FOLDER / "style" / f"{part}.css").read_text() for part in SHEET]
    assert {path.stem for path in (FOLDER / "style").iterdir()} == set(SHEET)
    assert world.browser().get("/static/style.css").response.text == "\n".join(parts)


def test_a_page_asks_under_an_address_that_may_be_kept_for_good(world: World) -> None:
    page = world.browser().get("/jiuniu/")
    addresses = [
        str(tag.get("href") or tag.get("src"))
        for tag in page.soup.select("link[href], script[src], header img")
    ]
    assert sorted(address.partition("?v=")[0] for address in addresses) == [
        "/static/jiuniu.js",
        "/static/seal.svg",
        "/static/seal.svg",
        "/static/style.css",
    ]
    for address in addresses:
        answer = page.browser.get(address).response
        assert (answer.status_code, answer.headers["Cache-Control"]) == (
            200,
            "public, max-age=31536000, immutable",
        )


def test_under_a_plain_or_an_older_address_a_browser_asks_each_time_and_gets_it_only_when_it_changed(
    world: World,
) -> None:
    for address in ("/static/style.css", "/static/style.css?v=0123456789ab"):
        answer = world.browser().get(address).response
        assert answer.headers["Cache-Control"] == "no-cache"
        again = world.browser().session.get(
            answer.url, headers={"If-None-Match": answer.headers["ETag"]}, timeout=60
        )
        assert (again.status_code, again.content) == (304, b"")


def test_nothing_else_lies_there(world: World) -> None:
    for path in ("/static/nothing.css", "/static/style/tokens.css", "/static/..%2fassets.py"):
        assert world.browser().get(path).status == 404

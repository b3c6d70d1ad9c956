"""``make screenshots``: every page of the demo club in both languages.

Light and dark, on a phone and on a desktop. A person walks from page to page by the links that they
see (as a stranger, as a member, as an admin, as the owner) and from the mails; each kind of page is
taken once. Forms are also sent empty, for their errors. The pictures are in ``screenshots/``, with
an index of what axe says, the pages' sizes and whether they fit the screen.
"""

from __future__ import annotations

import argparse
import html
import tempfile
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urljoin, urlsplit

from axe_playwright_python.sync_playwright import Axe
from flask import Flask
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright
from werkzeug.exceptions import HTTPException

from app import create_app
from engine.settings import load
from engine.storage.models import Case
from mailers.dev_mailbox import DevMailbox, free_port, open_mail, stored_mails
from tests.browser.chromium import CHROMIUM, FLAGS
from web.app import demo
from web.app.background import Ticker
from web.app.server import listen
from web.app.services import Services

OUT = Path(__file__).resolve().parents[2] / "screenshots"
PEOPLE = {
    "member": "hanmeimei@example.com",
    "admin": "zhoumin@example.com",
    "owner": "owner@example.com",
}
SIZES = {"phone": (390, 844), "desktop": (1200, 900)}
MOST_BYTES = 40_000
# A form that refuses to be empty; the words beside a decision may be.
FILLED = "form[method=post]:has(textarea:not([name=note], [readonly]), input[name=email])"
RULES = ["wcag2a", "wcag2aa", "wcag21aa", "wcag22aa", "best-practice"]
LAYOUT_SHIFT = """() => new Promise(done => {
  let sum = 0;
  new PerformanceObserver(list => list.getEntries().forEach(entry => { sum += entry.value; })).observe({type: "layout-shift", buffered: true});
  setTimeout(() => done(sum), 50);
})"""
WIDTH = """size => {
  document.documentElement.style.fontSize = size;
  const found = [document.documentElement.scrollWidth, window.innerWidth];
  document.documentElement.style.fontSize = "";
  return found;
}"""


@dataclass
class Site:
    app: Flask
    service: Services
    base: str

    def kind_of(self, url: str) -> str | None:
        """What a page is called: of all pages that one route shows only one is taken, of cases one
        per state."""
        parts = urlsplit(url)
        if not url.startswith(self.base) or "lang=" in parts.query:
            return None
        try:
            endpoint, values = self.app.url_map.bind("localhost").match(parts.path, method="GET")
        except HTTPException:
            return None
        if endpoint in ("assets.asset_file", "member.calendar", "mailbox.mail_html"):
            return None
        if endpoint == "mailbox.mail_page":
            return f"mail {self._letter(values['mail_id'])}"
        if "token" in values:
            return self._of_token(endpoint, values["token"])
        return " ".join(
            [
                endpoint,
                *(
                    str(value)
                    for name, value in values.items()
                    if name not in ("slug", "person_id", "letter_id")
                ),
            ]
        )

    def _letter(self, mail_id: str) -> str:
        mail = open_mail(self.service.mailbox, mail_id)
        return str(mail["X-Jiuniu-Letter"]) if mail else "?"

    def _of_token(self, endpoint: str, token: str) -> str:
        link = self.service.links.read(token)
        if link.kind not in ("case", "proof"):
            return f"{endpoint} {link.kind} {link.target if link.kind == 'form' else ''}".strip()
        with self.service.db.read(link.club_id) as session:
            case = session.get_one(Case, (link.club_id, link.target))
            whose = "own" if case.person_id == link.person_id else "another's"
            return f"{endpoint} {case.workflow} {case.state} {whose}"


@dataclass
class Taken:
    """One page as it was found: ``problems`` is what axe says, a page too wide, a page too heavy."""

    name: str
    url: str
    who: str
    sends: bool = False
    problems: dict[str, list[str]] = field(default_factory=dict)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--quick", action="store_true", help="one picture per page: a phone, light, in Chinese"
    )
    quick = parser.parse_args().quick
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        assert CHROMIUM, "no Chromium here: install the package chromium"
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        for site in _sites(Path(folder)):
            pages = [page for who in ("nobody", *PEOPLE) for page in _walk(site, browser, who)]
            looks = [("zh-CN", "light", "phone")] if quick else _looks()
            for look in looks:
                _take(site, browser, pages, *look)
        browser.close()
    (OUT / "index.html").write_text(_index(pages, looks))
    found = [
        f"{page.who} · {page.name} · {look}: {problem}"
        for page in pages
        for look, all_ in page.problems.items()
        for problem in all_
    ]
    print(
        f"{len(pages)} pages, {len(pages) * len(looks)} pictures in {OUT.name}/, {len(found)} problems",
        *found,
        sep="\n",
    )


def _looks() -> list[tuple[str, str, str]]:
    return [
        (language, scheme, size)
        for language in ("zh-CN", "en")
        for scheme in ("light", "dark")
        for size in SIZES
    ]


def _sites(folder: Path) -> Iterator[Site]:
    """The service with the demo club, as ``make run DEMO=1`` starts it."""
    port = free_port()
    settings = load(
        {
            "JIUNIU_DATA_DIR": str(folder / "data"),
            "JIUNIU_PORT": str(port),
            "JIUNIU_RATE_LIMITS": "off",
        }
    )
    app = create_app(settings)
    service: Services = app.extensions["jiuniu"]
    catcher = DevMailbox(service.mailbox)
    service.built_in = catcher.start()
    server = listen(app, settings)
    threading.Thread(target=server.run, daemon=True).start()
    with app.app_context():
        demo.begin(service)
    yield Site(app, service, f"http://127.0.0.1:{port}/")
    server.close()
    catcher.stop()


def _context(
    site: Site, browser: Browser, who: str, language: str, scheme: str, size: str
) -> BrowserContext:
    width, height = SIZES[size]
    context = browser.new_context(
        viewport={"width": width, "height": height}, locale=language, color_scheme=scheme
    )  # type: ignore[arg-type]
    context.add_cookies([{"name": "lang", "value": language, "url": site.base}])
    if who in PEOPLE:
        _sign_in(site, context, PEOPLE[who])
    return context


def _sign_in(site: Site, context: BrowserContext, address: str) -> None:
    page = context.new_page()
    page.goto(f"{site.base}demo/desk")
    page.fill('[name="email"]', address)
    with page.expect_navigation():
        page.click("form[method=post] button")
    Ticker(site.service).once()
    mail = next(
        item
        for item in stored_mails(site.service.mailbox, address)
        if item.letter == "club.sign_in"
    )
    message = open_mail(site.service.mailbox, mail.id)
    assert message is not None
    text: Any = message.get_body(("plain",))
    page.goto(next(word for word in text.get_content().split() if "/c/" in word))
    with page.expect_navigation():
        page.click('button[value="confirm"]')
    page.close()


def _walk(site: Site, browser: Browser, who: str) -> list[Taken]:
    """Every kind of page that this person comes to, the nearest first."""
    context = _context(site, browser, who, "zh-CN", "light", "phone")
    page = context.new_page()
    starts = (
        [site.base, f"{site.base}demo/me"]
        if who != "nobody"
        else [site.base, f"{site.base}mailbox", f"{site.base}setup"]
    )
    starts += [f"{site.base}demo/desk"] if who in ("admin", "owner") else []
    waiting, seen, found = [(url, 0) for url in starts], {}, []  # type: ignore[var-annotated]
    while waiting and len(found) < 150:
        url, depth = waiting.pop(0)
        kind = site.kind_of(url)
        if kind is None or kind in seen:
            continue
        seen[kind] = url
        page.goto(url)
        found.append(Taken(kind, url, who))
        if page.query_selector(f"{FILLED} .button-main"):
            found.append(Taken(f"{kind} sent empty", url, who, sends=True))
        of_a_mail = kind.startswith("mail ")
        if depth < 4 and (who == "nobody" or not of_a_mail):
            links = page.eval_on_selector_all("a[href]", "items => items.map(item => item.href)")
            waiting += [(urljoin(url, link).partition("#")[0], depth + 1) for link in links]
    context.close()
    return found


def _take(
    site: Site, browser: Browser, pages: list[Taken], language: str, scheme: str, size: str
) -> None:
    look = f"{language} {scheme} {size}"
    for who in dict.fromkeys(page.who for page in pages):
        context = _context(site, browser, who, language, scheme, size)
        tab = context.new_page()
        for taken in (page for page in pages if page.who == who):
            taken.problems[look] = list(_look_at(tab, taken, language))
            path = _picture(taken, look)
            path.parent.mkdir(parents=True, exist_ok=True)
            tab.screenshot(path=path, full_page=True)
        context.close()


def _look_at(tab: Page, taken: Taken, language: str) -> Iterator[str]:
    # A person's own language goes before the browser's; the switch on the page goes before both.
    answer = tab.goto(f"{taken.url}{'&' if '?' in taken.url else '?'}lang={language}")
    assert answer is not None
    size = len(answer.body())
    if taken.sends:
        tab.evaluate("document.querySelectorAll('form').forEach(form => form.noValidate = true)")
        tab.evaluate("document.querySelectorAll('details').forEach(fold => fold.open = true)")
        with tab.expect_navigation():
            tab.click(f"{FILLED} .button-main")
    elif answer.status >= 400:
        yield f"status {answer.status}"
    if size > MOST_BYTES:
        yield f"{size} bytes"
    if shift := tab.evaluate(LAYOUT_SHIFT):
        yield f"layout shift {shift:.3f}"
    for text, wide in (("100%", "at its size"), ("200%", "with text twice as large")):
        width, room = tab.evaluate(WIDTH, text)
        if width > room:
            yield f"{width} px wide {wide}"
    results = Axe().run(tab, options={"runOnly": RULES})
    yield from (f"{found['id']}: {found['help']}" for found in results.response["violations"])


def _picture(taken: Taken, look: str) -> Path:
    return (
        OUT
        / look.replace(" ", "-")
        / f"{taken.who} {taken.name}.png".replace("/", "_").replace("'", "").replace(" ", "-")
    )


def _index(pages: list[Taken], looks: list[tuple[str, str, str]]) -> str:
    """All pictures of a page beside one another."""
    rows = []
    for taken in pages:
        pictures = "".join(
            f'<figure><a href="{_picture(taken, look).relative_to(OUT)}"><img loading="lazy" width="200"'
            f' src="{_picture(taken, look).relative_to(OUT)}" alt=""></a><figcaption>{look} {html.escape("; ".join(taken.problems.get(look, [])))}</figcaption></figure>'
            for look in (" ".join(parts) for parts in looks)
        )
        rows.append(f"<h2>{taken.who}: {html.escape(taken.name)}</h2><div>{pictures}</div>")
    style = "div{display:flex;gap:1rem;flex-wrap:wrap;align-items:start}figure{margin:0;width:200px;font:12px sans-serif}"
    return f"<!doctype html><meta charset=utf-8><title>Screenshots</title><style>{style}</style>{''.join(rows)}"


if __name__ == "__main__":
    main()

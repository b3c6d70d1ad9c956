"""The web without a browser's pictures: pages with their forms, and who holds them."""

from __future__ import annotations

from functools import cached_property
from typing import Any
from urllib.parse import urljoin, urlsplit

import requests
from bs4 import BeautifulSoup, Tag
from itsdangerous import URLSafeTimedSerializer


class Page:
    """A page as a browser holds it: what it says, and its forms."""

    def __init__(self, browser: Browser, response: requests.Response) -> None:
        self.browser, self.response = browser, response

    @cached_property
    def soup(self) -> BeautifulSoup:
        return BeautifulSoup(self.response.text, "html.parser")

    @property
    def status(self) -> int:
        return self.response.status_code

    @property
    def text(self) -> str:
        main = self.soup.find("main") or self.soup
        return " ".join(main.get_text(" ", strip=True).split())

    @property
    def actions(self) -> list[str]:
        return [str(button["value"]) for button in self.soup.select('button[name="action"]')]

    def value(self, name: str) -> str:
        found = self.soup.select_one(f'[name="{name}"]')
        assert found is not None, f"no field {name} on {self.response.url}"
        return (
            found.text.removeprefix("\r").removeprefix("\n")
            if found.name == "textarea"
            else str(found.get("value", ""))
        )

    def form_with(self, action: str | None = None) -> Tag:
        for form in self.soup.select('form[method="post"]'):
            if action is None or form.select_one(f'button[name="action"][value="{action}"]'):
                return form
        raise AssertionError(
            f"no form offers {action!r} on {self.response.url}: {self.actions} {self.text[:300]}"
        )

    def fields(self, action: str | None = None) -> dict[str, str]:
        """What a browser would send with this form untouched."""
        found: dict[str, str] = {}
        for item in self.form_with(action).select("input[name], textarea[name], select[name]"):
            if item.get("type") in ("checkbox", "radio") and not item.has_attr("checked"):
                continue
            if item.name == "select":
                chosen = item.select_one("option[selected]") or item.select_one("option")
                found[str(item["name"])] = str(chosen["value"]) if chosen else ""
                continue
            found[str(item["name"])] = (
                item.text.removeprefix("\r").removeprefix("\n")
                if item.name == "textarea"
                else str(item.get("value", ""))
            )
        return found

    def forge(self, button: str, **typed: str) -> Page:
        """Send what the page does not offer: its first form with a button of one's own."""
        form = self.form_with()
        return self.browser.post(
            urljoin(self.response.url, str(form.get("action") or "")),
            self.fields() | {"action": button} | typed,
        )

    def press(self, action: str | None = None, *, once_more: bool = True, **typed: str) -> Page:
        """Fill in and press; follows the redirect, and presses again if the page asks to."""
        form, data = self.form_with(action), self.fields(action) | typed
        if action:
            data["action"] = action
        answer = self.browser.post(
            urljoin(self.response.url, str(form.get("action") or self.response.url)), data
        )
        again = answer.soup.select_one("form.once-more")
        return (
            answer.press(str(again.select_one("button")["value"]))
            if again and once_more
            else answer
        )


class Browser:
    """Somebody's browser, cookies and all."""

    def __init__(self, base: str, language: str = "zh-CN") -> None:
        self.base = base
        self.session = requests.Session()
        self.session.headers["Accept-Language"] = language

    def get(self, path: str) -> Page:
        return Page(self, self.session.get(urljoin(self.base, path), timeout=20))

    def post(self, path: str, data: dict[str, str], **kwargs: Any) -> Page:
        return Page(
            self, self.session.post(urljoin(self.base, path), data=data, timeout=20, **kwargs)
        )


def aged(serializer: URLSafeTimedSerializer, stamp: str) -> str:
    """Return the stamp of the same form, opened a minute ago: tests do not sit and wait for the two
    seconds to pass."""
    signer = serializer.make_signer(serializer.salt)
    opened = signer.get_timestamp() - 60
    signer.get_timestamp = lambda: opened  # type: ignore[method-assign]
    return signer.sign(serializer.dump_payload(serializer.loads(stamp))).decode()


def path_of(url: str) -> str:
    return urlsplit(url).path

"""The steps of a set-up: club and owner, first numbers, mail account.

Each saves its answers; nothing is created yet.
"""

from __future__ import annotations

from typing import Any

from flask import abort, g, redirect, render_template, request, session, url_for
from werkzeug.wrappers import Response

from engine.charter.model import shipped_charter
from engine.settings import MailServer
from engine.setup.first_club import real_club, save_answers, saved_answers
from mailers.account.providers import preset_of
from web.app.services import services
from web.forms import mail_form
from web.forms.club_form import FIRST_NUMBERS, ClubForm, filled
from web.http.auth import redirect_to_sign_in
from web.labels import charter_labels
from web.setup.door import KNEW, Page, setup


def answers_here() -> dict[str, Any]:
    """Return the saved answers; redirect to the entry without the code or with a club."""
    with services().db.read() as database:
        if real_club(database) is not None:
            abort(redirect(url_for("setup.door_page"), 303))
        if KNEW not in session:
            redirect_to_sign_in(url_for("setup.door_page"))
        return saved_answers(database)


def _keep(step: str, said: dict[str, Any], then: str) -> Response:
    services().db.write(save_answers, step, said, services().clock.now())
    return redirect(url_for(then), 303)


@setup.get("/setup/club")
def club_step() -> Page:
    said = answers_here()
    return page("club", said, form=ClubForm(data=filled(said.get("club", {}), g.language)))


@setup.post("/setup/club")
def save_club_step() -> Page:
    said, form = answers_here(), ClubForm(request.form)
    if not form.validate():
        return page("club", said, form=form), 422
    return _keep("club", form.said(), "setup.rules_step")


@setup.get("/setup/rules")
def rules_step() -> Page:
    said = answers_here()
    plain = numbers_of(said)
    typed: dict[str, str] = {}
    for key in FIRST_NUMBERS:
        typed |= charter_labels.typed_of(key, plain[key])
    return _rules_page(said, typed, {})


@setup.post("/setup/rules")
def save_rules_step() -> Page:
    said = answers_here()
    errors = {}
    plain = {}
    for key in FIRST_NUMBERS:
        try:
            plain[key] = charter_labels.read_number(key, request.form)
        except ValueError:
            errors[key] = charter_labels.takes(key, g.language)
    if errors:
        return _rules_page(said, request.form, errors), 422
    return _keep("rules", plain, "setup.mail_step")


def _rules_page(said: dict[str, Any], typed: Any, errors: dict[str, str]) -> str:
    plain = numbers_of(said)
    does = {key: charter_labels.explained(key, plain[key], g.language) for key in FIRST_NUMBERS}
    words = [charter_labels.known_numbers()[key] for key in FIRST_NUMBERS]
    return page(
        "rules", said, numbers=charter_labels, words=words, does=does, typed=typed, errors=errors
    )


def numbers_of(said: dict[str, Any]) -> dict[str, Any]:
    """Return the plain numbers: the saved ones over those shipped."""
    return {**shipped(said)["numbers"], **said.get("rules", {})}


def shipped(said: dict[str, Any]) -> dict[str, Any]:
    return shipped_charter(said.get("club", {}).get("locale", g.language)).plain()


def page(step: str, said: dict[str, Any], **given: Any) -> str:
    return render_template(f"pages/setup/{step}.html", said=said, **given)


# The mail account


@setup.get("/setup/mail")
def mail_step() -> Page:
    said = _with_club(answers_here())
    return _mail_page(said, *_mail_form_of(said))


@setup.post("/setup/mail")
def save_mail_step() -> Page:
    """Test the account with one mail, save it, or skip it."""
    said = _with_club(answers_here())
    way = services().outgoing()
    action = request.form.get("action")
    if action == "later" or (way.origin == "environment" and action == "next"):
        return _keep("mail", {"later": action == "later"}, "setup.check_page")
    if way.origin == "environment" and way.server is not None:
        return _test(said, "", None, way.server, way.sender)
    provider, form = _mail_typed()
    server = mail_form.read(provider, form) if form is not None else None
    if form is None or server is None:
        return _mail_page(said, provider, form), 422
    if action == "test":
        return _test(said, provider, form, server, form.data["address"])
    return _keep("mail", _to_keep(provider, form.data["address"], server), "setup.check_page")


def _with_club(said: dict[str, Any]) -> dict[str, Any]:
    """Redirect to the owner's step if it was not answered: the test mail goes to the owner."""
    if "club" not in said:
        abort(redirect(url_for("setup.club_step"), 303))
    return said


def _test(said: dict[str, Any], provider: str, form: Any, server: MailServer, sender: str) -> Page:
    tried = mail_form.send_test_mail(
        server, sender=sender, to=said["club"]["owner_email"], club=said["club"]["name"]
    )
    if tried is None:
        return _mail_page(said, provider, form, message=mail_form.ENOUGH), 429
    return _mail_page(said, provider, form, tried=tried), 200 if tried.outcome == "sent" else 422


def _mail_typed() -> tuple[str, Any]:
    provider = mail_form.current_provider()
    return provider, mail_form.form_for(provider, request.form) if provider else None


def _mail_form_of(said: dict[str, Any]) -> tuple[str, Any]:
    """Fill the form from the saved answers, or from the owner's address."""
    kept, address = said.get("mail", {}), said.get("club", {}).get("owner_email", "")
    provider = mail_form.current_provider(kept.get("provider", ""), preset_of(address))
    if not provider:
        return "", None
    before = kept if kept.get("provider") == provider else {}
    suggested = address if preset_of(address) in ("", provider) else ""
    return provider, mail_form.form_for(
        provider, None, data={"address": suggested, "port": "465", **before}
    )


def _mail_page(
    said: dict[str, Any],
    provider: str,
    form: Any,
    *,
    tried: mail_form.Tried | None = None,
    message: str = "",
) -> str:
    given = {
        "provider": provider,
        "form": form,
        "tried": tried,
        "message": message,
        "way": services().outgoing(),
    }
    return page("mail", said, local=services().settings.built_in_mailbox, **given)


def _to_keep(provider: str, address: str, server: MailServer) -> dict[str, str]:
    return {
        "provider": provider,
        "address": address,
        "security": server.security,
        "host": server.host,
        "port": str(server.port),
        "user": server.user,
        "kept": mail_form.save_account(server),
    }


def account_of(said: dict[str, Any]) -> tuple[MailServer, str] | None:
    """Return the saved account with its sender, None if it was skipped.

    Raises: CannotDecrypt.
    """
    kept = said.get("mail", {})
    if not kept.get("provider"):
        return None
    server = MailServer(kept["security"], kept["host"], int(kept["port"]), kept["user"])
    return (mail_form.unlocked(kept["kept"], server) if kept["kept"] else server), kept["address"]

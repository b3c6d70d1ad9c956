"""``flask doctor``: check whether this installation is fit to run a club."""

from __future__ import annotations

import json
import ssl
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import asdict
from http.client import HTTPException
from urllib.parse import urlsplit

import click
from flask.cli import with_appcontext

from engine.operations import installation_checks
from engine.operations.installation_checks import Finding
from engine.settings import Settings, is_loopback
from mailers.account import dns_check as mail_checkup
from web.app.health import current_health
from web.app.services import Services, services
from web.commands.options import as_json

ANSWER_SECONDS = 5.0
UNREADABLE = Finding(
    "mail server",
    "wrong",
    "no key of this installation opens the password of the mail account: letters wait",
    (
        "type it again on the desk under Mail account, or name the old key in "
        "JIUNIU_SECRET_KEY_FALLBACKS"
    ),
)


@click.command()
@as_json
@with_appcontext
def doctor(as_json: bool) -> None:
    """Look at mail, addresses, clock, database, worker and disk. Sends nothing. Status 1 when
    something is wrong."""
    findings = list(examine(services()))
    if as_json:
        click.echo(
            json.dumps([asdict(finding) for finding in findings], ensure_ascii=False, indent=1)
        )
    else:
        for finding in findings:
            mend = f" → {finding.do}" if finding.do else ""
            click.echo(f"{finding.verdict:<12}{finding.check:<12}{finding.says}{mend}")
    if any(finding.verdict == "wrong" for finding in findings):
        raise click.exceptions.Exit(1)


def examine(here: Services) -> Iterator[Finding]:
    now, way = here.clock.now(), here.outgoing()
    settings = way.into(here.settings)
    if way.origin == "unreadable":
        yield UNREADABLE
    else:
        yield from mail_checkup.mail_server(settings)
    yield mail_checkup.sender(settings)
    yield from mail_checkup.dns_records(settings)
    yield base_url(settings)
    yield answers(settings)
    databases = list(installation_checks.database(here.db))
    yield from databases
    if not any(finding.verdict == "wrong" for finding in databases):
        with here.db.read() as session:
            found = current_health(here, session, grace=False)
            yield installation_checks.clock(
                settings.clock_file or settings.data_dir / "clock",
                installation_checks.has_real_club(session),
            )
            yield installation_checks.worker(found)
            yield from installation_checks.clock_skew(found)
            yield from installation_checks.letters(session, now)
            yield from installation_checks.rows(session)
    yield installation_checks.secret_key(settings)
    yield from installation_checks.data_folder(settings.data_dir)


def base_url(settings: Settings) -> Finding:
    host = urlsplit(settings.base_url).hostname or ""
    if settings.is_unsafe:
        return Finding(
            "base url",
            "warning",
            f"{settings.base_url}: what people type crosses the network in clear",
            "put https before it",
        )
    if (
        is_loopback(host)
        and settings.mail_server is not None
        and not is_loopback(settings.mail_server.host)
    ):
        do = "set JIUNIU_BASE_URL to the address that members open"
        return Finding(
            "base url",
            "wrong",
            f"{settings.base_url}: links in mails open only on this machine",
            do,
        )
    return Finding("base url", "ok", settings.base_url)


def answers(settings: Settings) -> Finding:
    """True if this very service answers at its base URL.

    Asked directly, not by way of a proxy for outgoing requests.
    """
    address = f"{settings.base_url}/healthz"
    direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with direct.open(address, timeout=ANSWER_SECONDS) as response:
            said = json.loads(response.read(10_000))
    except urllib.error.HTTPError as trouble:
        return Finding(
            "reachable",
            "wrong",
            f"{address} answers {trouble.code}",
            "does the proxy lead to this service?",
        )
    except ValueError:
        return Finding(
            "reachable",
            "wrong",
            f"something else than Jiuniu answers at {address}",
            "look at JIUNIU_BASE_URL and the proxy",
        )
    except (OSError, HTTPException) as trouble:
        reason = getattr(trouble, "reason", trouble)
        if isinstance(reason, ssl.SSLError):
            return Finding(
                "reachable", "wrong", f"{address}: {reason}", "give the proxy a valid certificate"
            )
        return Finding(
            "reachable",
            "warning",
            f"nobody answers at {address} from here ({reason})",
            "is the server running?",
        )
    if said != {"status": "ok"}:
        return Finding(
            "reachable",
            "wrong",
            f"something else than Jiuniu answers at {address}",
            "look at JIUNIU_BASE_URL and the proxy",
        )
    return Finding("reachable", "ok", address)

"""``flask mail-account`` and ``flask setup-code``: the installation's own commands."""

from __future__ import annotations

import click
from flask.cli import with_appcontext

from engine.operations.mail_account import clear_account, save_account
from engine.settings import SettingsError, read_mail_account
from engine.setup.first_club import setup_code as code_of
from web.app.services import services


@click.command("setup-code")
@with_appcontext
def setup_code() -> None:
    """Print the code that founds a club and changes the mail account on a page."""
    click.echo(code_of(services().settings.secret_keys))


@click.group("mail-account")
def mail_account() -> None:
    """Show, set or clear the mail account that every club's letters leave by."""


@mail_account.command("show")
@with_appcontext
def show_account() -> None:
    """Where it comes from, its server and its sender; never its password."""
    way = services().outgoing()
    server = f"{way.server.host}:{way.server.port}" if way.server else "-"
    click.echo(f"{way.origin}  {server}  {way.sender}")


@mail_account.command("set")
@click.option(
    "--url",
    prompt="SMTP account (smtps://user:password@host:465)",
    hide_input=True,
    help="Asked for where it is left out, so that no password stays in the shell's history.",
)
@click.option("--from", "sender", required=True, help="The sender's address.")
@with_appcontext
def set_account(url: str, sender: str) -> None:
    """Send by this account from now on; JIUNIU_SMTP_URL goes before it."""
    here = services()
    try:
        server, address = read_mail_account(url, sender)
    except SettingsError as wrong:
        raise click.UsageError(str(wrong)) from None
    here.db.write(save_account, here.encryption, server, sender=address, now=here.clock.now())
    click.echo(f"letters leave from {address} through {server.host}")


@mail_account.command("clear")
@with_appcontext
def clear() -> None:
    """Forget the account that was set; letters wait until there is another one."""
    services().db.write(clear_account)

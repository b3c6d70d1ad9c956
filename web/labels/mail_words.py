"""The pages' words about a mail account: each provider's needs, and replies explained."""

from __future__ import annotations

from dataclasses import dataclass

from engine.settings import MailServer
from engine.storage.heartbeats import ChannelTrouble
from engine.text.i18n import marked as _
from mailers.account.providers import GMAIL, NETEASE, OUTLOOK, OWN, QQ
from mailers.account.smtp_test import Outcome, diagnose
from mailers.smtp.reply import heard


@dataclass(frozen=True)
class Provider:
    """The words of a provider.

    ``secret``: its name of an app password; ``where``: how to get one.
    """

    name: str
    secret: str
    where: str


CODE = _("Authorization code")
APP_PASSWORD = _("App password")
PASSWORD = _("Password")

PROVIDERS = {
    QQ: Provider(
        _("QQ Mail"),
        CODE,
        _(
            "Not the QQ password. In QQ Mail on the web: Settings, Account and security, "
            "Security settings; switch on the "
            "POP3/IMAP/SMTP service and let it make an authorization code."
        ),
    ),
    NETEASE: Provider(
        _("163 / 126 Mail"),
        CODE,
        _(
            "Not the login password. In the mailbox on the web: Settings, POP3/SMTP/IMAP; "
            "switch on IMAP/SMTP, confirm by "
            "text message, and copy the authorization code: it is shown only once."
        ),
    ),
    GMAIL: Provider(
        _("Gmail"),
        APP_PASSWORD,
        _(
            "Not the Google password. Switch on 2-Step Verification in the Google account, "
            "then make an app password there: "
            "16 letters."
        ),
    ),
    OUTLOOK: Provider(
        _("Outlook"),
        PASSWORD,
        _(
            "Personal Outlook and Hotmail mailboxes no longer let other programs in by "
            "password. A Microsoft 365 mailbox works once "
            "its administrator has allowed SMTP AUTH. Otherwise take another mailbox."
        ),
    ),
    OWN: Provider(
        _("Another server"),
        PASSWORD,
        _(
            "What your mail provider names as outgoing mail or SMTP. No login needed? "
            "Leave it empty."
        ),
    ),
}

SECURITY = {
    "smtps": _("Encrypted from the start (usually port 465)"),
    "smtp+starttls": _("STARTTLS (usually port 587)"),
    "smtp": _("STARTTLS if offered (port 25)"),
}


@dataclass(frozen=True)
class Advice:
    """What happened, and what to do now."""

    says: str
    do: str


SENDER_IS_NOT_LOGIN = _(
    "The address that writes must be the very address that logs in. Take the address of "
    "this mailbox."
)

ADVICE: dict[Outcome, Advice] = {
    "sent": Advice(
        _("The server took the test mail"),
        _("Have a look into your mailbox, and into the junk mail too."),
    ),
    "code": Advice(
        _("The server does not accept the login"),
        _(
            "QQ and 163 want the authorization code here, not the password with which you "
            "log in; Gmail wants an app password. "
            "A new password there ends all codes: then make a new one. Is the address "
            "right, and is SMTP switched on?"
        ),
    ),
    "tries": Advice(
        _("The server is tired of tries"),
        _(
            "There were too many logins in a short time. Wait a quarter of an hour, then "
            "try once more with a fresh code."
        ),
    ),
    "sender": Advice(_("The server refuses this sender"), SENDER_IS_NOT_LOGIN),
    "recipient": Advice(
        _("The server does not take mail to your address"),
        _("The login is fine, but the test mail to %(to)s was refused. Is this address right?"),
    ),
    "no_login": Advice(
        _("This server offers no login here"),
        _(
            "It does so on another port, or only with encryption. Try port 465 encrypted "
            "from the start, or port 587 with STARTTLS."
        ),
    ),
    "no_password": Advice(
        _("This mailbox lets no program in by password"),
        _(
            "Its provider wants a sign-in that only a browser can do; Outlook does so. Ask "
            "whoever administers the mailbox to allow "
            "SMTP with a password, or take another mailbox, such as one of QQ or 163."
        ),
    ),
    "login_wanted": Advice(
        _("The server wants a login"),
        _(
            "Without one it passes no mail on. Type the login and the password that your "
            "mail provider gave you."
        ),
    ),
    "host": Advice(
        _("There is no server of this name"),
        _(
            "Look at the spelling: %(host)s. If it is right, this machine finds no names "
            "at all: look at its network."
        ),
    ),
    "refused": Advice(
        _("Nobody answers at this port"),
        _(
            "%(host)s is there, but nobody takes mail at port %(port)s. Usual are 465 "
            "(encrypted from the start) and "
            "587 (STARTTLS)."
        ),
    ),
    "silent": Advice(
        _("No answer came"),
        _(
            "Something on the way blocks port %(port)s, or the host is wrong. Many hosting "
            "companies block port 25: take 465 or 587, "
            "or ask yours to open it."
        ),
    ),
    "slow": Advice(
        _("The server is very slow"),
        _(
            "It speaks, but was not done in time. The account may well be right: a test "
            "waits for twenty seconds, letters for "
            "minutes. Look into your mailbox first, the test mail may still come."
        ),
    ),
    "mismatch": Advice(
        _("Port and encryption do not fit"),
        _(
            "At port %(port)s the two did not understand each other. 465 goes with "
            "“encrypted from the start”, "
            "587 and 25 with STARTTLS."
        ),
    ),
    "no_tls": Advice(
        _("The server offers no encryption here"),
        _(
            "Your password would cross the network in clear, so nothing was sent. Try port "
            "465, encrypted from the start."
        ),
    ),
    "certificate": Advice(
        _("The server's certificate is not valid"),
        _(
            "It may be another server than it says, so nothing was sent. Take the exact "
            "name of the host that your provider gives; "
            "on a server of your own, renew the certificate."
        ),
    ),
    "too_fast": Advice(
        _("The server wants a rest"),
        _("It takes no more mail from this account for the moment. Try again in an hour."),
    ),
    "used_up": Advice(
        _("This mailbox has sent all it may today"),
        _(
            "Providers allow so many mails a day, and a new mailbox fewer. There is "
            "nothing to mend: the club's letters wait "
            "and leave by themselves as soon as they may."
        ),
    ),
    "greylisted": Advice(
        _("The login works, and the recipient's server asks for a second visit"),
        _(
            "This is greylisting: a server that does not know a new sender turns the first "
            "mail away and takes the next one some "
            "minutes later. Save the account: the club's letters are tried again by themselves."
        ),
    ),
    "date": Advice(
        _("The server does not accept the date of the mail"),
        _(
            "It finds the mail too old, or from the future. Compare the clock of the "
            "machine that runs the club with a right one."
        ),
    ),
    "ours": Advice(
        _("This is a fault on our side, not the mail server's"),
        _(
            "The program or its machine failed before the server could answer. If the "
            "words below speak of login or password, look "
            "there; else pass them on to whoever runs the server."
        ),
    ),
    "later": Advice(
        _("The login works, and the mail is to come later"),
        _(
            "Many servers turn a new sender away at first. Save the account: the club's "
            "letters are tried again by themselves."
        ),
    ),
    "content": Advice(
        _("The server takes the login, but not the mail"),
        _(
            "It took the test mail for spam. Its own words below say more; a mailbox that "
            "is quite new often has to wait for a day."
        ),
    ),
    "other": Advice(
        _("The test mail did not leave"),
        _("The words below are the server's own. Try again in a minute."),
    ),
}

# Replies to every letter alike, which mean the account or its server.
OF_THE_ACCOUNT: tuple[Outcome, ...] = (
    "code",
    "tries",
    "sender",
    "no_login",
    "no_password",
    "login_wanted",
    "host",
    "refused",
    "silent",
    "mismatch",
    "no_tls",
    "certificate",
    "used_up",
    "date",
    "ours",
)


def advice_on(trouble: ChannelTrouble | None, server: MailServer | None) -> Advice | None:
    """Return what to do about a channel in trouble, None if only its own words help."""
    answer = heard(trouble.answer) if trouble else None
    outcome = diagnose(server, answer) if server and answer else "other"
    return ADVICE[outcome] if outcome in OF_THE_ACCOUNT else None


TEST_SUBJECT = _("The club's mail works")
TEST_TEXT = _(
    "This test mail was sent from the page where the mail account is set. It arrived, so "
    "the club's letters will, too. "
    "There is nothing to do."
)

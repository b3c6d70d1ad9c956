"""The commands of ``flask --app app``.

May import: http, labels, app.
"""

from __future__ import annotations

import io
import locale
import sys

from flask import Flask

from engine.settings import SettingsError
from web.commands.backup import backup, restore
from web.commands.clock import due, tick, worker
from web.commands.club import club
from web.commands.database import db
from web.commands.doctor import doctor
from web.commands.erase import erase
from web.commands.letters import letters
from web.commands.mail_account import mail_account, setup_code
from web.commands.members import members

_ASCII = ("ascii", "us-ascii", "ansi_x3.4-1968")


def init(app: Flask) -> None:
    """Register the commands, and set the encoding of the streams.

    Raises: SettingsError if typed words were damaged by the terminal's encoding.
    """
    for stream in (sys.stdout, sys.stderr):
        if (
            isinstance(stream, io.TextIOWrapper)
            and stream.encoding.lower().replace("-", "") != "utf8"
        ):
            stream.reconfigure(encoding=None if stream.isatty() else "utf-8", errors="replace")
    if locale.getpreferredencoding(False).lower() in _ASCII and not "".join(sys.argv[1:]).isascii():
        raise SettingsError(
            "PYTHONUTF8: set it to 1, or LANG to C.UTF-8; in this terminal's encoding only "
            "English letters arrive"
        )
    for command in (
        club,
        members,
        letters,
        db,
        worker,
        tick,
        due,
        backup,
        restore,
        erase,
        doctor,
        mail_account,
        setup_code,
    ):
        app.cli.add_command(command)

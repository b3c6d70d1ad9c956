"""The commands of ``flask --app app``."""

from __future__ import annotations

from flask import Flask

from web.commands.backup import backup, restore
from web.commands.clock import due, tick, worker
from web.commands.club import club
from web.commands.database import db
from web.commands.doctor import doctor
from web.commands.erase import erase
from web.commands.letters import letters
from web.commands.members import members


def init(app: Flask) -> None:
    for command in (club, members, letters, db, worker, tick, due, backup, restore, erase, doctor):
        app.cli.add_command(command)

"""The desk of owner and admins, page by page; behind a mailed sign-in link."""

from flask import Flask

from web import numbers
from web.desk.ahead import ahead
from web.desk.club import club
from web.desk.figures import figures
from web.desk.for_them import for_them
from web.desk.group import group
from web.desk.history import history
from web.desk.late import late
from web.desk.letters import letters
from web.desk.mail import mail_account
from web.desk.naming import naming
from web.desk.office import menu
from web.desk.offices import offices
from web.desk.overview import desk
from web.desk.people import people
from web.desk.roster import roster
from web.desk.settings import settings
from web.desk.waiting import waiting

PAGES = (
    desk, waiting, late, people, for_them, letters, offices, roster, ahead, figures, group, naming, settings, mail_account,
    history, club,
)  # fmt: skip


def init(app: Flask) -> None:
    app.jinja_env.globals.update(desk_menu=menu, numbers=numbers)

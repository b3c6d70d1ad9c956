"""The desk of owner and admins, page by page; behind a mailed sign-in link."""

from flask import Flask

from web import numbers
from web.desk.history import history
from web.desk.mail import mail_account
from web.desk.office import menu
from web.desk.overview import desk
from web.desk.roster import roster
from web.desk.settings import settings

PAGES = (desk, roster, settings, mail_account, history)


def init(app: Flask) -> None:
    app.jinja_env.globals.update(desk_menu=menu, numbers=numbers)

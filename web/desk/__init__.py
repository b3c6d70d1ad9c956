"""The desk of owner and admins, page by page; behind a mailed sign-in link."""

from flask import Flask

from web.desk.mail import mail_account
from web.desk.office import menu
from web.desk.overview import desk
from web.desk.roster import roster

PAGES = (desk, roster, mail_account)


def init(app: Flask) -> None:
    app.jinja_env.globals["desk_menu"] = menu

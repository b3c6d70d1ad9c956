"""The desk of owner and admins, page by page, behind a mailed sign-in link.

May import: everything else in web but setup and commands.
"""

from flask import Flask

from web.desk.ahead import ahead
from web.desk.charter.club_profile import naming
from web.desk.charter.history import history
from web.desk.charter.settings import settings
from web.desk.chat_texts import group
from web.desk.club import club
from web.desk.guards import current_desk_health, menu
from web.desk.late import late
from web.desk.letters import letters
from web.desk.mail import mail_account
from web.desk.member_import import roster
from web.desk.offices import offices
from web.desk.on_behalf_form import for_them
from web.desk.overview import desk
from web.desk.people import people
from web.desk.review_queue import waiting
from web.desk.statistics import figures
from web.labels import charter_labels

PAGES = (
    desk,
    waiting,
    late,
    people,
    for_them,
    letters,
    offices,
    roster,
    ahead,
    figures,
    group,
    naming,
    settings,
    mail_account,
    history,
    club,
)


def init(app: Flask) -> None:
    app.jinja_env.globals.update(
        desk_menu=menu, desk_health=current_desk_health, numbers=charter_labels
    )

"""A form that the owner submits on behalf of a member who asked by telephone or in the chat."""

from __future__ import annotations

from flask import Blueprint, abort, redirect, render_template, request, url_for
from werkzeug.wrappers import Response
from wtforms import Form

from engine.cases.submissions import submit_on_behalf
from engine.cases.transitions import NotAllowed
from engine.declare.fields import answers_of, form_for
from engine.declare.registry import by_form
from engine.declare.workflow import Workflow
from engine.storage.models import Person
from web.app.services import services
from web.cases.member_form import begun, says_something
from web.cases.on_behalf import forms_for
from web.desk.people import NOT_NOW, person_of
from web.http.auth import officer_here
from web.http.security import new_form_token, read_form_token

for_them = Blueprint("for_them", __name__)

Page = str | Response | tuple[str, int]


@for_them.get("/<slug>/desk/people/<int:person_id>/<path>")
def on_behalf_page(slug: str, person_id: int, path: str) -> Page:
    flow = _flow(path)
    with services().db.read() as session:
        club, you = officer_here(session, slug, only_owner=True)
        person = person_of(session, club, person_id)
    if flow not in forms_for(you, person):
        return redirect(url_for("people.person_page", slug=slug, person_id=person.id), 302)
    return _page(flow, person, begun(flow, person))


@for_them.post("/<slug>/desk/people/<int:person_id>/<path>")
def press_on_behalf(slug: str, person_id: int, path: str) -> Page:
    flow = _flow(path)
    with services().db.read() as session:
        club, you = officer_here(session, slug, only_owner=True)
        person = person_of(session, club, person_id)
    form = form_for(flow, tuple(flow.fields))(request.form)
    form_id, _by_a_person = read_form_token(request.form.get("form", ""))
    if not says_something(form, person):
        return _page(flow, person, form), 422
    try:
        services().db.write(
            submit_on_behalf,
            club.id,
            flow.key,
            you.id,
            person.id,
            answers_of(form),
            form_id=form_id,
            now=services().clock.now(),
        )
    except NotAllowed:
        return _page(flow, person, form, NOT_NOW), 403
    return redirect(url_for("people.person_page", slug=slug, person_id=person.id, done=path), 303)


def _flow(path: str) -> type[Workflow]:
    flow = by_form(path)
    if flow is None or not flow.on_behalf:
        abort(404)
    return flow


def _page(flow: type[Workflow], person: Person, form: Form, message: str = "") -> str:
    return render_template(
        "pages/desk/for_them.html",
        flow=flow,
        who=person,
        form=form,
        message=message,
        stamp=new_form_token(),
    )

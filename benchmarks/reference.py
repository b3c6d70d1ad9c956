"""The cost of Flask without the product.

A form with csrf check and validation, two ORM rows, one FULL commit.
"""

from __future__ import annotations

import os
import smtplib
from email.mime.text import MIMEText
from typing import Any

from flask import Flask, redirect, render_template_string
from flask.typing import ResponseReturnValue
from flask_wtf import CSRFProtect, FlaskForm
from sqlalchemy import Engine, ForeignKey, create_engine, event
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column, sessionmaker
from wtforms import BooleanField, EmailField, StringField, TextAreaField
from wtforms.validators import DataRequired, Email, Length

from engine.storage.engines import sqlite_module

PAGE = """<!doctype html><title>Join</title><form method="post"><input type="hidden" name="csrf_token" value="{{ csrf_token() }}">
{% for field in form if field.name != "csrf_token" %}{{ field.label }} {{ field() }} {{ field.errors }}{% endfor %}<button>Send</button></form>"""


class Row(DeclarativeBase):
    pass


class Person(Row):
    __tablename__ = "person"
    id: Mapped[int] = mapped_column(primary_key=True)
    email: Mapped[str] = mapped_column(unique=True)
    name: Mapped[str]


class Application(Row):
    __tablename__ = "application"
    id: Mapped[int] = mapped_column(primary_key=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"), index=True)
    city: Mapped[str]
    occupation: Mapped[str]
    about: Mapped[str]
    interests: Mapped[str]
    referrer: Mapped[str]


class JoinForm(FlaskForm):
    """As many fields of the same kinds as the product's form."""

    name = StringField(validators=[DataRequired(), Length(max=200)])
    email = EmailField(validators=[DataRequired(), Length(max=200), Email()])
    city = StringField(validators=[DataRequired(), Length(max=200)])
    occupation = StringField(validators=[Length(max=200)])
    about = TextAreaField(validators=[DataRequired(), Length(max=1_000_000)])
    interests = TextAreaField(validators=[Length(max=1_000_000)])
    referrer = StringField(validators=[Length(max=200)])
    accept_charter = BooleanField(validators=[DataRequired()])


def create_reference() -> Flask:
    app = Flask(__name__)
    app.config.update(SECRET_KEY="the reference's own key", WTF_CSRF_TIME_LIMIT=None)
    CSRFProtect(app)
    store = _store(os.environ["BENCH_DATABASE"])
    smtp_port = int(os.environ.get("BENCH_SMTP_PORT", "0"))

    @app.route("/healthz")
    def alive() -> ResponseReturnValue:
        return {"status": "ok"}

    @app.route("/join", methods=["GET", "POST"])
    def join() -> ResponseReturnValue:
        form = JoinForm()
        if not form.validate_on_submit():
            return render_template_string(PAGE, form=form), 422 if form.is_submitted() else 200
        with store() as session:
            _keep(session, form)
        if smtp_port:
            _mail(smtp_port, form.email.data or "")
        return redirect("/sent", 303)

    return app


def _keep(session: Session, form: JoinForm) -> None:
    person = Person(email=form.email.data, name=form.name.data)
    session.add(person)
    session.flush()
    texts = {
        name: form[name].data for name in ("city", "occupation", "about", "interests", "referrer")
    }
    session.add(Application(person_id=person.id, **texts))
    session.commit()


def _mail(port: int, address: str) -> None:
    """As plain apps do it: within the request, over a connection of its own."""
    mail = MIMEText(f"Hello {address}, we have your form.", "plain", "utf-8")
    mail["From"], mail["To"], mail["Subject"] = "club@localhost", address, "Your form"
    with smtplib.SMTP("127.0.0.1", port, timeout=30) as smtp:
        smtp.sendmail("club@localhost", [address], mail.as_bytes())


def _store(url: str) -> sessionmaker[Session]:
    engine = _sqlite(url) if url.startswith("sqlite:") else create_engine(url, pool_size=20)
    Row.metadata.create_all(engine)
    return sessionmaker(engine)


def _sqlite(url: str) -> Engine:
    engine = create_engine(url, module=sqlite_module(), pool_size=20)

    @event.listens_for(engine, "connect")
    def set_up(connection: Any, _record: Any) -> None:
        connection.isolation_level = None
        for pragma in (
            "busy_timeout=15000",
            "journal_mode=WAL",
            "synchronous=FULL",
            "foreign_keys=ON",
        ):
            connection.execute(f"PRAGMA {pragma}")

    @event.listens_for(engine, "begin")
    def begin(connection: Any) -> None:
        connection.exec_driver_sql("BEGIN IMMEDIATE")

    return engine

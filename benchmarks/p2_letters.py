"""P2: queued letters a second to a mail server that only answers.

Each is composed late, its state stored before and after.
"""

from __future__ import annotations

import email
import email.policy
import smtplib
import tempfile
import time
from dataclasses import dataclass, field
from email.mime.multipart import MIMEMultipart
from email.mime.text import MIMEText
from pathlib import Path
from typing import Any

from jinja2 import DictLoader, Environment, Template
from sqlalchemy import func, select

from benchmarks import database, world
from benchmarks.measure import Mark, Scale, alternate, same
from benchmarks.sink import running_sink
from engine.clock import machine_now
from engine.settings import MailServer
from engine.storage.models import Letter
from mailers.queue.worker import DeliveryWorker
from web.app.services import Services

TABLE = "CREATE TABLE letter (id INTEGER PRIMARY KEY, recipient TEXT NOT NULL, name TEXT NOT NULL, state TEXT NOT NULL, attempts INTEGER NOT NULL)"


@dataclass
class BareLoop:
    """The least that still keeps a state per letter: render, build, mark, hand over, mark. One row
    after the other."""

    folder: Path
    port: int
    text: str
    html: str
    connection: Any = field(init=False)
    smtp: smtplib.SMTP = field(init=False)
    templates: tuple[Template, Template] = field(init=False)

    def __post_init__(self) -> None:
        self.connection = database.plain(self.folder, "bare")
        for statement in (TABLE, "CREATE INDEX ix ON letter (id) WHERE state = 'queued'"):
            self.connection.execute(statement)
        # The product's own mail, word for word, cut into paragraphs that a loop puts together
        # again.
        frame = "{% for line in lines %}{{ line }}\n{% endfor %}"
        environment = Environment(
            loader=DictLoader({"txt": frame, "html": frame.replace("line }}", "line | safe }}")}),
            autoescape=True,
        )
        self.templates = (environment.get_template("txt"), environment.get_template("html"))
        self.smtp = smtplib.SMTP("127.0.0.1", self.port, timeout=30)
        self.smtp.ehlo()

    def queue(self, letters: int, group: str) -> None:
        rows = [(world.address(number, group), "李雷") for number in range(letters)]
        self.connection.execute("BEGIN IMMEDIATE")
        self.connection.executemany(
            "INSERT INTO letter (recipient, name, state, attempts) VALUES (?, ?, 'queued', 0)", rows
        )
        self.connection.execute("COMMIT")

    def deliver(self) -> int:
        rows = self.connection.execute(
            "SELECT id, recipient, name FROM letter WHERE state = 'queued' ORDER BY id"
        ).fetchall()
        for row, recipient, name in rows:
            content = self._content(recipient, name)
            self.connection.execute(
                "UPDATE letter SET state = 'transmitting', attempts = attempts + 1 WHERE id = ?",
                (row,),
            )
            self.smtp.sendmail("jiuniu@localhost", [recipient], content)
            self.connection.execute("UPDATE letter SET state = 'sent' WHERE id = ?", (row,))
        return len(rows)

    def sent(self) -> int:
        found: int = self.connection.execute(
            "SELECT count(*) FROM letter WHERE state = 'sent'"
        ).fetchone()[0]
        return found

    def close(self) -> None:
        self.smtp.close()
        self.connection.close()

    def _content(self, recipient: str, name: str) -> bytes:
        mail = MIMEMultipart("alternative")
        for kind, template, source in zip(
            ("plain", "html"), self.templates, (self.text, self.html), strict=True
        ):
            mail.attach(MIMEText(template.render(lines=source.split("\n")), kind, "utf-8"))
        mail["From"], mail["To"], mail["Subject"] = (
            "jiuniu@localhost",
            recipient,
            f"{name}: please confirm",
        )
        return mail.as_bytes()


def run(scale: Scale) -> None:
    rounds, letters = scale.of(5, 1), scale.of(250, 20)
    with tempfile.TemporaryDirectory(prefix="jiuniu-bench-") as name:
        folder = Path(name)
        with world.open_service(folder) as service, running_sink(folder) as sink:
            club = world.found_club(service)
            post = DeliveryWorker(
                service.db,
                service.composer,
                MailServer("smtp", "127.0.0.1", sink.port),
                service.clock,
            )
            _queue(service, club, 1, "warm")
            post.deliver()
            bare = BareLoop(folder, sink.port, *_bodies(service))

            def product(number: int) -> float:
                _queue(service, club, letters, f"a{number}-")
                return _rate(post.deliver)

            def reference(number: int) -> float:
                bare.queue(letters, f"b{number}-")
                return _rate(bare.deliver)

            pair = alternate(rounds, "letters/s", product, reference)
            post.channel.close()
            pair.say()
            Mark(
                "letters, product (on the machine of performance.md)",
                1500,
                "letters/s",
                at_least=True,
            ).judge(sorted(pair.product)[rounds // 2])
            mails, recipients = sink.counts()
            taken = world.count(service.db, Letter, state="sent") + bare.sent()
            same(
                letters=2 * rounds * letters + 1,
                letters_sent=taken,
                mails=mails,
                recipients=recipients,
            )
            bare.close()


def _queue(service: Services, club: int, letters: int, group: str) -> None:
    """Asks of real cases: applications, each with its mail that asks to confirm the address."""
    service.db.write(world.apply_many, club, range(letters), machine_now(), group=group)


def _rate(deliver: Any) -> float:
    began = time.perf_counter()
    done: int = deliver()
    return done / (time.perf_counter() - began)


def _bodies(service: Services) -> tuple[str, str]:
    """Text and HTML of the mail that was sent last."""
    table = Letter.metadata.tables["letter"]
    with service.db.reader.connect() as connection:
        content = connection.execute(
            select(table.c.bytes).where(
                table.c.id == select(func.max(table.c.id)).scalar_subquery()
            )
        ).scalar_one()
    mail = email.message_from_bytes(content, policy=email.policy.default)
    text, html = (mail.get_body((kind,)) for kind in ("plain", "html"))
    assert text is not None and html is not None
    return text.get_content(), html.get_content()

"""What a mail server may do wrong, phase by phase, and what must have come of each letter."""

from __future__ import annotations

from dataclasses import dataclass

from tests.mailers.scripted import CLOSE, Reply

PHASES = ("GREET", "EHLO", "MAIL", "RCPT", "DATA", "DOT")
REPLIES: dict[str, Reply] = {
    "hangs up": CLOSE,
    "garbage": b"\x00\x00\x00\x10\x00\r\n",
    "another answer": b"199 wait\r\n",
    "busy": b"421 4.3.2 too busy\r\n",
    "later": b"451 4.3.0 not now\r\n",
    "greylisted": b"451 4.7.1 Greylisted, try again later\r\n",
    "too fast": b"550 Sender frequency limited\r\n",
    "used up": b"550 5.4.5 Daily user sending quota exceeded\r\n",
    "a long line": b"451 " + b"x" * 9000 + b"\r\n",
    "in Chinese": "451 请稍后再试\r\n".encode("gb18030"),
}


UNREADABLE = ("hangs up", "garbage", "another answer", "a long line")


@dataclass(frozen=True)
class Fault:
    """A reply that is no yes, and the command that gets it."""

    phase: str
    name: str

    @property
    def replies(self) -> dict[str, Reply]:
        reply = REPLIES[self.name]
        return {"EHLO": reply, "HELO": reply} if self.phase == "EHLO" else {self.phase: reply}

    @property
    def may_have_arrived(self) -> bool:
        """True if the server had the whole mail and did not say what became of it."""
        return self.phase == "DOT" and self.name in UNREADABLE


FAULTS = [Fault(phase, name) for phase in PHASES for name in REPLIES]

"""What a changed charter would do, before it is saved."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from flask import g

from engine.amendments import amendments
from engine.models import Club
from web.desk.amended import Amended, in_words


@dataclass(frozen=True)
class Preview:
    amended: list[Amended]


def preview(club: Club, old: Mapping[str, Any], new: Mapping[str, Any]) -> Preview:
    return Preview(in_words(amendments(old, new), g.language))

"""The length of the state machine's stories.

HYPOTHESIS_PROFILE is short (the default), hunt or long.
"""

from __future__ import annotations

import os

import pytest
from hypothesis import HealthCheck, Phase, settings

# What the machine asserts stands in modules of its own: without this a failure would not show the
# values.
pytest.register_assert_rewrite(
    *(
        f"tests.engine.machine_{part}"
        for part in ("case_acts", "club", "club_acts", "invariants", "time")
    )
)
_QUIET = [HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much]
_COMMON = {"deadline": None, "suppress_health_check": _QUIET, "print_blob": True}
# Shrinking a story of the whole club may take minutes: the daily run only says that something
# broke, "long" makes it short.
settings.register_profile(
    "short",
    **_COMMON,
    max_examples=20,
    stateful_step_count=30,
    derandomize=True,
    phases=[Phase.explicit, Phase.generate],
)
settings.register_profile("long", **_COMMON, max_examples=600, stateful_step_count=60)
settings.register_profile(
    "hunt", **_COMMON, max_examples=300, stateful_step_count=40, phases=[Phase.generate]
)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "short"))

"""How many cases are tried: few in every run of the tests, as many as `make fuzz CASES=…` says otherwise."""

from __future__ import annotations

import os
from collections import Counter

from hypothesis import HealthCheck, settings

CASES = int(os.environ.get("FUZZ_CASES", "400"))
TRIED: Counter[str] = Counter()
"""Of each test, in this process."""


def cases(share: float, least: int = 10) -> settings:
    """Return the settings of a test that tries a share of all cases."""
    return settings(
        max_examples=max(least, round(CASES * share)),
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
    )


def tried(name: str) -> None:
    """Count one case of a test."""
    TRIED[name] += 1

"""How often a fault is tried, and at which random moments: FAULTS and FAULTS_SEED, as `make faults` sets them."""

from __future__ import annotations

import os
import random
import sqlite3
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

FAULTS = int(os.environ.get("FAULTS", "0"))
"""The full count; 0 in CI, where each test has a small one of its own."""

SECONDS_AWAY = 20.0 if FAULTS else 2.0
"""How long a database is away."""


def chance() -> random.Random:
    """Return a source of random moments; its seed is printed, so that a failure can be had again."""
    seed = int(os.environ.get("FAULTS_SEED", "0")) or random.SystemRandom().randrange(1, 1 << 32)
    sys.stderr.write(f"FAULTS_SEED={seed}\n")
    return random.Random(seed)


def rounds(few: int) -> range:
    """Count the tries."""
    return range(FAULTS or few)


def rows(home: Path, query: str, *values: Any) -> list[tuple[Any, ...]]:
    """Ask a server's SQLite database, from beside it."""
    with closing(sqlite3.connect(home / "data" / "frontdesk.db", timeout=30)) as connection:
        return connection.execute(query, values).fetchall()


def alternately(*files: Path) -> Iterator[Path]:
    """Yield the files in turn, for ever."""
    while True:
        yield from files

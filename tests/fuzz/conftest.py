"""The site that is fuzzed, and how many cases there were."""

from __future__ import annotations

import pytest

from tests.bot.http.conftest import site
from tests.fuzz.cases import TRIED

__all__ = ["site"]


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say how many cases were tried."""
    if TRIED:
        terminalreporter.section("fuzzing")
        for name, count in [*sorted(TRIED.items()), ("together", TRIED.total())]:
            terminalreporter.write_line(f"{count:>9,}  {name}")

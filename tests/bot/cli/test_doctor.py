from __future__ import annotations

import pytest

from bot.doctor import Finding, State
from tests.bot.cli.conftest import Run


@pytest.mark.parametrize(("state", "status"), [("well", 0), ("doubtful", 0), ("broken", 1)])
def test_what_is_found_is_said_and_only_what_is_broken_fails(
    frontdesk: Run, monkeypatch: pytest.MonkeyPatch, state: State, status: int
) -> None:
    monkeypatch.setattr("bot.cli.doctor.examine", lambda _: [Finding("disk", state, "[full] of things")])
    result = frontdesk("doctor")
    assert result.status == status
    assert "disk: [full] of things" in result.out

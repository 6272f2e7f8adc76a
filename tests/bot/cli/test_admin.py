from __future__ import annotations

import io
from typing import Any

import pytest

from bot.cli.common import read_settings, with_store
from bot.store.audit import AuditStore
from tests.bot.cli.conftest import Run

PASSWORD = "correct horse battery"


@pytest.fixture(autouse=True)
def typed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO(f"{PASSWORD}\n{PASSWORD}\n"))


def written_down() -> list[tuple[str, str, str, dict[str, Any]]]:
    """Return what the audit log holds, newest first."""
    entries = with_store(read_settings(), AuditStore, lambda store: store.entries())
    return [(entry.actor, entry.action, entry.target, entry.details) for entry in entries]


def test_a_user_is_made_and_listed(frontdesk: Run) -> None:
    made = frontdesk("admin", "create-user", "Olga", "--role", "editor")
    assert (made.status, made.out) == (0, "Olga may log in as editor\n")
    assert "Olga" in frontdesk("admin", "list-users").out


def test_a_name_is_given_once(frontdesk: Run) -> None:
    frontdesk("admin", "create-user", "Olga")
    again = frontdesk("admin", "create-user", "Olga")
    assert again.status == 1
    assert "already" in again.err


def test_a_forgotten_password_is_set_anew(frontdesk: Run) -> None:
    frontdesk("admin", "create-user", "Olga")
    assert frontdesk("admin", "set-password", "Olga").status == 0
    assert "no user 'Nobody'" in frontdesk("admin", "set-password", "Nobody").err


def test_a_short_password_is_refused_in_one_line(frontdesk: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("short\n"))
    refused = frontdesk("admin", "create-user", "Olga")
    assert refused.status == 1
    assert refused.err.count("\n") == 1


def test_who_was_let_in_is_written_down(frontdesk: Run) -> None:
    frontdesk("admin", "create-user", "Olga", "--role", "owner")
    frontdesk("admin", "set-password", "Olga")
    frontdesk("admin", "create-user", "Olga")  # refused
    assert written_down() == [
        ("command line", "user.changed", "Olga", {"password": "changed"}),
        ("command line", "user.added", "Olga", {"role": "owner"}),
    ]

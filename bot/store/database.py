"""The connection to the database, and bringing its tables up to date."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from contextlib import asynccontextmanager, contextmanager
from functools import wraps
from pathlib import Path
from typing import Any, Concatenate, ParamSpec, TypeVar

from alembic import command
from alembic.config import Config
from alembic.util import CommandError
from sqlalchemy import Connection, NullPool, create_engine, event, make_url, text
from sqlalchemy.exc import ArgumentError, NoSuchModuleError, SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, async_sessionmaker, create_async_engine
from sqlalchemy.orm import Session

import migrations
from bot.errors import StoreError
from bot.store.grouping import GroupCommit, begin_as_writer

P = ParamSpec("P")
T = TypeVar("T")
StoreT = TypeVar("StoreT", bound="Store")

BUSY_MS = 10_000
"""So long SQLite waits for whoever writes."""

_TABLES_LOCK = 4_207_001
"""Of PostgreSQL, for whoever makes or changes tables: several replicas start at the same moment."""


def migration_config(url: str) -> Config:
    """Return Alembic's configuration for a database, without any file of its own."""
    config = Config()
    config.set_main_option("script_location", str(Path(migrations.__file__).parent))
    config.attributes["url"] = blocking_url(url)
    return config


def blocking_url(url: str) -> str:
    """Return the same database's address for a driver that blocks, as migrations use it."""
    return url.replace("sqlite+aiosqlite", "sqlite", 1)


@contextmanager
def alone(url: str) -> Iterator[Connection]:
    """Give a connection on which all is done or nothing, tables included, and never by two at a time. Blocks."""
    engine = create_engine(blocking_url(url), poolclass=NullPool)
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", _wait_and_log_ahead)
        begin_as_writer(engine)
    try:
        with engine.begin() as connection:
            if engine.dialect.name == "postgresql":
                connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _TABLES_LOCK})
            yield connection
    finally:
        engine.dispose()


def upgrade(url: str) -> None:
    """Bring the tables to the newest revision. Blocks.

    Raises:
        StoreError: the database cannot be reached or is newer than this program.
    """
    try:
        parsed = make_url(url)
        if parsed.get_backend_name() == "sqlite" and parsed.database:
            Path(parsed.database).parent.mkdir(parents=True, exist_ok=True)
        with alone(url) as connection:
            move_tables(connection, "head")
    except (ArgumentError, NoSuchModuleError, ModuleNotFoundError) as error:
        raise StoreError(
            "database_url is of no use: sqlite+aiosqlite:///PATH or postgresql+psycopg://USER:PASSWORD@HOST/NAME "
            f"(with the extra `postgres` installed) is expected ({error})"
        ) from error
    except (SQLAlchemyError, OSError) as error:
        raise StoreError(f"the database cannot be opened: {_first_line(error)}") from error
    except CommandError as error:
        raise StoreError(f"the database was made by another version of FrontDesk: {error}") from error


def move_tables(connection: Connection, revision: str) -> None:
    """Bring the tables up to a revision, within the transaction that goes on; raises CommandError."""
    config = migration_config(str(connection.engine.url))
    config.attributes["connection"] = connection
    command.upgrade(config, revision)


class Database:
    """An engine and its sessions."""

    def __init__(self, url: str) -> None:
        """Prepare; the first session connects."""
        self.engine: AsyncEngine = create_async_engine(url)
        self._group: GroupCommit | None = None
        if self.engine.dialect.name == "sqlite":
            event.listen(self.engine.sync_engine, "connect", _set_pragmas)
            self._group = GroupCommit(blocking_url(url), _set_pragmas)
        self._working: set[asyncio.Task[Any]] = set()
        self._asking: asyncio.Task[bool] | None = None
        self._sessions = async_sessionmaker(self.engine, expire_on_commit=False)

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[AsyncSession]:
        """Give a session whose work is committed at the end, all of it or nothing."""
        async with self._sessions() as session, session.begin():
            yield session

    async def together(self, work: Callable[[Session], T]) -> T:
        """Do some work in a transaction, on SQLite in one with all else that waits; committed when this returns.

        What it reads and changes must be its own: it may be done twice, of which one leaves nothing behind.
        """
        if self._group is not None:
            return await self._group.do(work)
        async with self.transaction() as session:
            return await session.run_sync(work)

    async def write_through(self) -> None:
        """Have SQLite's file hold what has been committed, and its log nothing more, unless somebody is reading it."""
        if self._group is not None:
            async with self.engine.connect() as connection:
                await connection.execute(text("PRAGMA wal_checkpoint(TRUNCATE)"))

    async def to_the_end(self, work: Coroutine[Any, Any, T]) -> T:
        """Do some work whole: if its caller is cancelled meanwhile, it goes on by itself."""
        task = asyncio.create_task(work)
        self._working.add(task)
        task.add_done_callback(self._working.discard)
        return await asyncio.shield(task)

    async def answers(self, seconds: float) -> bool:
        """Say whether the database answers now, within so many seconds."""
        if self._asking is None or self._asking.done():  # else one that hangs is being waited for already
            self._asking = asyncio.create_task(self._ask())
        await asyncio.wait({self._asking}, timeout=seconds)
        return self._asking.done() and self._asking.result()

    async def _ask(self) -> bool:
        try:
            async with self.engine.connect() as connection:
                await connection.execute(text("SELECT 1"))
        except Exception:  # whatever the driver raises, the answer is the same
            return False
        return True

    async def close(self) -> None:
        """Wait for the work that goes on, then close all connections."""
        if self._asking is not None:
            self._asking.cancel()
        if self._working:
            await asyncio.wait(self._working)
        if self._group is not None:
            await self._group.close()
        await self.engine.dispose()


class Store:
    """What is kept in a database about one subject."""

    def __init__(self, database: Database) -> None:
        """Use this database."""
        self.database = database


def whole(
    method: Callable[Concatenate[StoreT, P], Coroutine[Any, Any, T]],
) -> Callable[Concatenate[StoreT, P], Coroutine[Any, Any, T]]:
    """Make a store's method end what it began, though its caller is cancelled.

    An SQLite connection that is cancelled at work may hang for ever when it is closed (omnilib/aiosqlite, issue 259).
    """

    @wraps(method)
    async def ended(store: StoreT, /, *args: P.args, **kwargs: P.kwargs) -> T:
        return await store.database.to_the_end(method(store, *args, **kwargs))

    return ended


def _set_pragmas(connection: Any, record: Any) -> None:
    _wait_and_log_ahead(connection, record)
    connection.execute("PRAGMA synchronous=NORMAL")
    connection.execute("PRAGMA foreign_keys=ON")


def _wait_and_log_ahead(connection: Any, _record: Any) -> None:
    """Wait for whoever writes; readers go on meanwhile. Foreign keys stay off: making a table anew would empty it."""
    connection.execute(f"PRAGMA busy_timeout={BUSY_MS}")
    connection.execute("PRAGMA journal_mode=WAL")


def _first_line(error: Exception) -> str:
    cause = getattr(error, "orig", None) or error
    return (str(cause).splitlines() or [type(cause).__name__])[0]

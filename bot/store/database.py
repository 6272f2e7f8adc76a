"""The connection to the database, and bringing its tables up to date."""

from __future__ import annotations

import asyncio
import fcntl
import hashlib
import time
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from functools import wraps
from itertools import chain, repeat
from pathlib import Path
from typing import Any, Concatenate, ParamSpec, TypeVar

from alembic import command
from alembic.config import Config
from alembic.util import CommandError
from sqlalchemy import Connection, NullPool, TextClause, create_engine, event, func, make_url, select, text
from sqlalchemy.exc import ArgumentError, NoSuchModuleError, SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, AsyncSession, async_sessionmaker, create_async_engine
from sqlalchemy.orm import Session

import migrations
from bot.errors import StoreError, StoreUnavailable
from bot.sections import DatabaseSettings
from bot.store import news
from bot.store.grouping import GroupCommit, begin_as_writer
from bot.store.outage import is_away
from bot.store.tables import new_id

P = ParamSpec("P")
T = TypeVar("T")
StoreT = TypeVar("StoreT", bound="Store")

BUSY_MS = 10_000
"""So long SQLite waits for whoever writes."""

_TABLES_LOCK = 4_207_001
"""Of PostgreSQL, for whoever makes or changes tables: several replicas start at the same moment."""

RECONNECT_SECONDS = (0.05, 0.1, 0.2, 0.5)
"""Between two tries to reach a database that is away; the last again and again."""

TURN_SECONDS = 0.2
"""Between two tries to be the only replica that does something."""


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


@contextmanager
def served_alone(url: str) -> Iterator[None]:
    """Keep a second server from an SQLite database for as long as the block lasts; commands may use it meanwhile.

    Raises:
        StoreError: there is one already.
    """
    path = make_url(url).database
    if make_url(url).get_backend_name() != "sqlite" or not path:
        yield
        return
    lock = Path(f"{path}.lock")
    lock.parent.mkdir(parents=True, exist_ok=True)
    with lock.open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise StoreError(
                f"another server uses {path}; stop it first, or give several servers one PostgreSQL: docs/replicas.md"
            ) from error
        yield


class Database:
    """An engine and its sessions; `replica` is the name of this process among others that share the database."""

    def __init__(self, url: str, settings: DatabaseSettings | None = None) -> None:
        """Prepare; the first session connects. PostgreSQL is used as the settings say."""
        self._settings = settings or DatabaseSettings()
        self.is_shared = make_url(url).get_backend_name() == "postgresql"
        self.replica = new_id() if self.is_shared else ""
        self.engine: AsyncEngine = create_async_engine(url, **(self._settings.engine if self.is_shared else {}))
        self._group: GroupCommit | None = None
        if not self.is_shared:
            event.listen(self.engine.sync_engine, "connect", _set_pragmas)
            self._group = GroupCommit(blocking_url(url), _set_pragmas)
        self._working: set[asyncio.Task[Any]] = set()
        self._asking: asyncio.Task[bool] | None = None
        self._sessions = async_sessionmaker(self.engine, expire_on_commit=False)

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[AsyncSession]:
        """Give a session whose work is committed at the end, all of it or nothing.

        Raises:
            StoreUnavailable: PostgreSQL cannot be reached, for longer than a request waits, or went away meanwhile.
        """
        if not self.is_shared:
            async with self._sessions() as session, session.begin():
                yield session
            return
        async with self._connected() as connection, self._sessions(bind=connection) as session, session.begin():
            yield session
            await news.send(session)

    async def rows(self, statement: TextClause, values: Mapping[str, Any]) -> Sequence[Any]:
        """Return what one statement of PostgreSQL's gives, committed at once; raises StoreUnavailable."""
        async with self._connected() as connection:
            await connection.execution_options(isolation_level="AUTOCOMMIT")
            found = await connection.execute(statement, values)
            return found.all() if found.returns_rows else []

    @asynccontextmanager
    async def _connected(self) -> AsyncIterator[AsyncConnection]:
        try:
            connection = await self._connect()
            try:
                yield connection
            finally:
                await connection.close()
        except Exception as error:
            if is_away(error):
                raise StoreUnavailable(f"the database went away: {_first_line(error)}") from error
            raise

    async def _connect(self) -> AsyncConnection:
        """Return a connection that works; while the database is away nothing has been done, so it is waited for."""
        started = time.monotonic()
        for delay in chain(RECONNECT_SECONDS, repeat(RECONNECT_SECONDS[-1])):
            try:
                return await self.engine.connect()
            except Exception as error:
                if not is_away(error) or time.monotonic() + delay > started + self._settings.wait_seconds:
                    raise
            await asyncio.sleep(delay)
        raise AssertionError  # repeat has no end

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

    @asynccontextmanager
    async def alone(self, name: str) -> AsyncIterator[AsyncSession | None]:
        """Keep other replicas from the same work for as long as the block lasts; on SQLite there are none.

        Gives the session that holds the lock: while it can be used, nobody else works.
        """
        if not self.is_shared:
            yield None
            return
        key = int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], signed=True)
        while True:
            async with self.transaction() as session:
                if await session.scalar(select(func.pg_try_advisory_xact_lock(key))):
                    yield session
                    return
            await asyncio.sleep(TURN_SECONDS)

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

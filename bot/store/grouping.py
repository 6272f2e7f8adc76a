"""The work of many callers in one transaction, which is what SQLite is good at: it has one writer at a time."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session, sessionmaker

T = TypeVar("T")

MAX_PIECES = 32
"""Of one transaction: others who write wait that long."""


@dataclass(eq=False)
class _Piece(Generic[T]):
    """Some work, and whoever waits for what comes of it."""

    work: Callable[[Session], T]
    waiting: asyncio.Future[T]
    result: T | None = None
    error: Exception | None = None

    def tell(self) -> None:
        if self.waiting.done():  # nobody waits any more
            return
        if self.error is not None:
            self.waiting.set_exception(self.error)
        else:
            self.waiting.set_result(self.result)  # type: ignore[arg-type]


class GroupCommit:
    """Does what waits together in one transaction, in a thread and on a connection of its own.

    Nobody hears of a result before it is durable. If any of it fails, nothing of the group is kept, and each piece is
    done again by itself: so one caller's mistake costs the others time and no more.
    """

    def __init__(self, url: str, prepare: Callable[[Any, Any], None]) -> None:
        """Remember the database, by its address for a driver that blocks; `prepare` is told of each new connection."""
        self._engine = create_engine(url)
        event.listen(self._engine, "connect", prepare)
        begin_as_writer(self._engine)
        self._sessions = sessionmaker(self._engine, expire_on_commit=False)
        self._waiting: deque[_Piece[Any]] = deque()
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="log")

    async def do(self, work: Callable[[Session], T]) -> T:
        """Do some work; returns once it is committed, and raises what it raised."""
        loop = asyncio.get_running_loop()
        piece: _Piece[T] = _Piece(work, loop.create_future())
        self._waiting.append(piece)
        self._thread.submit(self._work, loop)
        return await piece.waiting

    async def close(self) -> None:
        """Do what waits, and close the connection."""
        await asyncio.to_thread(self._thread.shutdown)
        self._engine.dispose()

    def _work(self, loop: asyncio.AbstractEventLoop) -> None:
        group = [self._waiting.popleft() for _ in range(min(MAX_PIECES, len(self._waiting)))]
        if group:  # else it went with those before
            self._do(group)
            loop.call_soon_threadsafe(_tell, group)

    def _do(self, group: list[_Piece[Any]]) -> None:
        try:
            with self._sessions.begin() as session:
                results = [piece.work(session) for piece in group]
        except Exception as error:
            alone = len(group) == 1 or isinstance(error, OperationalError)  # locked or full, which it is for each
            for piece in group:
                if alone:
                    piece.error = error
                else:
                    self._do([piece])
        else:
            for piece, result in zip(group, results, strict=True):
                piece.result = result


def _tell(group: list[_Piece[Any]]) -> None:
    """Tell a whole group at once: waking the event loop costs as much as writing a question does."""
    for piece in group:
        piece.tell()


def begin_as_writer(engine: Engine) -> None:
    """Make every transaction one that may write, so that what it reads is still so when it writes."""

    def no_implicit_begin(connection: Any, _record: Any) -> None:
        connection.isolation_level = None

    def begin(connection: Connection) -> None:
        connection.exec_driver_sql("BEGIN IMMEDIATE")

    event.listen(engine, "connect", no_implicit_begin)
    event.listen(engine, "begin", begin)

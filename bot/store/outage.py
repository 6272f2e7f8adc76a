"""A database that goes away and comes back: knowing that when it happens, and beginning again where that is safe."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Coroutine
from functools import wraps
from typing import Any, ParamSpec, TypeVar

from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as NoConnectionFree

from bot.errors import StoreUnavailable

P = ParamSpec("P")
T = TypeVar("T")

_AWAY = ("08", "57P", "53300")
"""PostgreSQL's codes: the connection failed, the server shuts down or starts, it has no connection left."""


AGAIN = 2
"""A database may go away a second time while it is coming back."""


def is_away(error: BaseException) -> bool:
    """Say whether PostgreSQL could not be reached, rather than having said no."""
    if isinstance(error, NoConnectionFree | OSError):  # no connection of the pool became free, or none could be made
        return True
    if not isinstance(error, DBAPIError):
        return False
    state = getattr(error.orig, "sqlstate", None)
    could_be = isinstance(error, OperationalError | InterfaceError)
    return error.connection_invalidated or (could_be and (state is None or state.startswith(_AWAY)))


def repeated(method: Callable[P, Awaitable[T]]) -> Callable[P, Coroutine[Any, Any, T]]:
    """Make a store's method begin again if the database went away in its middle.

    For methods that change nothing, or that change the same when they are done twice: whether the first time was
    committed cannot be known.
    """

    @wraps(method)
    async def done(*args: P.args, **kwargs: P.kwargs) -> T:
        for _ in range(AGAIN):
            try:
                return await method(*args, **kwargs)
            except StoreUnavailable:
                continue
        return await method(*args, **kwargs)

    return done

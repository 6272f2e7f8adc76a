"""Rows that two make at the same moment."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Coroutine
from contextlib import suppress
from functools import wraps
from typing import Any, ParamSpec, TypeVar

from sqlalchemy.exc import IntegrityError

P = ParamSpec("P")
T = TypeVar("T")

RACES = 2
"""So many rows a method may lose a race for: a message's thread, then the message itself."""


def raced(method: Callable[P, Awaitable[T]]) -> Callable[P, Coroutine[Any, Any, T]]:
    """Make a store's method begin again if somebody else made the same row at the same moment."""

    @wraps(method)
    async def settled(*args: P.args, **kwargs: P.kwargs) -> T:
        for _ in range(RACES):
            with suppress(IntegrityError):
                return await method(*args, **kwargs)
        return await method(*args, **kwargs)

    return settled

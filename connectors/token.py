"""An access token that all calls to a platform share: renewed early, and replaced once it is refused."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import TypeVar

from bot.errors import SendFailed, SendRefused

T = TypeVar("T")

RENEW_EARLY_SECONDS = 300


class StaleToken(SendFailed):
    """The platform does not take the access token any more."""


class AccessToken:
    """Keeps one token; `fetch` returns a new one and for how many seconds it holds."""

    def __init__(self, fetch: Callable[[], Awaitable[tuple[str, float]]]) -> None:
        """Prepare; the first call fetches it."""
        self._fetch, self._fetching = fetch, asyncio.Lock()
        self._token, self._renew_at = "", 0.0

    async def use(self, call: Callable[[str], Awaitable[T]]) -> T:
        """Call with the token, once more with a new one if it is stale; raises as `call` and `fetch` do."""
        token = await self.current()
        try:
            return await call(token)
        except StaleToken:
            return await call(await self.current(instead_of=token))

    async def current(self, *, instead_of: str | None = None) -> str:
        """Return the token, a new one if it is about to expire or is the one that was refused."""
        async with self._fetching:
            if self._token == instead_of or time.monotonic() >= self._renew_at:
                try:
                    self._token, life = await self._fetch()
                except SendRefused as error:  # the account is set up wrongly, which somebody may mend
                    raise SendFailed(str(error)) from error
                self._renew_at = time.monotonic() + life - min(RENEW_EARLY_SECONDS, life / 2)
            return self._token

"""One access token for all."""

from __future__ import annotations

import asyncio

import pytest

from bot.errors import SendFailed, SendRefused
from connectors.token import AccessToken, StaleToken


class Platform:
    """Gives out tokens, and takes only the last."""

    def __init__(self, *, takes_any: bool = True) -> None:
        self.given, self.takes_any = 0, takes_any

    async def fetch(self) -> tuple[str, float]:
        await asyncio.sleep(0.01)
        self.given += 1
        return f"t{self.given}", 7_200

    async def call(self, token: str) -> str:
        if not self.takes_any or token != f"t{self.given}":
            raise StaleToken("not this one")
        return token


async def test_a_token_is_fetched_once_and_replaced_once_for_all() -> None:
    platform = Platform()
    token = AccessToken(platform.fetch)
    assert await asyncio.gather(*(token.use(platform.call) for _ in range(9))) == ["t1"] * 9
    platform.given = 5
    assert await asyncio.gather(*(token.use(platform.call) for _ in range(9))) == ["t6"] * 9


async def test_a_platform_that_takes_no_token_is_asked_again_later_with_a_new_one() -> None:
    platform = Platform(takes_any=False)
    token = AccessToken(platform.fetch)
    with pytest.raises(SendFailed):
        await token.use(platform.call)
    platform.takes_any = True
    assert await token.use(platform.call) == "t2"


async def test_an_account_that_is_set_up_wrongly_may_be_mended() -> None:
    async def fetch() -> tuple[str, float]:
        raise SendRefused("wrong secret")

    with pytest.raises(SendFailed, match="wrong secret"):
        await AccessToken(fetch).current()

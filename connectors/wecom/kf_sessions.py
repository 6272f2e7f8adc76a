"""Whose a customer's session is: https://developer.work.weixin.qq.com/document/path/94669."""

from __future__ import annotations

from typing import Any

import structlog

from bot.errors import SendHeld
from connectors.base import Address
from connectors.wecom.api import WecomApi, WecomError

log = structlog.get_logger()

NEW, BOT, POOL, PERSON, ENDED = range(5)


class WithPeople(SendHeld):
    """People have a session; what the bot would say is of no use any more."""


class Sessions:
    """Asks whose sessions are, and hands them over."""

    def __init__(self, api: WecomApi, people: str) -> None:
        """Call these people: `pool`, or somebody's userid."""
        self._api, self._people = api, people

    async def are_with_people(self, address: Address) -> bool:
        """Say whether people have a session, or shall have it next."""
        return await self._state(address) in (POOL, PERSON)

    async def take(self, address: Address) -> None:
        """Make a session that nobody has the bot's; raises SendHeld if it is a person's, or over."""
        state = await self._state(address)
        if state in (POOL, PERSON):
            raise WithPeople("people have this session in WeCom (会话已由人工接待)")
        if state == ENDED:
            raise SendHeld("the session is over until the customer writes again")
        await self._enter(address, BOT)

    async def call_person(self, address: Address) -> bool:
        """Hand a session over; if that is not possible, the inbox of our console has it all the same."""
        try:
            if self._people == "pool":
                await self._enter(address, POOL)
            else:
                await self._enter(address, PERSON, servicer_userid=self._people)
        except WecomError as error:
            log.warning(
                "no person could be called in WeCom; the console's inbox has the conversation", error=str(error)
            )
            return False
        return True

    async def _state(self, address: Address) -> int:
        return int((await self._api.post("/cgi-bin/kf/service_state/get", _whose(address)))["service_state"])

    async def _enter(self, address: Address, state: int, **more: str) -> None:
        await self._api.post("/cgi-bin/kf/service_state/trans", {**_whose(address), "service_state": state, **more})


def _whose(address: Address) -> dict[str, Any]:
    return {"open_kfid": address["account"], "external_userid": address["user"]}

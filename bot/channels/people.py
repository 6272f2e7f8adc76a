"""Calling people by every adapter that is set up, and showing them what the customer writes meanwhile."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping

import structlog

from bot.errors import ChannelError, SendFailed
from bot.handoff import HandoffDesk
from bot.plugins import kinds_of
from bot.privacy import mask
from bot.question import Message
from bot.store.handoffs import HandoffStore, OpenCall
from connectors.base import Call, HandoffAdapter

log = structlog.get_logger()

DELAYS_SECONDS = (1, 2, 5, 15, 60, 300)
WEBHOOK = "webhook"
"""The adapter that the settings [handoff] name, also in the console."""


class PeopleCaller:
    """Follows all conversations that people should have; each adapter is told once of each, whatever happens."""

    def __init__(self, adapters: Mapping[str, HandoffAdapter], store: HandoffStore, humans: HandoffDesk) -> None:
        """Call by these, and by the webhook of the settings."""
        self._adapters, self._store, self._humans = adapters, store, humans
        self._failures: dict[tuple[int, str], tuple[int, float]] = {}
        """By call and adapter: how often it failed in a row, and when to try again."""

    async def run(self) -> None:
        """Call, again and again, until cancelled."""
        with self._humans.changes.follow() as follower:
            while True:
                await follower.news()
                try:
                    async with self._store.database.alone("calls"):
                        await self._call_all()
                except Exception:  # the database may be away; it is asked again
                    log.exception("open calls could not be told")

    async def _call_all(self) -> None:
        adapters = {**self._adapters, **self._webhook()}
        calls = await self._store.open_calls() if adapters else []
        await asyncio.gather(*(self._tell(call, name, adapter) for call in calls for name, adapter in adapters.items()))

    def _webhook(self) -> dict[str, HandoffAdapter]:
        settings = self._humans.settings
        if not settings.webhook_url:
            return {}
        kind = kinds_of("people")[WEBHOOK].load()
        return {WEBHOOK: kind(kind.Settings(url=settings.webhook_url, secret=settings.webhook_secret))}

    async def _tell(self, call: OpenCall, name: str, adapter: HandoffAdapter) -> None:
        key = (call.id, name)
        times, again_at = self._failures.get(key, (0, 0.0))
        if time.monotonic() < again_at or call.told.get(name) == call.last:
            return
        try:
            if name not in call.told:
                await adapter.call(_masked(call))
                await self._store.mark_told(call.id, name, call.last)
                return
            for said in call.said:
                if said.position > call.told[name]:
                    await adapter.forward(call.conversation_id, said.question)
                    await self._store.mark_told(call.id, name, said.position)
        except ChannelError as error:
            delay = DELAYS_SECONDS[min(times, len(DELAYS_SECONDS) - 1)]
            retry_after = error.retry_after if isinstance(error, SendFailed) else None
            self._failures[key] = (times + 1, time.monotonic() + (retry_after or delay))
            log.warning("people could not be told", adapter=name, conversation=call.conversation_id, error=str(error))
        else:
            self._failures.pop(key, None)


def _masked(call: OpenCall) -> Call:
    return Call(
        conversation_id=call.conversation_id,
        channel=call.channel,
        reason=call.reason,
        summary=call.summary,
        transcript=[Message(message.role, mask(message.text)) for message in call.transcript],
    )

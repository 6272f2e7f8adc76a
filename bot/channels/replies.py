"""Bringing what agents write to customers on channels."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby

import structlog

from bot.channels.opening import Channel
from bot.errors import ChannelError, SendFailed, SendHeld
from bot.live import Changes
from bot.store.channels import ChannelStore, UndeliveredReply
from bot.store.inbox import InboxStore
from bot.store.memory import MemoryStore
from connectors.base import Address

log = structlog.get_logger()

DELAYS_SECONDS = (2, 5, 15, 60)
NOTE_AUTHOR = "FrontDesk"
HELD = "⏳ 平台限制：客户再次发言后送达 / the platform lets this through once the customer has written again"
REFUSED = "⚠ 未送达 / not delivered: "
"""Notes that agents see in a conversation."""


class ReplyCourier:
    """Follows all conversations, and sends each reply to the channel that its customer is on."""

    def __init__(
        self,
        channels: Mapping[str, Channel],
        store: ChannelStore,
        memory: MemoryStore,
        inbox: InboxStore,
        changes: Changes,
    ) -> None:
        """Follow these changes."""
        self._channels, self._store, self._memory, self._inbox = channels, store, memory, inbox
        self._changes = changes
        self._failures: dict[int, tuple[int, float]] = {}
        """By thread: how often it failed in a row, and when to try again."""
        self._held: set[int] = set()
        """Replies of which the agent knows that they wait for the customer."""

    async def run(self) -> None:
        """Bring replies until cancelled."""
        with self._changes.follow() as follower:
            while True:
                await follower.news()
                try:
                    async with self._store.database.alone("replies"):
                        await self._bring_all()
                except Exception:  # the database may be away; it is asked again
                    log.exception("agents' replies could not be brought")

    async def _bring_all(self) -> None:
        replies = await self._store.undelivered()
        replies.sort(key=lambda reply: reply.thread_id)  # stable: the oldest of each thread stays first
        threads = [list(of_thread) for _, of_thread in groupby(replies, lambda reply: reply.thread_id)]
        await asyncio.gather(*(self._bring(of_thread) for of_thread in threads if self._may_try(of_thread[0])))

    def _may_try(self, reply: UndeliveredReply) -> bool:
        _, again_at = self._failures.get(reply.thread_id, (0, 0.0))
        channel = self._channels.get(reply.channel)
        return channel is not None and not channel.elsewhere and time.monotonic() >= again_at

    async def _bring(self, replies: Sequence[UndeliveredReply]) -> None:
        """Send the replies to one customer; what has gathered meanwhile goes as one message."""
        sending, replies = await self._begin(replies)
        last, channel = sending.last, self._channels[sending.last.channel]
        try:
            text = "\n\n".join(reply.text for reply in replies)
            await channel.connector.push(sending, channel.connector.from_text(text), f"r{last.id}")
        except SendHeld:
            await self._say_held(last)
            return
        except SendFailed as error:
            self._wait(last.thread_id, error)
            channel.failed(str(error))
            log.warning("an agent's reply did not arrive", channel=channel.name, error=str(error))
            return
        except ChannelError as error:
            channel.failed(str(error))
            await self._inbox.note(last.conversation_id, NOTE_AUTHOR, REFUSED + str(error))
        else:
            channel.worked()
        self._failures.pop(last.thread_id, None)
        await self._store.mark_delivered(last)
        await sending.forget()

    async def _begin(self, replies: Sequence[UndeliveredReply]) -> tuple[_Sending, Sequence[UndeliveredReply]]:
        """Return how far the first replies to a customer have come, and which they are."""
        before = await self._memory.remembered(replies[0].channel, _key(replies[0]))
        if before is None or before["last"] < replies[0].id:
            sending = _Sending(self._memory, replies[-1], 0, again=False)
        else:
            if before["sent"]:  # what has begun to arrive is not changed any more
                replies = [reply for reply in replies if reply.id <= before["last"]]
            sending = _Sending(self._memory, replies[-1], before["sent"], again=True)
        await sending.mark_sent(sending.sent)
        return sending, replies

    async def _say_held(self, reply: UndeliveredReply) -> None:
        """Tell the agent, once, that a reply waits for the customer."""
        if reply.id not in self._held:
            self._held.add(reply.id)
            await self._inbox.note(reply.conversation_id, NOTE_AUTHOR, HELD)

    def _wait(self, thread_id: int, error: SendFailed) -> None:
        times, _ = self._failures.get(thread_id, (0, 0.0))
        delay = error.retry_after or DELAYS_SECONDS[min(times, len(DELAYS_SECONDS) - 1)]
        self._failures[thread_id] = (times + 1, time.monotonic() + delay)


@dataclass
class _Sending:
    """Replies to one customer, up to the last of them, on their way."""

    memory: MemoryStore
    last: UndeliveredReply
    sent: int
    again: bool

    @property
    def address(self) -> Address:
        return self.last.address

    async def mark_sent(self, count: int) -> None:
        self.sent = count
        await self.memory.remember(self.last.channel, _key(self.last), {"last": self.last.id, "sent": count})

    async def forget(self) -> None:
        """Be done with them."""
        await self.memory.remember(self.last.channel, _key(self.last), None)


def _key(reply: UndeliveredReply) -> str:
    return f"replying:{reply.thread_id}"

"""What connectors see of the bot."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, replace
from typing import Any, Literal

import structlog
from fastapi import Request

from bot.channels.dispatch import Ask, Dispatcher
from bot.channels.opening import Channel
from bot.desk import FrontDesk
from bot.errors import NotFound
from bot.question import Event, Question
from bot.store.channels import ChannelStore
from bot.store.elsewhere import ElsewhereStore
from bot.store.memory import MemoryStore
from connectors.base import Incoming, Memory

log = structlog.get_logger()


@dataclass(frozen=True)
class Front:
    """What the HTTP server does for channels: answer a question; let a request of a bot's visitor pass, or raise."""

    ask: Ask
    admit: Callable[[Request, str, str, bool], Awaitable[None]]


class ChannelMemory:
    """What one connector keeps, in SQL."""

    def __init__(self, store: MemoryStore, channel: str) -> None:
        """Keep it for this channel."""
        self._store, self._channel = store, channel

    async def get(self, key: str) -> Any:
        """Return a value, None if there is none."""
        return await self._store.remembered(self._channel, key)

    async def put(self, key: str, value: Any) -> None:
        """Keep a value; None forgets it."""
        await self._store.remember(self._channel, key, value)


class ChannelHost:
    """What the bot does for one connector."""

    def __init__(
        self, channel: Channel, dispatcher: Dispatcher, store: ChannelStore, desk: FrontDesk, front: Front
    ) -> None:
        """Stand between a connector and everything else."""
        self._channel, self._dispatcher, self._desk, self._front = channel, dispatcher, desk, front
        self.path = f"/channels/{channel.name}"
        self._elsewhere = ElsewhereStore(store.database)
        self.memory: Memory = ChannelMemory(MemoryStore(store.database), channel.name)

    async def take(self, incoming: Incoming) -> bool:
        """Keep what came in, so that it is answered whatever happens; False if it came before."""
        return await self._dispatcher.take(self._channel, incoming)

    def ask(self, question: Question) -> AsyncIterator[Event]:
        """Answer at once, for channels that wait for the answer."""
        return self._front.ask(replace(question, channel=self._channel.name, bot=self._channel.bot))

    def report(self, problem: str | None) -> None:
        """Say on the health page what does not work, or that it works again."""
        if problem is None:
            self._channel.worked()
        else:
            self._channel.failed(problem)

    async def admit(self, request: Request, visitor: str, *, trusted: bool = False) -> None:
        """Refuse what a page of another site sends, and whoever asks too often."""
        await self._front.admit(request, self._channel.bot, f"{self._channel.name}:{visitor}", trusted)

    def welcome(self) -> str:
        """Return what greets a customer, for channels that must do so at once."""
        return self._desk.settings.bot.welcome

    async def rate_message(self, message_id: str, rating: Literal["up", "down"], comment: str | None = None) -> None:
        """Keep a customer's thumb for the answer to a message; for an unknown one it is ignored."""
        turn_id = await self._desk.conversations.turn_of(self._channel.name, message_id)
        if turn_id is not None:
            await self.rate(turn_id, rating, comment)

    async def agent_says(self, conversation_id: str, agent: str, text: str, message_id: str) -> None:
        """Have a person write to the customer of any channel; they have the conversation from then on."""
        self._tell(await self._elsewhere.says(conversation_id, agent, text, f"{self._channel.name}:{message_id}"))

    async def agent_leaves(self, conversation_id: str, agent: str, state: Literal["bot", "closed"]) -> None:
        """Give a conversation back to the bot, or close it."""
        self._tell(await self._elsewhere.leaves(conversation_id, agent, state))

    async def people_took(self, thread: str, agent: str) -> None:
        """Leave a thread to a person of the platform's; the bot is silent."""
        self._tell(await self._elsewhere.took(self._channel.name, thread, agent))

    async def people_said(self, thread: str, agent: str, text: str, message_id: str) -> None:
        """Keep what a person of the platform's wrote to the customer, who has read it there."""
        source = f"{self._channel.name}:{message_id}"
        self._tell(await self._elsewhere.said(self._channel.name, thread, agent, text, source))

    async def people_left(self, thread: str) -> None:
        """Give a thread back to the bot."""
        self._tell(await self._elsewhere.left(self._channel.name, thread))

    async def rate(self, turn_id: str, rating: Literal["up", "down"], comment: str | None = None) -> None:
        """Keep a customer's thumb; one for a turn that does not exist is ignored."""
        try:
            visitor = await self._desk.conversations.visitor_of(turn_id)
            await self._desk.conversations.add_feedback(turn_id, rating, comment, visitor)
        except NotFound:
            log.warning("a thumb for an unknown turn", channel=self._channel.name, turn=turn_id)

    def _tell(self, conversation_id: str | None) -> None:
        if conversation_id is not None:
            self._desk.humans.changes.tell(conversation_id)

"""From a kept message to an answer that has arrived: one of a thread after the other, again until it works."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial

import structlog
from structlog.contextvars import bind_contextvars

from bot import messages
from bot.channels.opening import Channel
from bot.desk import FrontDesk
from bot.draining import Drain
from bot.errors import ChannelError, QuestionRejected, SendFailed, SendHeld, ServerStopping
from bot.question import Event, Question, Started
from bot.store.channels import LEASE, ChannelStore, Received
from bot.store.tables import now
from connectors.base import Address, Incoming

log = structlog.get_logger()

Ask = Callable[[Question], AsyncIterator[Event]]

POLL_SECONDS = 2.0
MAX_AT_ONCE = 32
DELAYS_SECONDS = (1, 2, 5, 15, 60, 300)
GIVE_UP_AFTER = timedelta(hours=6)
"""An answer that could not be delivered for so long is of no use any more."""

MAX_CRASHES = 3
"""So often an answer is tried that fails for a reason of our own."""

FORGET_SECONDS = 3_600.0


class Dispatcher:
    """Answers what the channels received."""

    def __init__(
        self,
        channels: Mapping[str, Channel],
        store: ChannelStore,
        desks: Mapping[str, FrontDesk],
        ask: Ask,
        drain: Drain,
    ) -> None:
        """Ask through `ask`, which is told the bot by the question, until draining begins."""
        self._channels, self._store, self._desks, self._ask, self._draining = channels, store, desks, ask, drain
        self._working: dict[int, asyncio.Task[None]] = {}
        self._news = asyncio.Event()
        self.problem: str | None = None
        """Why nothing is answered, if so."""

    async def take(self, channel: Channel, incoming: Incoming) -> bool:
        """Keep a message to be answered; False if it came before."""
        is_new = await self._store.receive(channel.name, incoming)
        if is_new:
            self._news.set()
        return is_new

    async def run(self) -> None:
        """Answer what is due, again and again, until cancelled; what does not end soon then is left for the next."""
        try:
            while True:
                self._news.clear()
                await self._take_up()
                with suppress(TimeoutError):
                    async with asyncio.timeout(POLL_SECONDS):  # Python 3.11's wait_for may swallow a cancellation
                        await self._news.wait()
        finally:
            await self._end(list(self._working.values()))

    async def forget_old(self) -> None:
        """Forget what was answered long ago, again and again, until cancelled."""
        while True:
            try:
                await self._store.forget_old()
            except Exception:  # the database may be away; it is asked again
                log.exception("old messages could not be forgotten")
            await asyncio.sleep(FORGET_SECONDS)

    async def _take_up(self) -> None:
        """Begin with what is due; while the database is away, that is a problem and not the end."""
        if self._draining.begun:  # the next start, or another replica, answers what is due
            return
        try:
            due = await self._store.claim(MAX_AT_ONCE - len(self._working), self._working)
        except Exception as error:
            self.problem = f"what channels receive is not answered: {type(error).__name__}"
            log.exception("received messages could not be read")
            return
        self.problem = None
        for received in due:
            self._working[received.id] = asyncio.create_task(self._handle(received))
            self._working[received.id].add_done_callback(partial(self._is_done, received.id))

    async def _end(self, working: list[asyncio.Task[None]]) -> None:
        if working:
            _, late = await asyncio.wait(working, timeout=self._draining.seconds_left)
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)

    def _is_done(self, received_id: int, task: asyncio.Task[None]) -> None:
        del self._working[received_id]
        self._news.set()
        if not task.cancelled() and (error := task.exception()):  # its lease ends, and it is taken up again
            log.error("a message could not be handled", message=received_id, error=f"{type(error).__name__}: {error}")

    async def _handle(self, received: Received) -> None:
        channel = self._channels.get(received.channel)
        if channel is None:  # it is not set up any more; it may come back
            await self._store.try_later(received, DELAYS_SECONDS[-1])
            return
        bind_contextvars(request_id=f"{received.channel}-{received.id}")
        try:
            with self._draining.working():
                async with self._keeping(received):
                    await self._answer(channel, received)
        except asyncio.CancelledError:
            await self._store.leave(received)
            raise
        except ServerStopping:
            await self._store.try_later(received, 0)
        except SendHeld as error:
            log.info("an answer came too late", channel=received.channel, message=received.message_id, why=str(error))
            await self._finish(received, str(error))
        except SendFailed as error:
            channel.failed(str(error))
            await self._retry(received, error, error.retry_after)
        except ChannelError as error:
            channel.failed(str(error))
            await self._give_up(received, str(error))
        except Exception as error:  # whatever went wrong, the customer is waiting
            log.exception("answering a channel crashed", channel=received.channel, message=received.message_id)
            await self._retry_or_apologise(channel, received, error)
        else:
            channel.worked()
            channel.answered += 1
            await self._finish(received)

    async def _answer(self, channel: Channel, received: Received) -> None:
        desk = self._desks[channel.bot]
        conversation = await self._store.conversation_of(received.thread_id, channel.bot)
        if received.kind == "media":
            await self._say(channel, received, messages.text_only(desk.settings.bot.language))
        elif received.kind == "entered":
            if await self._store.is_first(received):
                await self._say(channel, received, desk.settings.bot.welcome)
        else:
            question = Question(
                text=received.text,
                conversation_id=conversation,
                message_id=received.message_id,
                channel=channel.name,
                visitor=f"{channel.name}:{received.thread}",
                bot=channel.bot,
            )
            try:
                await channel.connector.deliver(_Answering(received, self._store, self._events(received, question)))
            except QuestionRejected as error:
                is_long = error.reason == "question_too_long"
                language = desk.settings.bot.language
                await self._say(channel, received, (messages.too_long if is_long else messages.no_words)(language))

    async def _events(self, received: Received, question: Question) -> AsyncGenerator[Event]:
        async for event in self._ask(question):
            if isinstance(event, Started) and event.answer.conversation_id != question.conversation_id:
                await self._store.join(received.thread_id, event.answer.conversation_id)
            yield event

    async def _say(self, channel: Channel, received: Received, text: str) -> None:
        """Send a sentence of ours."""
        await channel.connector.say(_Sending(received, self._store), text, f"m{received.id}")

    @asynccontextmanager
    async def _keeping(self, received: Received) -> AsyncIterator[None]:
        """Renew the lease of a message for as long as the block lasts."""

        async def renew() -> None:
            while True:
                await asyncio.sleep(LEASE.total_seconds() / 3)
                try:
                    await self._store.renew(received)
                except Exception:  # the next time may come before the lease ends
                    log.exception("a message could not be kept", message=received.id)

        renewing = asyncio.create_task(renew())
        try:
            yield
        finally:
            renewing.cancel()
            await asyncio.gather(renewing, return_exceptions=True)

    async def _retry(self, received: Received, error: Exception, seconds: float | None = None) -> None:
        if now() - received.created_at > GIVE_UP_AFTER:
            await self._give_up(received, str(error))
            return
        delay = seconds or DELAYS_SECONDS[min(received.attempts, len(DELAYS_SECONDS) - 1)]
        log.warning(
            "an answer did not arrive", channel=received.channel, message=received.message_id, error=str(error),
            again_in=delay,
        )  # fmt: skip
        await self._store.try_later(received, delay)

    async def _retry_or_apologise(self, channel: Channel, received: Received, error: Exception) -> None:
        if received.attempts + 1 < MAX_CRASHES:
            await self._retry(received, error)
            return
        with suppress(ChannelError):
            language = messages.as_language(self._desks[channel.bot].settings.bot.language)
            await self._say(channel, received, messages.something_failed(language))
        await self._give_up(received, f"{type(error).__name__}: {error}")

    async def _give_up(self, received: Received, failure: str) -> None:
        log.error("an answer was given up", channel=received.channel, message=received.message_id, error=failure)
        await self._finish(received, failure)

    async def _finish(self, received: Received, failure: str | None = None) -> None:
        await self._store.finish(received, failure)
        if channel := self._channels.get(received.channel):
            await channel.connector.settled(received.address)


@dataclass
class _Sending:
    """What is said to one message, on its way."""

    received: Received
    store: ChannelStore
    sent: int = field(init=False)

    def __post_init__(self) -> None:
        self.sent = self.received.sent

    @property
    def address(self) -> Address:
        return self.received.address

    @property
    def again(self) -> bool:
        return self.received.attempts > 0

    async def mark_sent(self, count: int) -> None:
        self.sent = count
        await self.store.mark_sent(self.received, count)


@dataclass
class _Answering(_Sending):
    """The answer to one message, on its way."""

    stream: AsyncIterator[Event]

    def events(self) -> AsyncIterator[Event]:
        return self.stream

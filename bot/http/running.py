"""Answers on their way: each runs by itself, so that a reader who was cut off can come back to it."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import AsyncGenerator, Callable, Collection, Iterator, Mapping
from contextlib import aclosing, contextmanager
from typing import Any

import structlog
from structlog.contextvars import bind_contextvars

from bot.desk import FrontDesk
from bot.draining import Drain
from bot.errors import NotFound, QuestionRejected
from bot.http.metrics import UNANSWERED, count
from bot.http.shapes import ServerEvents, to_server_events
from bot.http.sharing import NotShared
from bot.question import Event, Finished, Question, Started

log = structlog.get_logger()

GRACE_SECONDS = 5.0
"""How long an answer goes on without a reader before it is given up and the model is free."""

KEEP_SECONDS = 120.0
"""How long a finished answer can still be read again."""

MAX_KEPT = 2_000
"""Finished answers, some ten kilobytes each: under load the oldest are forgotten sooner."""


class RunningAnswer:
    """The events of one answer so far, for any number of readers."""

    def __init__(self, question: Question) -> None:
        """Begin without events."""
        self.question = question
        self.turn_id: str | None = None
        self.failure: Exception | None = None
        self.ended_at: float | None = None
        self.readers = 0
        self.left_at = time.monotonic()
        self.task: asyncio.Task[None] | None = None
        self.events: list[Event] = []
        self._changed = asyncio.Event()

    def add(self, event: Event) -> None:
        """Give the readers one more event."""
        self.events.append(event)
        self._wake_readers()

    def end(self, at: float, failure: Exception | None) -> None:
        """Let the readers stop, or fail."""
        self.ended_at, self.failure = at, failure
        self._wake_readers()

    async def begun(self) -> None:
        """Wait for the first event; raises the failure if there is none."""
        with self._being_read():
            await self._more_than(0)
        if not self.events and self.failure is not None:
            raise self.failure

    def is_unread(self, now: float) -> bool:
        """Say whether it goes on though nobody has read it for a while."""
        goes_on = self.task is not None and not self.task.done() and not self.task.cancelling()
        return goes_on and self.readers == 0 and now - self.left_at > GRACE_SECONDS

    async def read(self) -> AsyncGenerator[Event]:
        """Yield all events, those to come included; raises the failure."""
        seen = 0
        with self._being_read():
            while True:
                while seen < len(self.events):
                    yield self.events[seen]
                    seen += 1
                if self.ended_at is not None:
                    if self.failure is not None:
                        raise self.failure
                    return
                await self._more_than(seen)

    async def stream(self) -> ServerEvents:
        """Yield the same as server-sent events."""
        async with aclosing(self.read()) as events:
            async for event in events:
                for each in to_server_events(event):
                    yield each

    @contextmanager
    def _being_read(self) -> Iterator[None]:
        self.readers += 1
        try:
            yield
        finally:
            self.readers -= 1
            self.left_at = time.monotonic()

    async def _more_than(self, seen: int) -> None:
        while len(self.events) <= seen and self.ended_at is None:
            await self._changed.wait()

    def _wake_readers(self) -> None:
        changed, self._changed = self._changed, asyncio.Event()
        changed.set()


_Key = tuple[str | None, str, str | None, str]


def _key(question: Question) -> _Key | None:
    """Return what makes two questions the same message; None for one that is never the same as another."""
    if question.message_id is None:
        return None
    return question.message_id, question.channel, question.visitor, question.bot


class RunningAnswers:
    """All answers on their way, and those that have just ended, by turn and by message."""

    def __init__(
        self,
        desks: Mapping[str, FrontDesk],
        drain: Drain,
        clock: Callable[[], float] = time.monotonic,
        shared: NotShared | None = None,
    ) -> None:
        """Answer with the desk of each bot, until draining begins; `shared` knows of other replicas' answers."""
        self._desks, self._drain, self._clock, self._shared = desks, drain, clock, shared or NotShared()
        self._running: set[RunningAnswer] = set()
        self._ended: deque[RunningAnswer] = deque()
        self._by_message: dict[_Key | None, RunningAnswer] = {}
        self._by_turn: dict[str, RunningAnswer] = {}

    def start(self, question: Question) -> RunningAnswer:
        """Begin to answer; a message that is being answered already gives its own running answer.

        Raises:
            ServerStopping: nothing new is begun any more.
        """
        self._forget_old()
        key = _key(question)
        if key is not None and key in self._by_message:
            return self._by_message[key]
        self._drain.admit(question.text, question.language)
        running = RunningAnswer(question)
        if key is not None:
            self._by_message[key] = running
        self._running.add(running)
        running.task = asyncio.create_task(self._run(running))
        return running

    def holds(self, question: Question) -> bool:
        """Say whether a message is being answered, or was a moment ago."""
        return _key(question) in self._by_message

    @property
    def unfinished(self) -> int:
        """How many are on their way."""
        return len(self._running)

    async def events(self, question: Question) -> AsyncGenerator[Event]:
        """Answer a question and yield its events; raises the failure."""
        async with aclosing(self.start(question).read()) as events:
            async for event in events:
                yield event

    def find(self, turn_id: str, visitor: str | None = None) -> RunningAnswer:
        """Return the answer of a turn; raises NotFound once it is forgotten, and for another visitor's."""
        running = self._by_turn.get(turn_id)
        if running is not None and running.question.visitor in (None, visitor):
            return running
        raise NotFound(f"the answer of turn {turn_id} is not being streamed any more")

    def forget(self) -> None:
        """Forget the answers that are finished; nobody can read them again."""
        while self._ended:
            self._forget(self._ended.popleft())

    async def resume(self, turn_id: str, visitor: str | None) -> ServerEvents:
        """Return the stream of a turn's answer, from its beginning, whichever replica makes it; raises as `find`."""
        try:
            return self.find(turn_id, visitor).stream()
        except NotFound:
            elsewhere = self._shared.read(turn_id, visitor)
            first = await anext(elsewhere)
            return _chained(first, elsewhere)

    async def give_up_unread(self) -> None:
        """Cancel what nobody has read for a while, again and again, until cancelled."""
        while True:
            await asyncio.sleep(GRACE_SECONDS / 5)
            now = self._clock()
            unread = [running for running in self._running if running.is_unread(now)]
            read = await self._read_elsewhere(unread) if unread else ()
            for running in unread:
                if running not in read and running.task is not None:
                    running.task.cancel()

    async def _read_elsewhere(self, unread: list[RunningAnswer]) -> Collection[object]:
        try:
            return await self._shared.read_elsewhere(unread)
        except Exception as error:  # nobody knows, so they go on
            log.warning("readers elsewhere are not known", error=str(error))
            return unread

    async def close(self) -> None:
        """Let running answers finish for as long as draining may take, then cancel them."""
        tasks = [running.task for running in self._running if running.task is not None and not running.task.done()]
        if tasks:
            keeping = asyncio.create_task(self.share())
            _, late = await asyncio.wait(tasks, timeout=self._drain.seconds_left)
            for task in (*late, keeping):
                task.cancel()
            await asyncio.gather(*late, keeping, return_exceptions=True)

    async def _run(self, running: RunningAnswer) -> None:
        failure: Exception | None = None
        question = running.question
        try:
            with self._drain.working():
                await self._shared.claim(running)
                async with aclosing(self._desks[question.bot].answer(question)) as events:
                    async for event in events:
                        if isinstance(event, Started):
                            running.turn_id = event.answer.turn_id
                            self._by_turn[running.turn_id] = running
                            bind_contextvars(turn=running.turn_id)
                        if isinstance(event, Finished):
                            count(event.answer)
                        running.add(event)
        except asyncio.CancelledError:
            unread = NotFound("the answer was given up because nobody was reading it")
            failure = self._drain.refusal(question.text, question.language) if self._drain.begun else unread
            UNANSWERED.labels("stopping" if self._drain.begun else "unread").inc()
        except Exception as error:  # it belongs to whoever reads
            failure = error
            UNANSWERED.labels("rejected" if isinstance(error, (QuestionRejected, NotFound)) else "failed").inc()
        finally:
            running.end(self._clock(), failure)
            self._running.discard(running)
            self._ended.append(running)
            if failure is not None:
                self._forget_message(running)
            await self._shared.end(running)

    async def share(self) -> None:
        """Let other replicas know, until cancelled."""
        await self._shared.keep()

    def _forget_old(self) -> None:
        now = self._clock()
        while self._ended and (len(self._ended) > MAX_KEPT or now - (self._ended[0].ended_at or 0) >= KEEP_SECONDS):
            self._forget(self._ended.popleft())

    def _forget(self, running: RunningAnswer) -> None:
        self._forget_message(running)
        if running.turn_id is not None and self._by_turn.get(running.turn_id) is running:
            del self._by_turn[running.turn_id]

    def _forget_message(self, running: RunningAnswer) -> None:
        """Let the same message be answered anew."""
        key = _key(running.question)
        if key is not None and self._by_message.get(key) is running:
            del self._by_message[key]


async def _chained(first: tuple[str, Any], rest: ServerEvents) -> ServerEvents:
    async with aclosing(rest):
        yield first
        async for each in rest:
            yield each

"""What replicas know of each other's running answers."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Collection, Sequence
from typing import Any, Protocol

import structlog

from bot.errors import NotFound
from bot.http.shapes import ServerEvents, to_server_events
from bot.question import Answer, Event, Finished, Question, Started, Token
from bot.store.conversations import ConversationStore
from bot.store.running import HELD_SECONDS, RunningStore
from bot.store.tables import new_id

log = structlog.get_logger()

SHARE_SECONDS = 0.25
"""How far the others are behind. What is answered sooner, and told by its turn, is never shared."""

FORGET_SECONDS = 60.0


class Shareable(Protocol):
    """A running answer, as far as others are told of it."""

    question: Question
    turn_id: str | None
    failure: Exception | None

    @property
    def events(self) -> Sequence[Event]:
        """What there is of it so far."""
        ...


class NotShared:
    """There is one replica."""

    async def claim(self, answer: Shareable) -> None:
        """Nobody else answers the same message."""

    async def end(self, answer: Shareable) -> None:
        """Nobody waits for it."""

    async def read_elsewhere(self, answers: Collection[Shareable]) -> Collection[Shareable]:
        """Nobody else reads."""
        del answers
        return ()

    async def read(self, turn_id: str, visitor: str | None) -> ServerEvents:
        """Nobody else writes."""
        del visitor
        raise NotFound(f"the answer of turn {turn_id} is not being streamed any more")
        yield

    async def keep(self) -> None:
        """Nothing is shared."""


class SharedAnswers(NotShared):
    """There may be others."""

    def __init__(self, store: RunningStore) -> None:
        """Share through a store."""
        self._store = store
        self._conversations = ConversationStore(store.database)
        self._mine: dict[str, Shareable] = {}
        self._shared: dict[str, int] = {}
        """How many events of each the others know."""
        self._sharing = asyncio.Lock()
        """Held while something is written, so that what is older never comes later."""

    async def claim(self, answer: Shareable) -> None:
        """Wait until no other replica is answering the same message; then it is answered here, or was there."""
        identifier, question = _identifier(answer.question), answer.question
        if question.message_id is not None:
            while not await self._store.claim(identifier, question.visitor):
                await self._store.wait(identifier)
                await asyncio.sleep(SHARE_SECONDS)
        self._mine[identifier] = answer

    async def end(self, answer: Shareable) -> None:
        """Tell the others that an answer has ended; one that its turn tells, or that failed, is taken back."""
        async with self._sharing:
            for identifier in [name for name, mine in self._mine.items() if mine is answer]:
                del self._mine[identifier]
                was_shared = self._shared.pop(identifier, 0)
                try:
                    if answer.failure is None and not _is_told_by_turn(answer.events):
                        await self._share(identifier, answer, ended=True)
                    elif was_shared or answer.question.message_id is not None:
                        await self._store.release(identifier)
                except Exception as error:  # what is held ends by itself
                    log.warning("the end of an answer could not be shared", error=str(error))

    async def read_elsewhere(self, answers: Collection[Shareable]) -> Collection[Shareable]:
        """Return those of some answers that are read, or waited for, on other replicas."""
        names = {name: mine for name, mine in self._mine.items() if mine in answers}
        read = await self._store.read_elsewhere(names) if names else ()
        return [names[name] for name in read]

    async def read(self, turn_id: str, visitor: str | None) -> ServerEvents:
        """Yield what another replica's stream sends, from its beginning; once it has ended, what the turn tells.

        Raises:
            NotFound: there is no such answer, it is another visitor's, or whoever made it has died.
        """
        if await self._conversations.visitor_of(turn_id) not in (None, visitor):
            raise NotFound(f"there is no turn {turn_id}")
        seen, began = 0, time.monotonic()
        while True:
            shared = await self._store.look(turn_id)
            for each in shared.events[seen:] if shared else ():
                yield each
                seen += 1
            if shared is not None and shared.ended:
                return
            if shared is None or shared.lost:
                answer = await self._finished(turn_id)
                if answer is not None:
                    told = _told_by(answer)
                    for each in told[seen:] or told[-1:]:
                        yield each
                    return
                if seen or shared is not None or time.monotonic() > began + HELD_SECONDS:
                    raise NotFound(f"the answer of turn {turn_id} was not finished; send the same message_id again")
            await asyncio.sleep(SHARE_SECONDS)

    async def _finished(self, turn_id: str) -> Answer | None:
        try:
            return await self._conversations.answer(turn_id)
        except NotFound:
            return None

    async def keep(self) -> None:
        """Share what is new, and that this replica lives, again and again, until cancelled."""
        renewed_at = forgot_at = time.monotonic()
        while True:
            await asyncio.sleep(SHARE_SECONDS)
            now = time.monotonic()
            try:
                async with self._sharing:
                    for identifier, answer in list(self._mine.items()):
                        if answer.turn_id is not None and len(answer.events) > self._shared.get(identifier, 0):
                            await self._share(identifier, answer, ended=False)
                if self._mine and now > renewed_at + HELD_SECONDS / 3:
                    renewed_at = now
                    await self._store.renew(list(self._mine))
                if now > forgot_at + FORGET_SECONDS:
                    forgot_at = now
                    await self._store.forget_old()
            except Exception as error:  # the database is away; answers go on without it
                log.warning("running answers could not be shared", error=str(error))

    async def _share(self, identifier: str, answer: Shareable, *, ended: bool) -> None:
        assert answer.turn_id is not None
        count = len(answer.events)
        events = _sent(answer.events[:count])
        await self._store.share(identifier, answer.turn_id, answer.question.visitor, events, ended=ended)
        if identifier in self._mine:
            self._shared[identifier] = count


def _identifier(question: Question) -> str:
    """Return what the same message has in common wherever it is sent; without an identifier it is like no other."""
    if question.message_id is None:
        return new_id()
    return json.dumps([question.bot, question.channel, question.visitor, question.message_id], ensure_ascii=False)


def _sent(events: Sequence[Event]) -> list[tuple[str, Any]]:
    return [each for event in events for each in to_server_events(event)]


def _told_by(answer: Answer) -> list[tuple[str, Any]]:
    return _sent([Started(answer), Token(answer.text), Finished(answer)])


def _is_told_by_turn(events: Sequence[Event]) -> bool:
    """Say whether an answer came in one piece, so that its turn tells all that its stream has sent."""
    match events:
        case [Started(), Token() as token, Finished() as finished]:
            return token.text == finished.answer.text
    return False

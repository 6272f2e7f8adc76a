"""Grounded answers: the local model's words about one entry, of which a customer hears what the entry bears out."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator
from contextlib import aclosing

import structlog

from bot import prompts
from bot.case import Case
from bot.checks import GroundingCheck, foreign_words, split_clauses
from bot.errors import ModelBusy
from bot.guards import mentions
from bot.models.base import ChatModel, Generation, Sampling
from bot.question import Event, Token
from bot.reuse import AnswerCache, Worded
from bot.settings import Settings
from bot.telemetry import traced

log = structlog.get_logger()


class Wording:
    """Words answers, and remembers them."""

    def __init__(self, settings: Settings) -> None:
        """Begin without memories."""
        self._settings = settings
        self._worded = AnswerCache(settings.models.answer_cache)

    def configure(self, settings: Settings) -> None:
        """Go by other settings, under which what was worded may not be right any more."""
        self._settings = settings
        self.forget()

    def forget(self) -> None:
        """Forget all that was worded."""
        self._worded.clear()

    @traced("generate")
    async def word(self, case: Case, model: ChatModel) -> AsyncGenerator[Event]:
        """Answer from the best entry, as far as that bears the words out; `trace.grounded` tells whether all of it was.

        Raises:
            ModelError: the model is of no help; ModelBusy: it has no time.
        """
        answer = case.answer
        case.cite([case.best])
        answer.model = model.name
        prompt = answer.trace.prompt = prompts.grounded(answer.language, answer.citations, case.query)
        if worded := self._worded.get(prompt):
            answer.trace.generated, answer.trace.grounded = worded.text, worded.grounded
            if worded.grounded:
                answer.text, answer.reused = worded.text, True
                yield case.begun()
                yield case.say_all()
            return
        async with aclosing(self._generate(case, model.generate(prompt, self._sampling()))) as events:
            async for event in events:
                yield event
        self._worded.put(prompt, Worded(answer.text, bool(answer.trace.grounded)))
        if not answer.trace.grounded:
            log.info("grounding check failed", turn=answer.turn_id)

    async def _generate(self, case: Case, generation: Generation) -> AsyncGenerator[Event]:
        answer = case.answer
        foreign = foreign_words(
            case.query.standalone, (f"{cited.question}\n{cited.answer}" for cited in answer.citations)
        )
        check = GroundingCheck((cited.answer for cited in answer.citations), foreign)
        try:
            yield case.begun()
            async with aclosing(self._checked(case, generation, check)) as tokens:
                async for token in tokens:
                    yield token
        finally:
            await generation.aclose()
        answer.trace.generated = answer.text
        answer.trace.grounded = check.is_grounded(answer.text) and not self._is_sensitive(answer.text)

    async def _checked(self, case: Case, generation: Generation, check: GroundingCheck) -> AsyncGenerator[Token]:
        """Stream an answer in clauses, each held back until it is borne out; stop at the first that cannot be."""
        answer, held = case.answer, ""
        try:
            async with aclosing(self._punctual(case, generation)) as pieces:
                async for piece in pieces:
                    held += piece
                    clauses, _ = split_clauses(held)
                    if not check.allows(answer.text + clauses) or self._is_sensitive(answer.text + held):
                        break
                    if clauses and check.is_grounded(answer.text + clauses):
                        yield case.say(clauses)
                        held = held.removeprefix(clauses)
            if held and check.is_grounded(answer.text + held) and not self._is_sensitive(answer.text + held):
                yield case.say(held)
            else:
                answer.text += held
        finally:
            await generation.aclose()
            answer.usage = generation.usage

    async def _punctual(self, case: Case, generation: Generation) -> AsyncGenerator[str]:
        """Pass on what the model says, as long as the customer need not wait too long for the first words.

        Raises:
            ModelBusy: none have been borne out in time.
        """
        pieces = aiter(generation)
        until = case.started + self._settings.models.patience_seconds
        while True:
            try:
                async with asyncio.timeout(None if case.answer.text else until - time.perf_counter()):
                    piece = await anext(pieces)
            except StopAsyncIteration:
                return
            except TimeoutError:
                raise ModelBusy(0, retry_after=1) from None
            yield piece

    def _sampling(self) -> Sampling:
        models = self._settings.models
        return Sampling(max_tokens=models.max_answer_tokens, seconds=models.answer_seconds)

    def _is_sensitive(self, text: str) -> bool:
        return mentions(text, self._settings.bot.sensitive_words)

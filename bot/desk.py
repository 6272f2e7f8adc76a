"""The path of a question, from the moment a connector hands it over to the answer it takes back."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import aclosing
from dataclasses import replace
from typing import TYPE_CHECKING

import structlog

from bot import messages, prompts
from bot.actions.running import Actions, Performance
from bot.case import Case
from bot.checks import keeps_to_facts
from bot.contextualise import choose, in_context, is_short
from bot.errors import ActionDeclined, ActionError, ModelBusy
from bot.guards import admit, asks_for_human, calls_off_human, has_words, mentions
from bot.handoff import HandoffDesk
from bot.models.base import ChatMessage, ChatModel, Sampling
from bot.privacy import mask
from bot.published import PublishedKnowledge
from bot.question import (
    Answer,
    Event,
    Finished,
    Message,
    Question,
    Started,
    Suggestion,
    Token,
)
from bot.routing import Situation, Step, outcome_of, route
from bot.settings import Settings
from bot.store.conversations import ConversationStore, OpenTurn
from bot.telemetry import traced
from bot.wording import Wording
from knowledge.errors import IndexUnavailable, ModelError
from knowledge.search import Evidence, Query
from knowledge.text import detect_language, names_language

if TYPE_CHECKING:
    from bot.models.remote import RemoteChatModel

log = structlog.get_logger()

SUGGESTIONS = 3
RECALLED = 3
"""Earlier questions that are searched again, where the channel keeps the conversation and we know of nothing."""

WITHOUT_PEOPLE = {"openai", "terminal"}
"""Channels that hear nothing but the answer to what they ask: nobody is called there, who could not reply."""


class FrontDesk:
    """Answers questions."""

    def __init__(
        self,
        *,
        settings: Settings,
        knowledge: PublishedKnowledge,
        conversations: ConversationStore,
        humans: HandoffDesk,
        actions: Actions,
        local: ChatModel | None = None,
        remote: RemoteChatModel | None = None,
    ) -> None:
        """Put the parts together."""
        self.settings = settings
        self.knowledge = knowledge
        self.conversations = conversations
        self.humans = humans
        self.local = local
        self.remote = remote
        self.actions = actions
        self._retired: list[RemoteChatModel] = []
        self._wording = Wording(settings)
        self._answerers: dict[Step, Callable[[Case], AsyncGenerator[Event]]] = {
            "action": self._act,
            "reply": self._reply_to_action,
            "direct": self._direct,
            "grounded": self._grounded,
            "clarify": self._clarify,
            "escalated": self._escalated,
            "handoff": self._handoff,
            "refused": self._refused,
        }

    @traced("question")
    async def answer(self, question: Question) -> AsyncGenerator[Event]:
        """Answer a question: Started, any number of Token, Finished.

        Raises:
            QuestionRejected: it is no question.
            NotFound: its conversation does not exist.
        """
        started = time.perf_counter()
        if self.local is not None:
            self.local.hold()
        text = admit(question.text, max_chars=self.settings.bot.max_question_chars)
        turn = await self.conversations.begin(replace(question, text=text))
        if turn.answered is not None:
            yield Started(turn.answered)
            yield Finished(turn.answered)
            return
        case = await self._open_case(question, text, turn, started)
        plan = self._plan(case, turn)
        async with aclosing(self._deliver(case, plan)) as events:
            async for event in events:
                yield event
        case.answer.timings.total_ms = (time.perf_counter() - started) * 1_000
        await self.conversations.finish(case.answer)
        yield Finished(case.answer)

    @property
    def unknown_actions(self) -> set[str]:
        """The actions that entries name and that are not there: those entries give their own words."""
        named = {located.entry.action for located in self.knowledge.entries if located.entry.action}
        return {name for name in named if not self.actions.offers(name)}

    def configure(self, settings: Settings, remote: RemoteChatModel | None) -> None:
        """Answer by other settings, and perhaps another remote model, from the next question on."""
        if self.remote is not None and self.remote is not remote:
            self._retired.append(self.remote)
        self.settings, self.humans.settings, self.remote = settings, settings.handoff, remote
        self._wording.configure(settings)
        self.knowledge.use_synonyms(settings.bot.synonyms)
        self.knowledge.answer_from(settings.bot.knowledge_bases)

    def forget(self) -> None:
        """Forget what customers said and were told, as far as it is in memory only."""
        self._wording.forget()
        self.knowledge.forget()

    async def close(self) -> None:
        """Let what is running end, and give everything back."""
        await self.actions.close()
        for model in (self.local, self.remote, *self._retired):
            if model is not None:
                await model.close()

    async def _open_case(self, question: Question, text: str, turn: OpenTurn, started: float) -> Case:
        """Contextualise and search; a number picks what was offered."""
        history = [*await self._recall(question.earlier, text), *turn.history]
        chosen = choose(text, turn.offered)
        text = chosen.question if chosen else text
        query = Query(text) if chosen else in_context(text, history)
        answer = Answer(
            conversation_id=turn.conversation_id,
            turn_id=turn.id,
            outcome="refused",
            language=messages.as_language(question.language or self._language_of(text, turn)),
            standalone=query.standalone if query.topic or chosen else None,
            handoff=turn.handoff,
        )
        evidence = Evidence([], 0.0)
        if turn.handoff == "bot" and has_words(text):
            begun = time.perf_counter()
            evidence = await self._search(query)
            answer.timings.search_ms = (time.perf_counter() - begun) * 1_000
        answer.candidates, answer.confidence = evidence.candidates, evidence.confidence
        awaited = await self.actions.awaited(turn.conversation_id) if turn.history else None
        return Case(question, text, query, history, evidence, answer, started, awaited)

    async def _search(self, query: Query) -> Evidence:
        try:
            return await self.knowledge.search(query)
        except (IndexUnavailable, ModelError) as error:
            log.warning("search failed", error=str(error))
            return Evidence([], 0.0)

    async def _recall(self, earlier: Sequence[str], asked: str) -> list[Message]:
        """Return the questions that a channel sends along, the last with what they were about if that may matter."""
        recalled = earlier[-RECALLED:] if is_short(asked) else ()
        history = [Message("customer", text) for text in earlier[: len(earlier) - len(recalled)]]
        for text in recalled:
            evidence = await self._search(in_context(text, history)) if has_words(text) else Evidence([], 0.0)
            history.append(Message("customer", text, evidence.best.entry.question if evidence.best else None))
        return history

    def _plan(self, case: Case, turn: OpenTurn) -> tuple[Step, ...]:
        if turn.handoff != "bot":
            return ("handoff",)
        if not has_words(case.text) or self._is_sensitive(case.text):
            return ("refused",)
        situation = Situation(
            confidence=case.evidence.confidence if case.evidence.candidates else 0.0,
            action=case.evidence.best is not None and self.actions.offers(case.best.entry.action),
            awaited=case.awaited is not None,
            asked_for_human=asks_for_human(case.text),
            local_model=self.local is not None,
            remote_model=self.remote is not None and self.remote.available,
            humans=self._can_call(case),
            misses=turn.misses,
        )
        return route(situation, self.settings.routing)

    async def _deliver(self, case: Case, plan: Sequence[Step]) -> AsyncGenerator[Event]:
        """Try the planned steps until one succeeds."""
        for step in plan:
            case.answer.outcome = outcome_of(step)
            try:
                async with aclosing(self._answerers[step](case)) as events:
                    async for event in events:
                        yield event
            except ActionDeclined as error:
                log.info("action declined", turn=case.answer.turn_id, reason=str(error))
            except ActionError as error:
                log.warning("action failed", turn=case.answer.turn_id, error=str(error))
                case.answer.degraded = True
            except ModelError as error:
                log.warning("outcome failed", outcome=step, turn=case.answer.turn_id, error=str(error))
                case.answer.text, case.answer.model, case.answer.citations = "", None, []
            else:
                return

    def _language_of(self, text: str, turn: OpenTurn) -> str:
        """Return a text's language; one without words, such as an order's number, is in that of the conversation."""
        return detect_language(text) if names_language(text) else turn.language or self.settings.bot.language

    def _is_sensitive(self, text: str) -> bool:
        return mentions(text, self.settings.bot.sensitive_words)

    # One function a step. Each fills in the answer and may stream it.

    async def _act(self, case: Case) -> AsyncGenerator[Event]:
        assert case.best.entry.action is not None
        performance = await self.actions.perform(case.best.entry.action, case.occasion())
        performance.texts = performance.texts or [case.best.entry.answer]
        case.cite([case.best])
        async for event in self._show(case, performance):
            yield event

    async def _reply_to_action(self, case: Case) -> AsyncGenerator[Event]:
        assert case.awaited is not None
        performance = await self.actions.perform(case.awaited, case.occasion())
        if not performance.texts and not performance.people:
            raise ActionDeclined("it said nothing")
        async for event in self._show(case, performance):
            yield event

    async def _show(self, case: Case, performance: Performance) -> AsyncGenerator[Event]:
        """Give what an action said, and call people if it wants them."""
        answer = case.answer
        if performance.people and self._can_call(case):
            await self.humans.call(answer.conversation_id, "action")
            answer.outcome, answer.handoff = "handoff", "waiting"
            performance.texts.append(self.humans.answer_to_call(answer.language))
        answer.action, answer.text = performance.action, performance.text
        answer.suggestions = [Suggestion("", choice) for choice in performance.choices]
        yield case.begun()
        yield Token(answer.text)

    async def _direct(self, case: Case) -> AsyncGenerator[Event]:
        case.answer.text = case.best.entry.answer
        case.cite([case.best])
        yield case.begun()
        yield Token(case.answer.text)

    async def _grounded(self, case: Case) -> AsyncGenerator[Event]:
        assert self.local is not None
        answer = case.answer
        try:
            async with aclosing(self._wording.word(case, self.local)) as events:
                async for event in events:
                    yield event
            if answer.trace.grounded:
                return
        except ModelBusy as error:
            log.warning("the local model is too busy", turn=answer.turn_id, waiting=error.waiting)
            async with aclosing(self._escalated_instead(case)) as events:
                async for event in events:
                    yield event
            if answer.outcome == "escalated":
                return
        except ModelError as error:
            log.warning("the local model is of no help", error=str(error))
        case.give_entry_instead()
        yield case.begun()
        if answer.timings.first_token_ms is None:  # else the reader is told by the end that the text was replaced
            yield case.say_all()

    async def _escalated_instead(self, case: Case) -> AsyncGenerator[Event]:
        """Ask the remote model what the local one has no time for, if that is wanted; its outcome tells."""
        if self.settings.models.when_busy != "remote" or self.remote is None or not self.remote.available:
            return
        case.answer.outcome, case.answer.degraded = "escalated", True
        try:
            async with aclosing(self._escalated(case)) as events:
                async for event in events:
                    yield event
        except ModelError as error:
            case.answer.outcome = "grounded"
            log.warning("the remote model is of no help either", turn=case.answer.turn_id, error=str(error))

    def _can_call(self, case: Case) -> bool:
        return self.humans.enabled and case.asked.channel not in WITHOUT_PEOPLE

    async def _clarify(self, case: Case) -> AsyncGenerator[Event]:
        case.answer.text = messages.clarify(case.answer.language)
        case.answer.suggestions = [
            Suggestion(candidate.entry.key, candidate.entry.question)
            for candidate in case.evidence.candidates[:SUGGESTIONS]
        ]
        yield case.begun()
        yield Token(case.answer.text)

    @traced("escalate", "CLIENT")
    async def _escalated(self, case: Case) -> AsyncGenerator[Event]:
        assert self.remote is not None
        answer = case.answer
        answer.model = self.remote.name
        case.cite(case.evidence.candidates[:SUGGESTIONS])
        past = [Message(message.role, mask(message.text)) for message in case.history]
        prompt = answer.trace.prompt = prompts.escalated(answer.language, answer.citations, past, mask(case.text))
        text = answer.trace.generated = await self._ask_remote(case, prompt)
        if not text or text.strip(" .。!！").lower() in prompts.UNKNOWN:
            raise ModelError("the remote model has no answer either")
        if self._is_sensitive(text):
            raise ModelError("the remote model used a sensitive word")
        if not keeps_to_facts(text, (cited.answer for cited in answer.citations), case.text):
            raise ModelError("the remote model named a number, date or address that no entry has")
        answer.text = text
        yield case.begun()
        yield case.say_all()

    @traced("handoff")
    async def _handoff(self, case: Case) -> AsyncGenerator[Event]:
        answer = case.answer
        if answer.handoff == "bot":
            reason = "asked" if asks_for_human(case.text) else "unanswered"
            await self.humans.call(answer.conversation_id, reason)
            answer.handoff = "waiting"
            answer.text = self.humans.answer_to_call(answer.language, asked=reason == "asked")
        elif calls_off_human(case.text) and await self.humans.call_off(answer.conversation_id):
            answer.handoff, answer.text = "bot", messages.bot_again(answer.language)
        else:
            if answer.handoff == "waiting":
                answer.text = self.humans.answer_meanwhile(answer.language)
            self.humans.changes.tell(answer.conversation_id)
        yield case.begun()
        if answer.text:
            yield Token(answer.text)

    async def _refused(self, case: Case) -> AsyncGenerator[Event]:
        language = case.answer.language
        if not has_words(case.text):
            case.answer.text = messages.no_words(language)
        elif self._is_sensitive(case.text):
            case.answer.text = messages.not_discussed(language)
        elif asks_for_human(case.text):
            case.answer.text = messages.no_humans(language)
        else:
            case.answer.text = messages.out_of_scope(language, can_hand_off=self._can_call(case))
        yield case.begun()
        yield Token(case.answer.text)

    async def _ask_remote(self, case: Case, prompt: list[ChatMessage]) -> str:
        assert self.remote is not None
        generation = self.remote.generate(prompt, Sampling(max_tokens=self.settings.models.max_answer_tokens * 2))
        try:
            async with asyncio.timeout(self.settings.remote.timeout_seconds):
                pieces = [piece async for piece in generation]
        except TimeoutError as error:
            self.remote.took_too_long()
            raise ModelError("the remote model took too long") from error
        finally:
            await generation.aclose()
            case.answer.usage = generation.usage
        return "".join(pieces).strip()

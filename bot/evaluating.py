"""What customers would have got for the questions of a test suite: by searching alone, or by the whole path."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from functools import partial

from bot.contextualise import in_context
from bot.desk import FrontDesk
from bot.question import Answer, Finished, Message, Question
from bot.routing import Situation, route
from bot.sections import RoutingSettings
from knowledge.embedding.base import OnProgress, no_progress
from knowledge.errors import FrontDeskError
from knowledge.evaluation.cases import TestCase, Verdict, evaluate
from knowledge.evaluation.metrics import overlap
from knowledge.evaluation.report import Judged
from knowledge.search import Query, Searcher


def judge_search(
    searcher: Searcher,
    cases: Sequence[TestCase],
    bands: RoutingSettings,
    *,
    today: date,
    on_progress: OnProgress = no_progress,
) -> list[Judged]:
    """Search for each question in its conversation; the outcome is the one that the confidence leads to."""
    read = partial(_in_conversation, searcher, today)
    verdicts = evaluate(searcher, cases, today=today, read=read, on_progress=on_progress)
    return [Judged(verdict, route(Situation(confidence=verdict.confidence), bands)[0]) for verdict in verdicts]


async def judge_answers(
    desk: FrontDesk, cases: Sequence[TestCase], on_progress: OnProgress = no_progress
) -> list[Judged]:
    """Ask each question of a desk that leaves no trace, models and checks included."""
    judged = []
    for number, case in enumerate(cases, start=1):
        answer = await _answer(desk, case)
        keys = tuple(candidate.entry.key for candidate in answer.candidates)
        verdict = Verdict(case, keys, answer.confidence or 0.0, answer.timings.total_ms)
        complete = case.is_answered_by(answer.text)
        likeness = max((overlap(answer.text, accepted) for accepted in case.accepted), default=None)
        judged.append(Judged(verdict, answer.outcome, answer.trace.grounded, complete, likeness))
        on_progress(number, len(cases))
    return judged


def _in_conversation(searcher: Searcher, today: date, case: TestCase) -> Query:
    """Return a question with what those before it were about, as the desk would have found."""
    history: list[Message] = []
    for question in case.earlier:
        best = searcher.search(in_context(question, history), today=today, count=1).best
        history.append(Message("customer", question, best.entry.question if best else None))
    return in_context(case.question, history)


async def _answer(desk: FrontDesk, case: TestCase) -> Answer:
    async for event in desk.answer(Question(text=case.question, earlier=case.earlier, channel="evaluation")):
        if isinstance(event, Finished):
            return event.answer
    raise FrontDeskError(f"{case.question!r} was not answered")

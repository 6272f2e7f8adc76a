"""What a support lead wants to know of all conversations, counted in SQL."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Any, get_args

from sqlalchemy import (
    CTE,
    ColumnElement,
    Integer,
    Select,
    and_,
    case,
    column,
    distinct,
    false,
    func,
    literal,
    select,
    true,
    union_all,
    values,
)
from sqlalchemy.ext.asyncio import AsyncSession

from bot.days import beginning_of, days_between
from bot.guards import mentions
from bot.question import Outcome
from bot.store.database import Store, whole
from bot.store.tables import ConversationRow, FeedbackRow, HandoffRow, MessageRow, Moment, TurnRow
from knowledge.text import bare

ANSWERED: tuple[Outcome, ...] = ("direct", "grounded", "escalated")
OUTCOMES: tuple[Outcome, ...] = get_args(Outcome)
TOP = 20
MAX_WORDINGS = 5_000
"""Wordings of refused questions, the commonest first, that are looked at for the top ones."""

_UNTIMED: tuple[float | None, float | None] = None, None
_TIMED = and_(TurnRow.total_ms.is_not(None), TurnRow.outcome != "handoff")


@dataclass(frozen=True)
class Day:
    """One day where the server stands; a thumb belongs to the day of its question, whenever it was given."""

    date: date
    conversations: int
    questions: int
    outcomes: dict[str, int]
    latency_p50_ms: float | None
    latency_p90_ms: float | None
    up: int
    down: int


@dataclass(frozen=True)
class Totals:
    """The whole time.

    `self_service_rate` is the share of the conversations with a question in this time that got an answer (direct,
    grounded or escalated), never reached a person and were not left with a refusal as their last word. It does not
    know whether the answer helped: who leaves without a word counts as served. Latency is that of the bot's replies;
    what it leaves to people is not timed. Rates and latencies of nothing are None.
    """

    conversations: int
    questions: int
    self_service_rate: float | None
    handoffs: int
    escalated: int
    feedback_up: int
    feedback_down: int
    prompt_tokens_remote: int
    completion_tokens_remote: int
    latency_p50_ms: float | None
    latency_p90_ms: float | None


@dataclass(frozen=True)
class ChannelCount:
    """How many questions a channel brought."""

    channel: str
    questions: int


@dataclass(frozen=True)
class TopEntry:
    """How many questions an entry answered."""

    knowledge_base: str
    key: str
    question: str
    count: int


@dataclass(frozen=True)
class TopUnanswered:
    """How often a question was refused, in its commonest wording."""

    question: str
    count: int


@dataclass(frozen=True)
class Statistics:
    """Everything that the dashboard shows; `channels` has them all, also when one was asked for."""

    totals: Totals
    days: list[Day]
    channels: list[ChannelCount]
    top_questions: list[TopEntry]
    top_unanswered: list[TopUnanswered]


@dataclass(frozen=True)
class _Span:
    """Some days, as conditions on when something was, and through which channel."""

    start: date
    end: date
    channel: str | None

    def holds(self, moment: Any) -> ColumnElement[bool]:
        begins, ends = beginning_of(self.start), beginning_of(self.end + timedelta(days=1))
        return and_(moment >= begins, moment < ends)

    @property
    def through(self) -> ColumnElement[bool]:
        """The turns of the channel, put so that SQLite, which cannot guess how many they are, looks by time."""
        return true() if self.channel is None else (TurnRow.channel != self.channel).is_(false())

    @property
    def asked(self) -> ColumnElement[bool]:
        """The turns of these days and the channel."""
        return and_(self.holds(TurnRow.created_at), self.through)

    @property
    def days(self) -> CTE:
        """A table of the days and when they begin and end, since databases know nothing of the server's summer time."""
        listed = days_between(self.start, self.end)
        rows: list[tuple[int, datetime, datetime]] = [
            (number, beginning_of(day), beginning_of(day + timedelta(days=1))) for number, day in enumerate(listed)
        ]
        columns = column("number", Integer), column("begins", Moment()), column("ends", Moment())
        return values(*columns, name="days").data(rows).cte()


class StatisticsStore(Store):
    """Counts; it changes nothing."""

    @whole
    async def statistics(
        self, start: date, end: date, channel: str | None = None, *, sensitive: Sequence[str] = ()
    ) -> Statistics:
        """Count what happened from one day to another, both among them, where the server stands.

        What is refused for `sensitive` words is none of the questions that lack an answer.
        """
        span = _Span(start, end, channel)
        async with self.database.transaction() as session:
            days = await _days(session, span)
            return Statistics(
                totals=await _totals(session, span, days),
                days=days,
                channels=await _channels(session, span),
                top_questions=await _top_questions(session, span),
                top_unanswered=await _top_unanswered(session, span, sensitive),
            )


async def _days(session: AsyncSession, span: _Span) -> list[Day]:
    days = span.days
    of_day = and_(span.through, TurnRow.created_at >= days.c.begins, TurnRow.created_at < days.c.ends)
    counting = (
        select(
            days.c.number,
            func.count(distinct(TurnRow.conversation_id)).label("conversations"),
            func.count(TurnRow.id).label("questions"),
            *(_count(TurnRow.outcome == outcome).label(outcome) for outcome in OUTCOMES),
            _count(FeedbackRow.rating == "up").label("up"),
            _count(FeedbackRow.rating == "down").label("down"),
        )
        .join_from(days, TurnRow, of_day, isouter=True)
        .outerjoin(FeedbackRow, FeedbackRow.turn_id == TurnRow.id)
        .group_by(days.c.number)
        .order_by(days.c.number)
    )
    timed = select(days.c.number.label("part"), TurnRow.total_ms).join_from(days, TurnRow, and_(of_day, _TIMED))
    latencies = await _latencies(session, timed)
    return [
        Day(
            date=span.start + timedelta(days=row.number),
            conversations=row.conversations,
            questions=row.questions,
            outcomes={outcome: getattr(row, outcome) for outcome in OUTCOMES},
            latency_p50_ms=latencies.get(row.number, _UNTIMED)[0],
            latency_p90_ms=latencies.get(row.number, _UNTIMED)[1],
            up=row.up,
            down=row.down,
        )
        for row in await session.execute(counting)
    ]


async def _totals(session: AsyncSession, span: _Span, days: list[Day]) -> Totals:
    conversations, served = await _count_served(session, span)
    escalated = select(func.sum(TurnRow.prompt_tokens), func.sum(TurnRow.completion_tokens))
    prompt, completion = (await session.execute(escalated.where(span.asked, TurnRow.outcome == "escalated"))).one()
    timed = select(literal(0).label("part"), TurnRow.total_ms).where(span.asked, _TIMED)
    p50, p90 = (await _latencies(session, timed)).get(0, _UNTIMED)
    return Totals(
        conversations=conversations,
        questions=sum(day.questions for day in days),
        self_service_rate=served / conversations if conversations else None,
        handoffs=await _count_handoffs(session, span),
        escalated=sum(day.outcomes["escalated"] for day in days),
        feedback_up=sum(day.up for day in days),
        feedback_down=sum(day.down for day in days),
        prompt_tokens_remote=prompt or 0,
        completion_tokens_remote=completion or 0,
        latency_p50_ms=p50,
        latency_p90_ms=p90,
    )


async def _count_served(session: AsyncSession, span: _Span) -> tuple[int, int]:
    """Count the conversations, and those that the bot served alone; see Totals."""
    newest_first = func.row_number().over(partition_by=TurnRow.conversation_id, order_by=TurnRow.position.desc())
    turns = select(TurnRow.conversation_id, TurnRow.outcome, newest_first.label("place")).where(span.asked).subquery()
    conversations = (
        select(
            turns.c.conversation_id,
            _count(turns.c.outcome.in_(ANSWERED)).label("answers"),
            _count(turns.c.outcome == "handoff").label("handoffs"),
            _count(and_(turns.c.place == 1, turns.c.outcome == "refused")).label("refused_last"),
        )
        .group_by(turns.c.conversation_id)
        .subquery()
    )
    people = union_all(
        select(HandoffRow.conversation_id),
        select(MessageRow.conversation_id).where(MessageRow.kind != "note"),
    )
    served = and_(
        conversations.c.answers > 0,
        conversations.c.handoffs == 0,
        conversations.c.refused_last == 0,
        conversations.c.conversation_id.not_in(people),
    )
    counted = await session.execute(select(func.count(), _count(served)).select_from(conversations))
    total, alone = counted.one()
    return total, alone


async def _count_handoffs(session: AsyncSession, span: _Span) -> int:
    query = select(func.count()).select_from(HandoffRow).where(span.holds(HandoffRow.created_at))
    if span.channel is not None:
        query = query.join(ConversationRow, ConversationRow.id == HandoffRow.conversation_id)
        query = query.where(ConversationRow.channel == span.channel)
    return await session.scalar(query) or 0


async def _channels(session: AsyncSession, span: _Span) -> list[ChannelCount]:
    questions = func.count().label("questions")
    query = select(TurnRow.channel, questions).where(replace(span, channel=None).asked).group_by(TurnRow.channel)
    rows = await session.execute(query.order_by(questions.desc(), TurnRow.channel))
    return [ChannelCount(row.channel, row.questions) for row in rows]


async def _top_questions(session: AsyncSession, span: _Span) -> list[TopEntry]:
    base, key, question = (TurnRow.citations[(0, name)].as_string() for name in ("knowledge_base", "key", "question"))
    count = func.count().label("count")
    cited = select(base.label("base"), key.label("key"), question.label("question"))
    answers = cited.where(span.asked, TurnRow.outcome.in_(("direct", "grounded"))).subquery()
    query = (
        select(answers.c.base, answers.c.key, func.max(answers.c.question), count)
        .where(answers.c.key.is_not(None))
        .group_by(answers.c.base, answers.c.key)
        .order_by(count.desc(), answers.c.base, answers.c.key)
        .limit(TOP)
    )
    return [TopEntry(*row) for row in await session.execute(query)]


async def _top_unanswered(session: AsyncSession, span: _Span, sensitive: Sequence[str]) -> list[TopUnanswered]:
    count = func.count().label("count")
    query = select(TurnRow.question, count).where(span.asked, TurnRow.outcome == "refused").group_by(TurnRow.question)
    wordings = await session.execute(query.order_by(count.desc(), TurnRow.question).limit(MAX_WORDINGS))
    questions: dict[str, str] = {}
    counts: Counter[str] = Counter()
    for question, times in wordings:
        if (words := bare(question)) and not mentions(question, sensitive):
            questions.setdefault(words, question)
            counts[words] += times
    return [TopUnanswered(questions[words], times) for words, times in counts.most_common(TOP)]


async def _latencies(session: AsyncSession, timed: Select[Any, Any]) -> dict[int, tuple[float, float]]:
    """Return the median and the ninth decile (nearest rank) of `total_ms` for each `part`."""
    times = timed.subquery()
    part, milliseconds = times.c.part, times.c.total_ms
    ranked = select(
        part,
        milliseconds,
        func.row_number().over(partition_by=part, order_by=milliseconds).label("place"),
        func.count().over(partition_by=part).label("size"),
    ).subquery()
    p50, p90 = (
        func.min(case((100 * ranked.c.place >= percent * ranked.c.size, ranked.c.total_ms))) for percent in (50, 90)
    )
    query = select(ranked.c.part, p50, p90).group_by(ranked.c.part)
    return {number: (median, decile) for number, median, decile in await session.execute(query)}


def _count(condition: ColumnElement[bool]) -> ColumnElement[int]:
    """Count the rows for which something holds."""
    return func.count(case((condition, 1)))

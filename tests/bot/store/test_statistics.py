from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest

from bot.days import today
from bot.store.conversations import ConversationStore
from bot.store.database import Database
from bot.store.inbox import InboxStore
from bot.store.statistics import ChannelCount, StatisticsStore, TopEntry, TopUnanswered
from tests.bot.past import Past, server_in

MARCH_1, MARCH_2 = date(2026, 3, 1), date(2026, 3, 2)


@pytest.fixture
def past(database: Database) -> Past:
    return Past(database)


@pytest.fixture
def store(database: Database) -> StatisticsStore:
    return StatisticsStore(database)


def cites(key: str, question: str, base: str = "shop") -> list[Any]:
    return [{"number": 1, "knowledge_base": base, "key": key, "question": question, "answer": "…"}]


async def test_a_day_counts_its_conversations_outcomes_and_thumbs(past: Past, store: StatisticsStore) -> None:
    with server_in("UTC"):
        await past.asked("2026-03-01 08:00", "direct", conversation="a", rating="up")
        await past.asked("2026-03-01 08:01", "refused", conversation="a", rating="down")
        await past.asked("2026-03-01 09:00", None, conversation="b")
        await past.asked("2026-03-02 00:00", "direct", conversation="a", rating="up")
        statistics = await store.statistics(MARCH_1, MARCH_2)
    first, second = statistics.days
    assert (first.date, first.conversations, first.questions, first.up, first.down) == (MARCH_1, 2, 3, 1, 1)
    assert first.outcomes == {"direct": 1, "grounded": 0, "clarify": 0, "escalated": 0, "handoff": 0, "refused": 1}
    assert (second.date, second.conversations, second.questions, second.up) == (MARCH_2, 1, 1, 1)
    totals = statistics.totals
    assert (totals.conversations, totals.questions, totals.feedback_up, totals.feedback_down) == (2, 4, 2, 1)


async def test_a_time_without_questions_has_days_and_no_rates(store: StatisticsStore) -> None:
    statistics = await store.statistics(MARCH_1, MARCH_2)
    assert [(day.date, day.questions, day.latency_p50_ms) for day in statistics.days] == [
        (MARCH_1, 0, None),
        (MARCH_2, 0, None),
    ]
    totals = statistics.totals
    assert (totals.self_service_rate, totals.latency_p50_ms, totals.latency_p90_ms) == (None, None, None)
    assert (totals.conversations, totals.prompt_tokens_remote, totals.completion_tokens_remote) == (0, 0, 0)
    assert (statistics.channels, statistics.top_questions, statistics.top_unanswered) == ([], [], [])


async def test_days_are_those_of_the_server(past: Past, store: StatisticsStore) -> None:
    await past.asked("2026-02-28 15:59")
    await past.asked("2026-02-28 16:00")
    await past.asked("2026-03-01 15:59")
    await past.asked("2026-03-01 16:00")
    with server_in("Asia/Shanghai"):
        assert [day.questions for day in (await store.statistics(MARCH_1, MARCH_2)).days] == [2, 1]
    with server_in("America/New_York"):
        assert [day.questions for day in (await store.statistics(MARCH_1, MARCH_2)).days] == [2, 0]


async def test_the_day_on_which_clocks_go_back_has_25_hours(past: Past, store: StatisticsStore) -> None:
    await past.asked("2026-10-24 21:59")
    await past.asked("2026-10-24 22:00")
    await past.asked("2026-10-25 22:59")
    await past.asked("2026-10-25 23:00")
    with server_in("Europe/Berlin"):
        statistics = await store.statistics(date(2026, 10, 24), date(2026, 10, 26))
    assert [day.questions for day in statistics.days] == [1, 2, 1]


async def test_latency_is_the_nearest_rank_of_the_bots_replies(past: Past, store: StatisticsStore) -> None:
    with server_in("UTC"):
        for milliseconds in (30, 10, 20, 40, 1_000):
            await past.asked("2026-03-01 08:00", total_ms=milliseconds)
        await past.asked("2026-03-01 08:00", "handoff", total_ms=99_999)
        await past.asked("2026-03-01 08:00", None)
        await past.asked("2026-03-02 08:00", total_ms=5)
        statistics = await store.statistics(MARCH_1, MARCH_2)
    assert [(day.latency_p50_ms, day.latency_p90_ms) for day in statistics.days] == [(30, 1_000), (5, 5)]
    assert (statistics.totals.latency_p50_ms, statistics.totals.latency_p90_ms) == (20, 1_000)


async def test_self_service_is_an_answer_no_person_and_no_refusal_at_the_end(
    past: Past, store: StatisticsStore, database: Database
) -> None:
    histories = {
        "answered": ["direct"],
        "answered at last": ["refused", "clarify", "grounded"],
        "by the larger model": ["escalated"],
        "and then a choice": ["direct", "clarify"],
        "refused at last": ["direct", "refused"],
        "only choices": ["clarify"],
        "handed over": ["direct", "handoff"],
        "called from the widget": ["direct"],
        "taken over": ["direct"],
        "noted": ["direct"],
    }
    for name, outcomes in histories.items():
        for outcome in outcomes:
            await past.asked("2026-03-01 12:00", outcome, conversation=name)
    inbox = InboxStore(database)
    await ConversationStore(database).hand_off("called from the widget", "asked", "…")
    await inbox.take("taken over", "Anna", instead_of=None)
    await inbox.release("taken over", "Anna", "bot")
    await inbox.note("noted", "Anna", "VIP")
    with server_in("UTC"):
        totals = (await store.statistics(MARCH_1, MARCH_1)).totals
    assert totals.self_service_rate == 5 / 10


async def test_handoffs_belong_to_when_a_person_was_called(
    past: Past, store: StatisticsStore, database: Database
) -> None:
    await past.asked("2026-03-01 12:00", conversation="web", channel="web")
    await past.asked("2026-03-01 12:00", conversation="slack", channel="slack")
    for conversation in ("web", "slack"):
        await ConversationStore(database).hand_off(conversation, "asked", "…")
    around_now = today() - timedelta(days=1), today() + timedelta(days=1)
    assert (await store.statistics(*around_now)).totals.handoffs == 2
    assert (await store.statistics(*around_now, "slack")).totals.handoffs == 1
    assert (await store.statistics(MARCH_1, MARCH_2)).totals.handoffs == 0


async def test_only_the_larger_models_tokens_cost_something(past: Past, store: StatisticsStore) -> None:
    await past.asked("2026-03-01 12:00", "escalated", prompt_tokens=700, completion_tokens=30)
    await past.asked("2026-03-01 12:00", "escalated", prompt_tokens=300, completion_tokens=20)
    await past.asked("2026-03-01 12:00", "escalated")
    await past.asked("2026-03-01 12:00", "grounded", prompt_tokens=5_000, completion_tokens=5_000)
    with server_in("UTC"):
        totals = (await store.statistics(MARCH_1, MARCH_1)).totals
    assert (totals.escalated, totals.prompt_tokens_remote, totals.completion_tokens_remote) == (3, 1_000, 50)


async def test_a_channel_is_counted_alone_beside_the_list_of_all(past: Past, store: StatisticsStore) -> None:
    await past.asked("2026-03-01 12:00", "refused", channel="slack", question="s", total_ms=1)
    await past.asked("2026-03-01 12:00", "refused", channel="web", question="w", total_ms=2)
    await past.asked("2026-03-01 12:00", channel="web", citations=cites("RET-1", "w"))
    with server_in("UTC"):
        statistics = await store.statistics(MARCH_1, MARCH_1, "slack")
    assert statistics.channels == [ChannelCount("web", 2), ChannelCount("slack", 1)]
    assert statistics.days[0].questions == statistics.totals.questions == statistics.totals.conversations == 1
    assert statistics.totals.latency_p90_ms == 1
    assert statistics.top_questions == []
    assert statistics.top_unanswered == [TopUnanswered("s", 1)]


async def test_the_entries_that_answered_most_come_first(past: Past, store: StatisticsStore) -> None:
    for outcome in ("direct", "grounded"):
        await past.asked("2026-03-01 12:00", outcome, citations=cites("RET-1", "怎么退货？"))
    await past.asked("2026-03-01 12:00", citations=cites("RET-1", "an other base's", "bank"))
    await past.asked("2026-03-01 12:00", "escalated", citations=cites("INV-1", "only evidence"))
    await past.asked("2026-03-01 12:00", citations=[])
    with server_in("UTC"):
        statistics = await store.statistics(MARCH_1, MARCH_1)
    assert statistics.top_questions == [
        TopEntry("shop", "RET-1", "怎么退货？", 2),
        TopEntry("bank", "RET-1", "an other base's", 1),
    ]


async def test_what_is_refused_most_comes_first_however_it_is_punctuated(past: Past, store: StatisticsStore) -> None:
    for question in ("修电视吗", "怎么修电视", "怎么修电视", "怎么修电视？", "？？？"):
        await past.asked("2026-03-01 12:00", "refused", question=question)
    await past.asked("2026-03-01 12:00", "direct", question="修电视吗")
    with server_in("UTC"):
        statistics = await store.statistics(MARCH_1, MARCH_1)
    assert statistics.top_unanswered == [TopUnanswered("怎么修电视", 3), TopUnanswered("修电视吗", 1)]

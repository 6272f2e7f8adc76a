from __future__ import annotations

from datetime import UTC, datetime

import pytest
from sqlalchemy import select

from bot.store.database import Database
from bot.store.review import Kind, ReviewStore
from bot.store.tables import ReviewedRow
from tests.bot.past import Past

MARCH = datetime(2026, 3, 1, tzinfo=UTC)
YEAR_ONE = datetime(1, 1, 2, tzinfo=UTC)


@pytest.fixture
def past(database: Database) -> Past:
    return Past(database)


@pytest.fixture
def store(database: Database) -> ReviewStore:
    return ReviewStore(database)


async def add_one_of_each(past: Past) -> None:
    for hour, outcome in enumerate(("refused", "escalated", "clarify", "direct", "grounded", "handoff")):
        await past.asked(f"2026-03-01 0{hour}:00", outcome, question=outcome)
    await past.asked("2026-03-01 07:00", "direct", question="bad answer", rating="down")
    await past.asked("2026-03-01 08:00", "escalated", question="bad and dear", rating="down")
    await past.asked("2026-03-01 09:00", "clarify", question="liked all the same", rating="up")
    await past.asked("2026-02-28 23:59", "refused", question="too long ago")


async def test_what_went_wrong_is_listed_newest_first_with_all_its_ways(past: Past, store: ReviewStore) -> None:
    await add_one_of_each(past)
    misses = await store.misses(MARCH)
    assert [(miss.question, miss.kinds) for miss in misses] == [
        ("liked all the same", ("clarify",)),
        ("bad and dear", ("escalated", "down")),
        ("bad answer", ("down",)),
        ("clarify", ("clarify",)),
        ("escalated", ("escalated",)),
        ("refused", ("refused",)),
    ]
    assert misses[-1].at == MARCH


async def test_what_a_person_then_wrote_is_the_agents_answer(past: Past, store: ReviewStore) -> None:
    talk = "talk"
    await past.asked("2026-03-01 00:00", "clarify", question="an old one", conversation=talk)
    await past.wrote("2026-03-01 00:01", "about something else", conversation=talk)
    await past.wrote("2026-03-01 00:02", "bot", conversation=talk, kind="state")
    await past.asked("2026-03-01 01:00", "refused", question="do you rent out", conversation=talk)
    for minute, (kind, text) in enumerate(
        (
            ("state", "human"),
            ("note", "a regular"),
            ("reply", "Good morning"),
            ("reply", "We do not rent out."),
            ("state", "closed"),
            ("reply", "later"),
        )
    ):
        await past.wrote(f"2026-03-01 01:0{minute + 1}", text, conversation=talk, kind=kind)
    await past.asked("2026-03-01 02:00", "refused", question="nobody came")
    misses = await store.misses(MARCH)
    assert {miss.question: miss.agent_answer for miss in misses} == {
        "nobody came": None,
        "do you rent out": "Good morning\n\nWe do not rent out.",
        "an old one": "about something else",
    }


async def test_words_of_a_person_are_not_put_down_to_a_question_before_the_last_one(
    past: Past, store: ReviewStore
) -> None:
    await past.asked("2026-03-01 00:00", "refused", question="is parking free", conversation="talk")
    await past.asked("2026-03-01 00:01", "grounded", question="do you engrave", rating="down", conversation="talk")
    await past.asked("2026-03-01 00:02", "handoff", question="a person please", conversation="talk")
    await past.wrote("2026-03-01 00:03", "Yes, for 20 yuan.", conversation="talk")
    misses = await store.misses(MARCH)
    assert {miss.question: miss.agent_answer for miss in misses} == {
        "is parking free": None,
        "do you engrave": "Yes, for 20 yuan.",
    }


@pytest.mark.parametrize(
    ("kind", "questions"),
    [
        ("refused", ["refused"]),
        ("escalated", ["bad and dear", "escalated"]),
        ("clarify", ["liked all the same", "clarify"]),
        ("down", ["bad and dear", "bad answer"]),
    ],
)
async def test_one_way_to_go_wrong_is_listed_alone(
    past: Past, store: ReviewStore, kind: Kind, questions: list[str]
) -> None:
    await add_one_of_each(past)
    assert [miss.question for miss in await store.misses(MARCH, kind)] == questions


async def test_what_was_dealt_with_is_remembered_with_the_last_time(store: ReviewStore, database: Database) -> None:
    before = datetime.now(UTC)
    await store.resolve(["退货", "发票"], "ignore", "Olga")
    first = (await store.reviewed(before))["退货"]
    await store.resolve(["退货"], "variant", "Ed")
    reviewed = await store.reviewed(before)
    assert set(reviewed) == {"退货", "发票"}
    assert reviewed["退货"] > first
    async with database.transaction() as session:
        rows = await session.execute(select(ReviewedRow.question, ReviewedRow.action, ReviewedRow.actor))
        assert sorted(map(tuple, rows)) == [("发票", "ignore", "Olga"), ("退货", "variant", "Ed")]


async def test_only_what_was_dealt_with_since_then_matters(store: ReviewStore) -> None:
    await store.resolve(["退货"], "ignore", "Olga")
    assert await store.reviewed(datetime.now(UTC)) == {}


async def test_nothing_to_resolve_is_fine(store: ReviewStore) -> None:
    await store.resolve([], "ignore", "Olga")
    assert await store.reviewed(YEAR_ONE) == {}

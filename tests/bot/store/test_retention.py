from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest
from sqlalchemy import text, update

from bot.days import today
from bot.errors import NotFound
from bot.keeping.housekeeping import Housekeeper, empty_old
from bot.question import Question
from bot.review import Review
from bot.store.channels import ChannelStore
from bot.store.conversations import ConversationStore
from bot.store.database import Database
from bot.store.inbox import InboxStore
from bot.store.retention import _RETENTION_LOCK, RetentionStore
from bot.store.review import ReviewStore
from bot.store.statistics import StatisticsStore
from bot.store.tables import AuditRow, ConversationRow, ReceivedRow, ReviewedRow, now
from tests.bot.fakes import StubKnowledge
from tests.bot.keeping.filled import contents, converse, everything_said


async def grow_old(database: Database, conversation: str, days: int) -> None:
    """Have a conversation, and what belongs to it, be so old."""
    then = now() - timedelta(days=days)
    async with database.transaction() as session:
        is_it = ConversationRow.id == conversation
        await session.execute(update(ConversationRow).where(is_it).values(updated_at=then))
        await session.execute(update(ReceivedRow).values(created_at=then))
        await session.execute(update(ReviewedRow).values(created_at=then))
        await session.execute(update(AuditRow).values(created_at=then))


async def test_nothing_is_left_of_an_old_conversation_but_what_is_counted(database: Database) -> None:
    old = await converse(database, "kf:wm-old", "旧单 otter7001", channel="kf")
    await grow_old(database, old, 31)
    young = await converse(database, "kf:wm-young", "新单 badger7002", channel="kf")
    before = await StatisticsStore(database).statistics(today(), today())
    assert await RetentionStore(database).count_due(now() - timedelta(days=30)) == 1
    assert await empty_old(RetentionStore(database), 30, lambda _count: None, pause=0) == 1
    said = await everything_said(database)
    assert [word for word in ("otter7001", "wm-old") if word in said] == []
    assert [word for word in ("badger7002", "wm-young", young) if word not in said] == []
    after = await StatisticsStore(database).statistics(today(), today())
    assert (after.totals, after.days, after.channels) == (before.totals, before.days, before.channels)
    assert await empty_old(RetentionStore(database), 30, lambda _count: None, pause=0) == 0


async def test_nobody_sees_or_continues_an_emptied_conversation(database: Database) -> None:
    old = await converse(database, "kf:wm-old", "旧单 otter7001", channel="kf")
    await grow_old(database, old, 31)
    await RetentionStore(database).empty(now() - timedelta(days=30), 10)
    log, inbox = ConversationStore(database), InboxStore(database)
    for refused in (
        log.begin(Question(text="还在吗", conversation_id=old, visitor="kf:wm-old")),
        log.transcript(old),
        inbox.conversation(old),
        inbox.transcript(old),
        inbox.take(old, "Olga", instead_of=None),
    ):
        with pytest.raises(NotFound):
            await refused
    assert await inbox.conversations(["bot", "waiting", "human", "closed"]) == []
    assert (await Review(ReviewStore(database), StubKnowledge()).listing(30)).clusters == []


async def test_whoever_has_written_since_keeps_their_thread_and_begins_anew(database: Database) -> None:
    old = await converse(database, "kf:wm-old", "旧单 otter7001", channel="kf")
    await grow_old(database, old, 31)
    async with database.transaction() as session:
        await session.execute(update(ReceivedRow).values(created_at=now()))
    await RetentionStore(database).empty(now() - timedelta(days=30), 10)
    [thread] = (await contents(database))["threads"]
    assert (thread["conversation_id"], thread["delivered"]) == (None, 0)
    assert await ChannelStore(database).conversation_of(thread["id"]) is None


async def test_batches_are_small_and_answering_goes_on_between_them(database: Database) -> None:
    log = ConversationStore(database)
    for number in range(7):
        await grow_old(database, (await log.begin(Question(text=f"问题 {number}"))).conversation_id, 31)
    store, before = RetentionStore(database), now() - timedelta(days=30)
    emptying = [store.empty(before, 3) for _ in range(2)]
    counts = [await each for each in emptying]
    turn = await log.begin(Question(text="现在"))
    assert (counts, await store.empty(before, 3), await store.empty(before, 3)) == ([3, 3], 1, 0)
    assert (await log.transcript(turn.conversation_id))[0].text == "现在"


async def test_of_several_replicas_one_empties_at_a_time(database: Database) -> None:
    if database.engine.dialect.name == "sqlite":  # has one writer: both at once share the work
        log = ConversationStore(database)
        for number in range(4):
            await grow_old(database, (await log.begin(Question(text=f"问题 {number}"))).conversation_id, 31)
        other = Database(str(database.engine.url))
        before = now() - timedelta(days=30)
        counts = await asyncio.gather(*(RetentionStore(each).empty(before, 3) for each in (database, other)))
        await other.close()
        assert sorted(counts) == [1, 3]
        return
    await grow_old(database, (await ConversationStore(database).begin(Question(text="问题"))).conversation_id, 31)
    store, before = RetentionStore(database), now() - timedelta(days=30)
    async with database.transaction() as other:
        await other.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _RETENTION_LOCK})
        assert await store.empty(before, 3) == 0
    assert await store.empty(before, 3) == 1


async def test_the_server_empties_what_is_due_and_keeps_all_by_default(database: Database) -> None:
    old = await converse(database, "v-old", "旧单 otter7001")
    await grow_old(database, old, 31)
    await Housekeeper(database, 0, lambda: None).tidy()
    assert "otter7001" in await everything_said(database)
    await Housekeeper(database, 30, lambda: None).tidy()
    assert "otter7001" not in await everything_said(database)

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import update
from sqlalchemy.exc import IntegrityError

from bot.question import Answer, Question
from bot.store import channels
from bot.store.channels import ChannelStore
from bot.store.conversations import ConversationStore
from bot.store.database import Database
from bot.store.inbox import InboxStore
from bot.store.memory import MemoryStore
from bot.store.tables import ConversationRow, ReceivedRow, ThreadRow, now
from connectors.base import Incoming


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    database = Database(database_url)
    yield database
    await database.close()


@pytest.fixture
def store(database: Database) -> ChannelStore:
    return ChannelStore(database)


def message(number: int, thread: str = "anna", text: str = "怎么退货？") -> Incoming:
    return Incoming(message_id=f"m{number}", thread=thread, address={"user": thread}, text=text)


async def test_a_message_is_taken_once_however_often_it_comes_at_the_same_moment(store: ChannelStore) -> None:
    taken = await asyncio.gather(*(store.receive("wecom", message(1)) for _ in range(8)))
    assert sorted(taken) == [False] * 7 + [True]
    assert await store.receive("slack", message(1))
    assert await store.waiting() == {"wecom": 1, "slack": 1}


async def test_new_threads_begin_at_the_same_moment(store: ChannelStore) -> None:
    taken = await asyncio.gather(*(store.receive("wecom", message(number)) for number in range(8)))
    assert taken == [True] * 8


async def test_the_first_of_each_thread_is_taken_up_and_by_one_only(store: ChannelStore) -> None:
    for number, thread in enumerate(["anna", "bert", "anna"]):
        await store.receive("wecom", message(number, thread))
    one, other = await asyncio.gather(store.claim(10), store.claim(10))
    assert sorted(each.message_id for each in [*one, *other]) == ["m0", "m1"]
    assert await store.claim(10) == []
    first = next(each for each in [*one, *other] if each.message_id == "m0")
    assert (first.thread, first.address, first.text) == ("anna", {"user": "anna"}, "怎么退货？")
    await store.finish(first)
    assert [each.message_id for each in await store.claim(10)] == ["m2"]


async def test_a_message_whose_keeper_died_is_taken_up_again_where_it_stood(
    store: ChannelStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    await store.receive("wecom", message(1))
    [received] = await store.claim(1)
    await store.mark_sent(received, 2)
    monkeypatch.setattr(channels, "now", lambda: now() + channels.LEASE / 2)
    await store.renew(received)
    monkeypatch.setattr(channels, "now", lambda: now() + channels.LEASE * 1.2)
    assert await store.claim(1) == []
    monkeypatch.setattr(channels, "now", lambda: now() + channels.LEASE * 2)
    [again] = await store.claim(1)
    assert (again.id, again.sent) == (received.id, 2)
    assert (received.attempts, again.attempts) == (0, 1)


async def test_a_clock_that_is_set_back_holds_no_message_up(
    store: ChannelStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number, thread in enumerate(["anna", "bert"]):
        await store.receive("wecom", message(number, thread))
    with monkeypatch.context() as patch:
        patch.setattr(channels, "now", lambda: now() + timedelta(hours=1))
        for received in await store.claim(2):
            await store.try_later(received, 300 if received.thread == "anna" else 86_400)
    assert len(await store.claim(2)) == 2


async def test_what_somebody_works_on_is_not_due_for_them(store: ChannelStore, monkeypatch: pytest.MonkeyPatch) -> None:
    await store.receive("wecom", message(1))
    await store.receive("wecom", message(2))
    [received] = await store.claim(9)
    monkeypatch.setattr(channels, "now", lambda: now() + channels.LEASE * 2)
    assert await store.claim(9, {received.id: "?"}) == []
    assert [each.id for each in await store.claim(9)] == [received.id]


async def test_a_message_that_no_database_takes_is_refused_and_not_tried_for_ever(
    store: ChannelStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    tried = 0

    async def enter(*_: object) -> ThreadRow:
        nonlocal tried
        tried += 1
        return ThreadRow(id=None)

    monkeypatch.setattr(channels, "_enter_thread", enter)
    with pytest.raises(IntegrityError):
        await store.receive("wecom", message(1))
    assert tried == 3


@pytest.mark.parametrize("broken", [{"message_id": ""}, {"message_id": None}, {"text": None}, {"text": "\ud800"}])
def test_a_message_that_cannot_be_kept_is_none(broken: dict[str, Any]) -> None:
    with pytest.raises(ValueError):
        Incoming(**{"message_id": "m1", "thread": "anna", "address": {}, **broken})


async def test_a_value_is_kept_by_many_at_the_same_moment(database: Database) -> None:
    store = MemoryStore(database)
    await asyncio.gather(*(store.remember("kf", "accounts", number) for number in range(8)))
    assert await store.remembered("kf", "accounts") in range(8)


async def test_what_shall_be_tried_later_waits_and_is_counted(
    store: ChannelStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    await store.receive("wecom", message(1))
    [received] = await store.claim(1)
    await store.try_later(received, 60)
    assert await store.claim(1) == []
    monkeypatch.setattr(channels, "now", lambda: now() + timedelta(seconds=61))
    [again] = await store.claim(1)
    assert again.attempts == 1


async def test_what_is_done_is_forgotten_but_for_its_identifier_and_that_after_a_week(
    store: ChannelStore, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    await store.receive("wecom", message(1, text="13812345678"))
    [received] = await store.claim(1)
    await store.finish(received, "refused")
    async with database.transaction() as session:
        row = await session.get_one(ReceivedRow, received.id)
        assert (row.text, row.failure) == ("", "refused")
    assert not await store.receive("wecom", message(1))
    await store.forget_old()
    assert not await store.receive("wecom", message(1))
    monkeypatch.setattr(channels, "now", lambda: now() + channels.KEEP + timedelta(minutes=1))
    await store.forget_old()
    assert await store.receive("wecom", message(1))


async def test_a_thread_stays_in_its_conversation_until_a_long_silence(
    store: ChannelStore, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    await store.receive("wecom", message(1))
    [received] = await store.claim(1)
    assert await store.conversation_of(received.thread_id) is None
    conversation = await begin(database)
    await store.join(received.thread_id, conversation)
    assert await store.conversation_of(received.thread_id) == conversation
    assert await store.conversation_of(received.thread_id, "another bot") is None
    assert await store.address_of(conversation) == ("wecom", {"user": "anna"})
    monkeypatch.setattr(channels, "now", lambda: now() + channels.SAME_CONVERSATION)
    assert await store.conversation_of(received.thread_id) is None
    async with database.transaction() as session:
        await session.execute(update(ConversationRow).values(handoff="human"))
    assert await store.conversation_of(received.thread_id) == conversation


async def test_a_message_is_the_first_after_a_long_silence(store: ChannelStore, database: Database) -> None:
    for number in (1, 2):
        await store.receive("wecom", message(number))
    [first] = await store.claim(1)
    await store.finish(first)
    [second] = await store.claim(1)
    assert (await store.is_first(first), await store.is_first(second)) == (True, False)
    async with database.transaction() as session:
        long_ago = now() - channels.SAME_CONVERSATION * 2
        await session.execute(update(ReceivedRow).where(ReceivedRow.id == first.id).values(created_at=long_ago))
    assert await store.is_first(second)


async def test_agents_replies_are_undelivered_until_they_have_arrived(store: ChannelStore, database: Database) -> None:
    await store.receive("wecom", message(1))
    [received] = await store.claim(1)
    conversation, inbox = await begin(database), InboxStore(database)
    await store.join(received.thread_id, conversation)
    await ConversationStore(database).hand_off(conversation, "asked", "")
    await inbox.take(conversation, "Olga", instead_of=None)
    await inbox.note(conversation, "Olga", "not for customers")
    await inbox.reply(conversation, "Olga", "一")
    await inbox.reply(conversation, "Olga", "二")
    first, second = await store.undelivered()
    assert (first.text, second.text, first.channel, first.address) == ("一", "二", "wecom", {"user": "anna"})
    await store.mark_delivered(first)
    assert await store.undelivered() == [second]
    await store.mark_delivered(second)
    assert await store.undelivered() == []


async def test_connectors_keep_values_each_for_itself(database: Database) -> None:
    store = MemoryStore(database)
    await store.remember("kf", "cursor", "one")
    await store.remember("kf", "cursor", {"at": 2})
    assert await store.remembered("kf", "cursor") == {"at": 2}
    assert await store.remembered("other", "cursor") is None
    await store.remember("kf", "cursor", None)
    assert await store.remembered("kf", "cursor") is None


async def begin(database: Database) -> str:
    log = ConversationStore(database)
    turn = await log.begin(Question(text="转人工"))
    await log.finish(Answer(conversation_id=turn.conversation_id, turn_id=turn.id, outcome="handoff"))
    return turn.conversation_id

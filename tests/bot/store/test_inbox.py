from __future__ import annotations

import pytest

from bot.errors import NotFound, NotYours
from bot.question import Answer, Question, Suggestion
from bot.store.conversations import ConversationStore
from bot.store.database import Database
from bot.store.inbox import InboxStore

PHONE = "我的电话是13812345678"


@pytest.fixture
def log(database: Database) -> ConversationStore:
    return ConversationStore(database)


@pytest.fixture
def inbox(database: Database) -> InboxStore:
    return InboxStore(database)


async def ask(log: ConversationStore, text: str, conversation: str | None = None, reply: str = "好的") -> str:
    turn = await log.begin(Question(text=text, conversation_id=conversation))
    await log.finish(
        Answer(conversation_id=turn.conversation_id, turn_id=turn.id, outcome="refused", text=reply, language="zh")
    )
    return turn.conversation_id


async def waiting(log: ConversationStore, text: str = "转人工") -> str:
    conversation = await ask(log, text)
    await log.hand_off(conversation, "asked", text)
    return conversation


async def test_those_who_wait_longest_come_first_then_the_liveliest(log: ConversationStore, inbox: InboxStore) -> None:
    taken = await waiting(log, "one")
    later = await waiting(log, "two")
    await waiting(log, "three")
    await ask(log, "the bot's")
    await inbox.take(taken, "Anna", instead_of=None)
    await ask(log, "still two", later)
    listed = await inbox.conversations(["waiting", "human"])
    assert [(each.last_text, each.handoff, each.agent) for each in listed] == [
        ("still two", "waiting", None),
        ("three", "waiting", None),
        ("one", "human", "Anna"),
    ]
    assert listed[0].waiting_since is not None
    assert (listed[0].reason, listed[0].summary) == ("asked", "two")
    assert [each.last_text for each in await inbox.conversations(["bot"])] == ["the bot's"]


async def test_the_transcript_has_everybodys_words_in_order(log: ConversationStore, inbox: InboxStore) -> None:
    conversation = await waiting(log)
    await inbox.take(conversation, "Anna", instead_of=None)
    await inbox.note(conversation, "Bert", "VIP")
    await inbox.reply(conversation, "Anna", "您好")
    await ask(log, "谢谢", conversation, reply="")
    assert [(item.who, item.name, item.text) for item in await inbox.transcript(conversation)] == [
        ("customer", "", "转人工"),
        ("bot", "", "好的"),
        ("state", "Anna", "human"),
        ("note", "Bert", "VIP"),
        ("agent", "Anna", "您好"),
        ("customer", "", "谢谢"),
    ]
    assert (await inbox.conversation(conversation)).last_text == "谢谢"


async def test_of_two_agents_one_gets_the_conversation(log: ConversationStore, inbox: InboxStore) -> None:
    conversation = await waiting(log)
    await inbox.take(conversation, "Anna", instead_of=None)
    with pytest.raises(NotYours, match="Anna"):
        await inbox.take(conversation, "Bert", instead_of=None)
    await inbox.take(conversation, "Anna", instead_of=None)
    await inbox.take(conversation, "Bert", instead_of="Anna")
    assert await inbox.owner(conversation) == ("human", "Bert")
    states = [item.name for item in await inbox.transcript(conversation) if item.who == "state"]
    assert states == ["Anna", "Bert"]


async def test_only_who_has_a_conversation_replies_in_it(log: ConversationStore, inbox: InboxStore) -> None:
    conversation = await waiting(log)
    with pytest.raises(NotYours):
        await inbox.reply(conversation, "Anna", "您好")
    await inbox.take(conversation, "Anna", instead_of=None)
    with pytest.raises(NotYours):
        await inbox.reply(conversation, "Bert", "您好")
    assert await inbox.replies(conversation, 0) == []


async def test_the_customer_gets_replies_once_and_no_notes(log: ConversationStore, inbox: InboxStore) -> None:
    conversation = await waiting(log)
    await inbox.take(conversation, "Anna", instead_of=None)
    await inbox.reply(conversation, "Anna", "一")
    await inbox.note(conversation, "Anna", "秘密")
    await inbox.reply(conversation, "Anna", "二")
    first, second = await inbox.replies(conversation, 0)
    assert [(each.agent, each.text) for each in (first, second)] == [("Anna", "一"), ("Anna", "二")]
    assert await inbox.replies(conversation, first.id) == [second]


@pytest.mark.parametrize("state", ["bot", "closed"])
async def test_a_conversation_is_given_back(log: ConversationStore, inbox: InboxStore, state: str) -> None:
    conversation = await waiting(log)
    await inbox.take(conversation, "Anna", instead_of=None)
    with pytest.raises(NotYours):
        await inbox.release(conversation, "Bert", state)  # type: ignore[arg-type]
    await inbox.release(conversation, "Anna", state)  # type: ignore[arg-type]
    assert await inbox.owner(conversation) == (state, None)
    with pytest.raises(NotYours):
        await inbox.release(conversation, "Anna", state)  # type: ignore[arg-type]


async def test_after_a_closed_conversation_the_bot_is_the_first_again(
    log: ConversationStore, inbox: InboxStore
) -> None:
    conversation = await waiting(log)
    await inbox.release(conversation, "Anna", "closed")
    turn = await log.begin(Question(text="还有个问题", conversation_id=conversation))
    assert turn.handoff == "bot"
    assert await inbox.owner(conversation) == ("bot", None)


async def test_personal_data_is_in_sight_only_while_a_person_needs_it(
    log: ConversationStore, inbox: InboxStore
) -> None:
    conversation = await waiting(log, f"转人工，{PHONE}")
    await ask(log, PHONE, conversation)
    await inbox.take(conversation, "Anna", instead_of=None)
    await inbox.reply(conversation, "Anna", "是13812345678吗？")
    shown = [item.text for item in await inbox.transcript(conversation)]
    assert [("13812345678" in text) for text in shown] == [False, False, True, False, False, True]
    await inbox.release(conversation, "Anna", "bot")
    assert not any("13812345678" in item.text for item in await inbox.transcript(conversation))


async def test_a_conversation_that_never_was_is_not_found(inbox: InboxStore) -> None:
    for work in (
        inbox.conversation("no"),
        inbox.transcript("no"),
        inbox.take("no", "Anna", instead_of=None),
        inbox.reply("no", "Anna", "x"),
        inbox.note("no", "Anna", "x"),
        inbox.owner("no"),
    ):
        with pytest.raises(NotFound):
            await work


async def test_what_was_offered_to_choose_from_is_shown_to_people(log: ConversationStore, inbox: InboxStore) -> None:
    turn = await log.begin(Question(text="发票"))
    offered = [Suggestion("SHOP-1", "怎么开发票？"), Suggestion("SHOP-2", "发票开错了怎么办？")]
    ids = {"conversation_id": turn.conversation_id, "turn_id": turn.id}
    await log.finish(Answer(**ids, outcome="clarify", text="您是不是想问：", language="zh", suggestions=offered))
    [_, said] = await inbox.transcript(turn.conversation_id)
    assert said.text == "您是不是想问：\n- 怎么开发票？\n- 发票开错了怎么办？"

from __future__ import annotations

import asyncio

import pytest
from sqlalchemy import func, select, update

from bot.errors import NotFound
from bot.question import Answer, Citation, Message, Outcome, Question, Suggestion, Timings, Usage
from bot.store.conversations import HISTORY_TURNS, ConversationStore, OpenTurn
from bot.store.database import Database
from bot.store.tables import ConversationRow, FeedbackRow, HandoffRow, TurnRow
from tests.bot.fakes import RETURNS, candidate


async def rows(database: Database, table: type) -> int:
    async with database.transaction() as session:
        return await session.scalar(select(func.count()).select_from(table)) or 0


def reply(turn: OpenTurn, text: str = "好的", outcome: Outcome = "direct") -> Answer:
    return Answer(conversation_id=turn.conversation_id, turn_id=turn.id, outcome=outcome, text=text)


async def say(
    store: ConversationStore, text: str, conversation_id: str | None, outcome: Outcome = "direct"
) -> OpenTurn:
    turn = await store.begin(Question(text=text, conversation_id=conversation_id))
    await store.finish(reply(turn, f"答：{text}", outcome))
    return turn


async def test_a_first_question_opens_a_conversation(conversations: ConversationStore) -> None:
    turn = await conversations.begin(Question(text="怎么退货？😀"))
    assert (turn.history, turn.misses, turn.handoff, turn.answered) == ((), 0, "bot", None)
    assert await conversations.transcript(turn.conversation_id) == [Message("customer", "怎么退货？😀")]


async def test_an_unknown_conversation_is_not_found(conversations: ConversationStore) -> None:
    with pytest.raises(NotFound):
        await conversations.begin(Question(text="怎么退货？", conversation_id="absent"))


async def test_an_identifier_that_no_database_can_hold_is_not_found(conversations: ConversationStore) -> None:
    with pytest.raises(NotFound):
        await conversations.begin(Question(text="怎么退货？", conversation_id="a\x00b"))


async def test_a_question_with_a_zero_character_can_be_kept(conversations: ConversationStore) -> None:
    turn = await conversations.begin(Question(text="怎么\x00退货？"))
    assert "退货" in (await conversations.transcript(turn.conversation_id))[0].text


async def test_the_same_message_gives_the_same_turn(conversations: ConversationStore, database: Database) -> None:
    question = Question(text="怎么退货？", message_id="m-1")
    first, second = await conversations.begin(question), await conversations.begin(question)
    assert (first.id, first.conversation_id) == (second.id, second.conversation_id)
    assert await rows(database, ConversationRow) == 1


async def test_the_same_message_at_the_same_moment_is_one_turn(
    conversations: ConversationStore, database: Database
) -> None:
    question = Question(text="怎么退货？", message_id="m-1")
    turns = await asyncio.gather(*(conversations.begin(question) for _ in range(10)))
    assert len({turn.id for turn in turns}) == 1
    assert await rows(database, TurnRow) == 1
    assert await rows(database, ConversationRow) == 1


async def test_the_same_message_id_of_another_channel_is_another_message(conversations: ConversationStore) -> None:
    web = await conversations.begin(Question(text="a", message_id="m-1", channel="web"))
    slack = await conversations.begin(Question(text="a", message_id="m-1", channel="slack"))
    assert web.id != slack.id


async def test_ten_questions_at_the_same_moment_all_find_their_place(
    conversations: ConversationStore, database: Database
) -> None:
    first = await conversations.begin(Question(text="0"))
    asked = (Question(text=str(number), conversation_id=first.conversation_id) for number in range(1, 11))
    await asyncio.gather(*(conversations.begin(question) for question in asked))
    async with database.transaction() as session:
        positions = list(await session.scalars(select(TurnRow.position).order_by(TurnRow.position)))
    assert positions == list(range(1, 12))


async def test_a_message_that_was_answered_gives_its_answer_again(conversations: ConversationStore) -> None:
    question = Question(text="怎么退货？", message_id="m-1")
    turn = await conversations.begin(question)
    answer = Answer(
        conversation_id=turn.conversation_id,
        turn_id=turn.id,
        outcome="grounded",
        text="7天内 👍",
        confidence=0.625,
        citations=[Citation(1, "default", "RET-1", "怎么退货？", "7天内")],
        suggestions=[Suggestion("INV-1", "怎么开发票？")],
        standalone="怎么退货？ 那运费呢？",
        model="scripted",
        degraded=True,
        timings=Timings(search_ms=1.5, first_token_ms=2.5, total_ms=3.5),
        usage=Usage(prompt=3, cached=2, completion=1),
    )
    await conversations.finish(answer)
    assert (await conversations.begin(question)).answered == answer
    assert await conversations.answer(turn.id) == answer


async def test_an_answer_that_is_not_there_yet_is_not_found(conversations: ConversationStore) -> None:
    turn = await conversations.begin(Question(text="怎么退货？"))
    for turn_id in (turn.id, "absent"):
        with pytest.raises(NotFound):
            await conversations.answer(turn_id)


async def test_a_question_knows_what_was_said_before(conversations: ConversationStore) -> None:
    first = await say(conversations, "怎么退货？", None)
    second = await conversations.begin(Question(text="运费呢？", conversation_id=first.conversation_id))
    assert second.history == (Message("customer", "怎么退货？"), Message("bot", "答：怎么退货？"))


async def test_history_is_the_last_turns_oldest_first(conversations: ConversationStore) -> None:
    conversation = (await say(conversations, "0", None)).conversation_id
    for number in range(1, HISTORY_TURNS + 2):
        await say(conversations, str(number), conversation)
    turn = await conversations.begin(Question(text="last", conversation_id=conversation))
    asked = [message.text for message in turn.history if message.role == "customer"]
    assert asked == [str(number) for number in range(2, HISTORY_TURNS + 2)]


async def test_a_repeated_message_is_not_in_its_own_history(conversations: ConversationStore) -> None:
    first = await say(conversations, "怎么退货？", None)
    question = Question(text="运费呢？", conversation_id=first.conversation_id, message_id="m-2")
    await conversations.begin(question)
    assert [message.text for message in (await conversations.begin(question)).history] == [
        "怎么退货？",
        "答：怎么退货？",
    ]


@pytest.mark.parametrize(
    ("outcomes", "misses"),
    [
        (["refused"], 1),
        (["refused", "clarify"], 2),
        (["refused", "direct"], 0),
        (["direct", "refused"], 1),
        (["refused", "direct", "clarify"], 1),
    ],
)
async def test_misses_are_the_unanswered_questions_in_a_row(
    conversations: ConversationStore, outcomes: list[Outcome], misses: int
) -> None:
    conversation: str | None = None
    for outcome in outcomes:
        conversation = (await say(conversations, "?", conversation, outcome)).conversation_id
    turn = await conversations.begin(Question(text="?", conversation_id=conversation))
    assert turn.misses == misses


async def test_personal_data_is_masked_in_what_is_kept(conversations: ConversationStore, database: Database) -> None:
    turn = await conversations.begin(Question(text="我是13800138000，退货"))
    answer = reply(turn, "请联系 a.b@example.com")
    answer.standalone = "13800138000 退货"
    await conversations.finish(answer)
    async with database.transaction() as session:
        row = await session.get_one(TurnRow, turn.id)
    assert (row.question, row.standalone) == ("我是[phone]，退货", "[phone] 退货")
    assert "example.com" not in (row.answer or "")


async def test_the_scores_that_led_to_an_answer_are_kept(conversations: ConversationStore, database: Database) -> None:
    turn = await conversations.begin(Question(text="怎么退货？"))
    answer = reply(turn)
    answer.candidates = [candidate(RETURNS, 1.25)]
    await conversations.finish(answer)
    async with database.transaction() as session:
        row = await session.get_one(TurnRow, turn.id)
    assert row.candidates == [candidate(RETURNS, 1.25).to_dict()]


async def test_the_last_thumb_for_a_turn_counts(conversations: ConversationStore, database: Database) -> None:
    turn = await say(conversations, "怎么退货？", None)
    await conversations.add_feedback(turn.id, "up", None)
    await conversations.add_feedback(turn.id, "down", "打我电话13800138000")
    async with database.transaction() as session:
        thumbs = [(row.rating, row.comment) for row in await session.scalars(select(FeedbackRow))]
    assert thumbs == [("down", "打我电话[phone]")]


async def test_a_thumb_for_an_unknown_turn_is_not_found(conversations: ConversationStore) -> None:
    with pytest.raises(NotFound):
        await conversations.add_feedback("absent", "up", None)


async def test_a_human_is_called_once(conversations: ConversationStore, database: Database) -> None:
    turn = await say(conversations, "怎么退货？", None)
    assert await conversations.hand_off(turn.conversation_id, "asked", "summary")
    assert not await conversations.hand_off(turn.conversation_id, "asked", "summary")
    assert await rows(database, HandoffRow) == 1
    following = await conversations.begin(Question(text="在吗", conversation_id=turn.conversation_id))
    assert following.handoff == "waiting"


async def test_two_calls_at_the_same_moment_call_one_human(
    conversations: ConversationStore, database: Database
) -> None:
    turn = await say(conversations, "怎么退货？", None)
    calls = (conversations.hand_off(turn.conversation_id, "asked", "") for _ in range(5))
    assert sorted(await asyncio.gather(*calls)) == [False] * 4 + [True]
    assert await rows(database, HandoffRow) == 1


async def test_a_human_who_took_over_is_seen_by_the_next_question(
    conversations: ConversationStore, database: Database
) -> None:
    turn = await say(conversations, "怎么退货？", None)
    async with database.transaction() as session:
        await session.execute(update(ConversationRow).values(handoff="human"))
    following = await conversations.begin(Question(text="在吗", conversation_id=turn.conversation_id))
    assert following.handoff == "human"


async def test_handing_off_an_unknown_conversation_is_not_found(conversations: ConversationStore) -> None:
    with pytest.raises(NotFound):
        await conversations.hand_off("absent", "asked", "")


async def test_a_handoff_is_kept_with_its_summary_once(conversations: ConversationStore, database: Database) -> None:
    turn = await say(conversations, "怎么退货？", None)
    assert await conversations.hand_off(turn.conversation_id, "asked", "summary")
    assert not await conversations.hand_off(turn.conversation_id, "asked", "again")
    async with database.transaction() as session:
        [row] = await session.scalars(select(HandoffRow))
    assert (row.told, row.reason, row.summary) == ({}, "asked", "summary")


async def test_a_transcript_of_nothing_is_not_found(conversations: ConversationStore) -> None:
    with pytest.raises(NotFound):
        await conversations.transcript("absent")


async def test_the_past_says_what_each_question_was_about(conversations: ConversationStore) -> None:
    opened = await conversations.begin(Question(text="东西不想要了"))
    answer = reply(opened)
    answer.candidates = [candidate(RETURNS)]
    await conversations.finish(answer)
    later = await conversations.begin(Question(text="那运费呢？", conversation_id=opened.conversation_id))
    assert [(message.role, message.about) for message in later.history] == [
        ("customer", RETURNS.question),
        ("bot", None),
    ]

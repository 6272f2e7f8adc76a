from __future__ import annotations

import asyncio
from contextlib import aclosing

import pytest
from sqlalchemy import func, select, update

from bot import messages
from bot.errors import NotFound, QuestionRejected, RemoteModelError
from bot.question import Question
from bot.store.database import Database
from bot.store.inbox import InboxStore
from bot.store.tables import ConversationRow, HandoffRow, TurnRow
from knowledge.errors import IndexUnavailable, ModelError
from knowledge.search import Query
from tests.bot.fakes import (
    HOURS,
    INVOICE,
    RETURNS,
    ScriptedModel,
    StubKnowledge,
    ask,
    make_desk,
    streamed,
)

GOOD = "签收后7天内可以申请退货，运费12元由买家承担。"
DIRECT, GROUNDED, CLARIFY, NOTHING = 0.95, 0.6, 0.3, 0.05


async def turns(database: Database) -> int:
    async with database.transaction() as session:
        return await session.scalar(select(func.count()).select_from(TurnRow)) or 0


# The outcomes


async def test_a_certain_match_gives_the_entrys_own_words_without_a_model(database: Database) -> None:
    local = ScriptedModel("never")
    answer, events = await ask(make_desk(database, StubKnowledge(DIRECT), local=local), "怎么退货？")
    assert (answer.outcome, answer.text, answer.model, answer.degraded) == ("direct", RETURNS.answer, None, False)
    assert [citation.key for citation in answer.citations] == ["RET-1"]
    assert streamed(events) == RETURNS.answer
    assert local.prompts == []


async def test_a_likely_match_is_worded_by_the_local_model(database: Database) -> None:
    local = ScriptedModel(*GOOD)
    answer, events = await ask(make_desk(database, StubKnowledge(GROUNDED), local=local), "退货有什么规定？")
    assert (answer.outcome, answer.text, answer.model) == ("grounded", GOOD, "scripted")
    assert streamed(events) == GOOD
    assert answer.usage.completion == len(GOOD)
    assert [citation.number for citation in answer.citations] == [1]
    assert RETURNS.answer in local.prompts[0][0].content


async def test_an_answer_that_is_unlikely_offers_three_entries(database: Database) -> None:
    answer, events = await ask(make_desk(database, StubKnowledge(CLARIFY)), "退")
    assert answer.outcome == "clarify"
    assert [offered.key for offered in answer.suggestions] == ["RET-1", "INV-1", "PAY-1"]
    assert streamed(events) == messages.clarify("zh")


async def test_a_number_chooses_an_entry_that_was_offered(database: Database) -> None:
    knowledge = StubKnowledge(0.3)
    desk = make_desk(database, knowledge)
    offered, _ = await ask(desk, "那个")
    knowledge.confidence = 0.95
    chosen, _ = await ask(desk, Question(text="第二个", conversation_id=offered.conversation_id))
    assert knowledge.queries[-1] == Query(INVOICE.question)
    assert (chosen.outcome, chosen.standalone) == ("direct", INVOICE.question)
    later, _ = await ask(desk, Question(text="2", conversation_id=offered.conversation_id))
    assert later.standalone != INVOICE.question  # nothing was offered just before


async def test_without_a_local_model_a_likely_match_is_offered(database: Database) -> None:
    answer, _ = await ask(make_desk(database, StubKnowledge(GROUNDED)), "退货有什么规定？")
    assert answer.outcome == "clarify"


async def test_what_the_faq_does_not_know_goes_to_the_larger_model(database: Database) -> None:
    remote = ScriptedModel("可以的", "，欢迎。")
    answer, events = await ask(make_desk(database, StubKnowledge(NOTHING), remote=remote), "能带宠物吗？")
    assert (answer.outcome, answer.text, answer.model) == ("escalated", "可以的，欢迎。", "scripted")
    assert streamed(events) == answer.text


async def test_what_nobody_knows_is_refused_kindly(database: Database) -> None:
    answer, events = await ask(make_desk(database, StubKnowledge(NOTHING)), "能带宠物吗？")
    assert (answer.outcome, answer.text) == ("refused", messages.out_of_scope("zh", can_hand_off=True))
    assert streamed(events) == answer.text


async def test_nothing_found_is_refused_whatever_the_confidence(database: Database) -> None:
    knowledge = StubKnowledge(DIRECT)
    knowledge.found = ()
    answer, _ = await ask(make_desk(database, knowledge), "能带宠物吗？")
    assert answer.outcome == "refused"


async def test_a_search_that_fails_is_no_crash(database: Database) -> None:
    for failure in (IndexUnavailable("nothing published"), ModelError("no embedding")):
        answer, _ = await ask(make_desk(database, StubKnowledge(failure=failure)), "怎么退货？")
        assert (answer.outcome, answer.confidence) == ("refused", 0.0)


# The larger model fails


@pytest.mark.parametrize(
    "pieces",
    [[RemoteModelError("down")], ["可以", RemoteModelError("cut")], ["不知道"], ["Unknown."], ["不知道。"], [], [" "]],
)
async def test_a_larger_model_without_an_answer_leads_to_the_next_outcome(
    database: Database, pieces: list[str | Exception]
) -> None:
    remote = ScriptedModel(*pieces)
    answer, events = await ask(make_desk(database, StubKnowledge(NOTHING), remote=remote), "能带宠物吗？")
    assert (answer.outcome, answer.model, answer.citations) == ("refused", None, [])
    assert streamed(events) == answer.text == messages.out_of_scope("zh", can_hand_off=True)
    assert remote.generations[0].closed.is_set()


@pytest.mark.parametrize("text", ["请打 400-123-4567", "30天内都可以退", "见 https://evil.example"])
async def test_a_larger_model_that_makes_up_a_fact_leads_to_the_next_outcome(database: Database, text: str) -> None:
    answer, events = await ask(make_desk(database, StubKnowledge(NOTHING), remote=ScriptedModel(text)), "能带宠物吗？")
    assert (answer.outcome, text in streamed(events)) == ("refused", False)


@pytest.mark.parametrize(
    "pieces",
    [
        ("签收后7天内可以申", "请退货，运", "费12元", "由买家承担。"),
        ("签收后7天内可以申请退货，运费", "12元由买家承担。"),
    ],
)
async def test_a_sensitive_word_is_caught_across_the_pieces_of_a_stream(
    database: Database, pieces: tuple[str, ...]
) -> None:
    local = ScriptedModel(*pieces, "运费")
    settings = {"bot": {"sensitive_words": ["货运费"]}}
    answer, _ = await ask(make_desk(database, StubKnowledge(GROUNDED), local=local, settings=settings), "退回去呢？")
    assert (answer.trace.grounded, answer.degraded, answer.text) == (False, True, RETURNS.answer)
    assert answer.trace.generated is not None
    assert "由买家承担" not in answer.trace.generated


async def test_a_larger_model_that_takes_too_long_is_given_up(database: Database) -> None:
    remote = ScriptedModel("可以", asyncio.Event())
    desk = make_desk(database, StubKnowledge(NOTHING), remote=remote, settings={"remote": {"timeout_seconds": 0.01}})
    answer, _ = await ask(desk, "能带宠物吗？")
    assert answer.outcome == "refused"
    assert remote.given_up == 1
    assert remote.generations[0].closed.is_set()


async def test_a_larger_model_that_is_left_alone_is_not_asked(database: Database) -> None:
    remote = ScriptedModel("可以")
    remote.available = False
    answer, _ = await ask(make_desk(database, StubKnowledge(NOTHING), remote=remote), "能带宠物吗？")
    assert answer.outcome == "refused"
    assert remote.prompts == []


async def test_the_larger_model_sees_no_personal_data(database: Database) -> None:
    remote = ScriptedModel("可以。")
    desk = make_desk(database, StubKnowledge(NOTHING), remote=remote)
    asked = Question(text="我是13800138000，能带宠物吗？", earlier=("我的身份证是11010519491231002X",))
    await ask(desk, asked)
    prompt = " ".join(message.content for message in remote.prompts[0])
    assert "13800138000" not in prompt
    assert "11010519491231002X" not in prompt
    assert "能带宠物吗？" in prompt


# Humans


@pytest.mark.parametrize("text", ["转人工", "talk to a person"])
async def test_who_asks_for_a_human_gets_one(database: Database, text: str) -> None:
    answer, _ = await ask(make_desk(database, StubKnowledge(DIRECT)), text)
    assert (answer.outcome, answer.handoff) == ("handoff", "waiting")
    assert answer.text == messages.handed_off(answer.language)
    async with database.transaction() as session:
        assert list(await session.scalars(select(HandoffRow.reason))) == ["asked"]


async def test_a_question_about_humans_is_answered(database: Database) -> None:
    answer, _ = await ask(make_desk(database, StubKnowledge(DIRECT)), "人工客服几点上班")
    assert answer.outcome == "direct"


async def test_without_humans_the_wish_is_refused(database: Database) -> None:
    answer, _ = await ask(
        make_desk(database, StubKnowledge(DIRECT), settings={"handoff": {"enabled": False}}), "转人工"
    )
    assert (answer.outcome, answer.text, answer.handoff) == ("refused", messages.no_humans("zh"), "bot")


async def test_the_second_unanswered_question_in_a_row_calls_a_human(database: Database) -> None:
    desk = make_desk(database, StubKnowledge(NOTHING))
    first, _ = await ask(desk, "能带宠物吗？")
    second, _ = await ask(desk, Question(text="狗可以进店吗？", conversation_id=first.conversation_id))
    assert [first.outcome, second.outcome] == ["refused", "handoff"]
    assert second.text == messages.handed_off("zh", asked=False)
    async with database.transaction() as session:
        assert list(await session.scalars(select(HandoffRow.reason))) == ["unanswered"]


async def test_an_answer_in_between_starts_the_count_again(database: Database) -> None:
    knowledge = StubKnowledge(NOTHING)
    desk = make_desk(database, knowledge)
    first, _ = await ask(desk, "能带宠物吗？")
    knowledge.confidence = DIRECT
    await ask(desk, Question(text="怎么退货？", conversation_id=first.conversation_id))
    knowledge.confidence = NOTHING
    third, _ = await ask(desk, Question(text="狗可以进店吗？", conversation_id=first.conversation_id))
    assert third.outcome == "refused"


WAITING = f"{messages.still_waiting('zh')}\n{messages.way_back('zh')}"


async def test_who_does_not_want_to_wait_for_a_human_any_more_has_the_bot_again(database: Database) -> None:
    desk = make_desk(database, StubKnowledge(DIRECT))
    first, _ = await ask(desk, "转人工")
    again = {"conversation_id": first.conversation_id}
    second, _ = await ask(desk, Question(text="不用人工了", **again))
    assert (second.handoff, second.text) == ("bot", messages.bot_again("zh"))
    third, _ = await ask(desk, Question(text="怎么退货？", **again))
    assert (third.outcome, third.handoff) == ("direct", "bot")


async def test_a_person_who_is_there_is_not_called_off(database: Database) -> None:
    desk = make_desk(database, StubKnowledge(DIRECT))
    first, _ = await ask(desk, "转人工")
    await InboxStore(database).take(first.conversation_id, "Mei", instead_of=None)
    second, _ = await ask(desk, Question(text="不用人工了", conversation_id=first.conversation_id))
    assert (second.handoff, second.text) == ("human", "")


@pytest.mark.parametrize("channel", ["openai", "terminal"])
async def test_where_nobody_could_hear_a_person_none_is_called(database: Database, channel: str) -> None:
    desk = make_desk(database, StubKnowledge(NOTHING))
    asked, _ = await ask(desk, Question(text="转人工", channel=channel))
    assert (asked.outcome, asked.text, asked.handoff) == ("refused", messages.no_humans("zh"), "bot")
    unanswered, _ = await ask(desk, Question(text="能带宠物吗？", channel=channel))
    assert unanswered.text == messages.out_of_scope("zh", can_hand_off=False)


async def test_while_a_human_is_awaited_the_bot_does_not_answer(database: Database) -> None:
    knowledge, local = StubKnowledge(DIRECT), ScriptedModel("never")
    desk = make_desk(database, knowledge, local=local)
    first, _ = await ask(desk, "转人工")
    searched = len(knowledge.queries)
    second, _ = await ask(desk, Question(text="怎么退货？", conversation_id=first.conversation_id))
    assert (second.outcome, second.handoff, second.text) == ("handoff", "waiting", WAITING)
    assert second.citations == []
    assert len(knowledge.queries) == searched
    async with database.transaction() as session:
        assert await session.scalar(select(func.count()).select_from(HandoffRow)) == 1


async def test_while_a_human_answers_the_bot_is_silent(database: Database) -> None:
    desk = make_desk(database, StubKnowledge(DIRECT))
    first, _ = await ask(desk, "转人工")
    async with database.transaction() as session:
        await session.execute(update(ConversationRow).values(handoff="human"))
    second, events = await ask(desk, Question(text="怎么退货？", conversation_id=first.conversation_id))
    assert (second.outcome, second.handoff, second.text, streamed(events)) == ("handoff", "human", "", "")


# Messages and conversations


async def test_the_same_message_gets_the_same_answer_generated_once(database: Database) -> None:
    local = ScriptedModel(GOOD)
    desk = make_desk(database, StubKnowledge(GROUNDED), local=local)
    question = Question(text="退货有什么规定？", message_id="m-1")
    first, _ = await ask(desk, question)
    second, _ = await ask(desk, question)
    assert (second.turn_id, second.text, second.outcome) == (first.turn_id, first.text, first.outcome)
    assert len(local.prompts) == 1
    assert await turns(database) == 1


async def test_a_message_whose_answer_was_never_finished_is_answered_again(database: Database) -> None:
    desk = make_desk(database, StubKnowledge(DIRECT))
    question = Question(text="怎么退货？", message_id="m-1")
    async with aclosing(desk.answer(question)) as events:
        await anext(events)
    answer, _ = await ask(desk, question)
    assert answer.text == RETURNS.answer
    assert await turns(database) == 1


async def test_a_follow_up_is_joined_to_its_topic(database: Database) -> None:
    knowledge = StubKnowledge(DIRECT)
    desk = make_desk(database, knowledge)
    first, _ = await ask(desk, "洗衣机坏了可以上门维修吗？")
    second, _ = await ask(desk, Question(text="那运费呢？", conversation_id=first.conversation_id))
    assert knowledge.queries[-1].topic == "洗衣机坏了可以上门维修吗？"
    assert knowledge.queries[-1].about == RETURNS.question
    assert second.standalone == "洗衣机坏了可以上门维修吗？ 那运费呢？"
    assert first.standalone is None


async def test_the_questions_that_a_channel_sends_along_are_history_too(database: Database) -> None:
    knowledge = StubKnowledge(DIRECT)
    await ask(make_desk(database, knowledge), Question(text="那运费呢？", earlier=("洗衣机坏了可以上门维修吗？",)))
    assert knowledge.queries[-1].topic == "洗衣机坏了可以上门维修吗？"
    assert knowledge.queries[-1].about == RETURNS.question


async def test_a_question_that_stands_alone_has_nothing_before_it_searched(database: Database) -> None:
    knowledge, full = StubKnowledge(DIRECT), "请问洗衣机坏了以后可以安排师傅上门维修吗？"
    await ask(make_desk(database, knowledge), Question(text=full, earlier=("怎么退货？", "怎么开发票？")))
    assert [query.text for query in knowledge.queries] == [full]


async def test_two_conversations_do_not_hear_each_other(database: Database) -> None:
    knowledge = StubKnowledge(DIRECT)
    desk = make_desk(database, knowledge)
    await ask(desk, "洗衣机坏了可以上门维修吗？")
    await ask(desk, "那运费呢？")
    assert knowledge.queries[-1].topic is None


async def test_an_unknown_conversation_is_not_found(database: Database) -> None:
    with pytest.raises(NotFound):
        await ask(make_desk(database), Question(text="怎么退货？", conversation_id="absent"))


@pytest.mark.parametrize(("text", "reason"), [("\u200b \x07", "empty_question"), ("问" * 2_001, "question_too_long")])
async def test_what_is_no_question_is_rejected_and_not_kept(database: Database, text: str, reason: str) -> None:
    with pytest.raises(QuestionRejected) as caught:
        await ask(make_desk(database), text)
    assert caught.value.reason == reason
    assert await turns(database) == 0


@pytest.mark.parametrize("text", ["？？？", "👍", "😀😀", "……"])
async def test_a_message_without_words_is_not_searched(database: Database, text: str) -> None:
    knowledge = StubKnowledge(DIRECT)
    answer, _ = await ask(make_desk(database, knowledge), text)
    assert answer.outcome == "refused"
    assert answer.text in (messages.no_words("zh"), messages.no_words("en"))
    assert knowledge.queries == []


async def test_the_language_is_read_off_the_question_unless_it_is_wished(database: Database) -> None:
    desk = make_desk(database, StubKnowledge(NOTHING))
    assert (await ask(desk, "能带宠物吗？"))[0].language == "zh"
    assert (await ask(desk, "Are pets allowed?"))[0].language == "en"
    wished, _ = await ask(desk, Question(text="能带宠物吗？", language="en"))
    assert wished.text == messages.out_of_scope("en", can_hand_off=True)


async def test_what_the_customer_got_is_what_is_kept(database: Database) -> None:
    desk = make_desk(database, StubKnowledge(GROUNDED), local=ScriptedModel("运费88元。", "完"))
    answer, _ = await ask(desk, "退货有什么规定？")
    kept = await desk.conversations.answer(answer.turn_id)
    assert (kept.text, kept.outcome, kept.degraded, kept.citations) == (
        RETURNS.answer,
        "direct",
        True,
        answer.citations,
    )


async def test_an_english_entry_is_given_to_who_asks_in_english(database: Database) -> None:
    answer, _ = await ask(make_desk(database, StubKnowledge(DIRECT, HOURS)), "When are you open?")
    assert (answer.text, answer.language) == (HOURS.answer, "en")


async def test_closing_the_desk_closes_its_models(database: Database) -> None:
    local, remote = ScriptedModel(), ScriptedModel()
    await make_desk(database, local=local, remote=remote).close()
    assert (local.closed, remote.closed) == (True, True)


@pytest.mark.parametrize(("said", "language"), [("怎么退货？", "zh"), ("How do I return it?", "en")])
async def test_what_has_no_words_is_in_the_language_of_the_conversation(
    database: Database, said: str, language: str
) -> None:
    desk = make_desk(database, StubKnowledge(DIRECT))
    first, _ = await ask(desk, said)
    later, _ = await ask(desk, Question(text="SF12345", conversation_id=first.conversation_id))
    alone, _ = await ask(desk, "SF12345")
    assert (first.language, later.language, alone.language) == (language, language, "zh")

from __future__ import annotations

import pytest

from bot.errors import ModelError
from bot.models.base import ChatMessage
from bot.reuse import AnswerCache, Worded
from bot.store.database import Database
from tests.bot.fakes import RETURNS, ScriptedModel, StubKnowledge, ask, make_desk, streamed

GOOD, WRONG = "签收后7天内可以申请退货。", "签收后88天内可以申请退货。"
GROUNDED = 0.6


def prompt(question: str, entry: str = "退货7天") -> list[ChatMessage]:
    return [ChatMessage("system", entry), ChatMessage("user", question)]


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("怎么退货？", "怎么退货"),
        ("怎么退货?", "怎么退货？！"),
        ("Can I return IT.", "can i return it?"),
        ("ＶＩＰ 退货", "vip 退货 "),
    ],
)
def test_punctuation_case_and_width_do_not_make_another_question(first: str, second: str) -> None:
    cache = AnswerCache(4)
    cache.put(prompt(first), Worded("一样", grounded=True))
    assert cache.get(prompt(second)) is not None


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("退货要7天吗", "退货要17天吗"),
        ("满100减20", "满10020"),
        ("买家承担吗", "卖家承担吗"),
        ("-5度可以吗", "5度可以吗"),
    ],
)
def test_another_number_sign_or_party_is_another_question(first: str, second: str) -> None:
    cache = AnswerCache(4)
    cache.put(prompt(first), Worded("x", grounded=True))
    assert cache.get(prompt(second)) is None


def test_another_entry_is_another_prompt() -> None:
    cache = AnswerCache(4)
    cache.put(prompt("怎么退货？"), Worded("x", grounded=True))
    assert cache.get(prompt("怎么退货？", entry="退货15天")) is None


def test_the_answer_unused_for_longest_goes_first() -> None:
    cache = AnswerCache(2)
    for question in ("a", "b"):
        cache.put(prompt(question), Worded(question, grounded=True))
    cache.get(prompt("a"))
    cache.put(prompt("c"), Worded("c", grounded=True))
    assert [cache.get(prompt(question)) is not None for question in "abc"] == [True, False, True]
    assert len(cache) == 2


def test_a_cache_of_no_size_keeps_nothing() -> None:
    cache = AnswerCache(0)
    cache.put(prompt("a"), Worded("a", grounded=True))
    assert cache.get(prompt("a")) is None


async def test_the_same_question_is_answered_without_the_model(database: Database) -> None:
    local = ScriptedModel(GOOD)
    desk = make_desk(database, StubKnowledge(GROUNDED), local=local)
    first, _ = await ask(desk, "退货有什么规定？")
    second, events = await ask(desk, "退货有什么规定")
    assert (second.outcome, second.text, second.model) == ("grounded", first.text, "scripted")
    assert [first.reused, second.reused] == [False, True]
    assert streamed(events) == GOOD
    assert second.usage.completion == 0
    assert len(local.prompts) == 1
    assert (await desk.conversations.answer(second.turn_id)).reused


async def test_what_failed_the_check_is_not_tried_again(database: Database) -> None:
    local = ScriptedModel(WRONG)
    desk = make_desk(database, StubKnowledge(GROUNDED), local=local)
    for _ in range(2):
        answer, _ = await ask(desk, "退货有什么规定？")
        assert (answer.outcome, answer.text, answer.degraded, answer.reused) == ("direct", RETURNS.answer, True, False)
    assert len(local.prompts) == 1


async def test_a_model_that_broke_is_asked_again(database: Database) -> None:
    desk = make_desk(database, StubKnowledge(GROUNDED), local=ScriptedModel(ModelError("broken")))
    await ask(desk, "退货有什么规定？")
    desk.local = ScriptedModel(GOOD)
    answer, _ = await ask(desk, "退货有什么规定？")
    assert (answer.outcome, answer.text) == ("grounded", GOOD)


async def test_changed_settings_forget_what_was_worded(database: Database) -> None:
    local = ScriptedModel(GOOD)
    desk = make_desk(database, StubKnowledge(GROUNDED), local=local)
    await ask(desk, "退货有什么规定？")
    desk.configure(desk.settings.model_copy(deep=True), None)
    await ask(desk, "退货有什么规定？")
    assert len(local.prompts) == 2


@pytest.mark.parametrize(
    ("first", "second"),
    [("尺码1:2", "尺码1 2"), ("10²平方米", "102平方米"), ("5~10天", "5 10天"), ("3,5 kg", "3;5 kg")],
)
def test_a_sign_between_digits_makes_another_question(first: str, second: str) -> None:
    cache = AnswerCache(4)
    cache.put(prompt(first), Worded("x", grounded=True))
    assert cache.get(prompt(second)) is None

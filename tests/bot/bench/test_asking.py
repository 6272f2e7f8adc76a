"""What is made of a model's answers, with a scripted model."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from bot.bench.coding import TASKS, try_tasks
from bot.bench.grounding import read_details, try_details
from bot.bench.remembering import CONVERSATIONS, is_right, try_conversations
from bot.bench.speed import Timed, output_speed, prompt_of, prompt_speed, quantile, time_answer
from bot.question import Usage
from knowledge.errors import SuiteUnreadable
from knowledge.text import normalise
from tests.bot.fakes import ScriptedModel

EXAMPLES = Path(__file__).parents[3] / "examples"


def nothing() -> None:
    """Show no progress."""


# Follow-ups


async def test_the_models_own_answers_are_in_the_conversation() -> None:
    model = ScriptedModel("加湿器")
    tried = await try_conversations(model, 0, nothing)
    assert len(tried) == 2 * len(CONVERSATIONS)
    assert [message.role for message in model.prompts[2]] == [
        "system",
        "user",
        "assistant",
        "user",
        "assistant",
        "user",
    ]
    assert [each["right"] for each in tried[:2]] == [True, False]


def test_repeating_what_the_customer_said_is_no_answer() -> None:
    opening = "I live in Leeds."
    assert is_right("In leeds, you said.", ("Leeds",), opening)
    assert not is_right("I live in Leeds. I live in Leeds.", ("Leeds",), opening)


def test_each_follow_up_has_its_answer_in_the_opening() -> None:
    for conversation in CONVERSATIONS:
        for _, words in conversation.follow_ups:
            assert any(word in conversation.opening for word in words)


# The FAQ


@pytest.mark.parametrize(("folder", "count"), [("shop-zh", 40), ("bank-en", 20)])
def test_the_entry_holds_what_a_right_answer_holds(folder: str, count: int) -> None:
    details = read_details(EXAMPLES / folder, 0)
    assert len(details) == count
    for detail in details:
        for phrase in detail.case.phrases:
            bare = [normalise(text).replace(" ", "").replace("*", "") for text in (phrase, detail.entry.answer)]
            assert bare[0] in bare[1], detail.case.question


async def test_an_answer_in_the_entrys_words_is_right_and_passes() -> None:
    (detail,) = read_details(EXAMPLES / "shop-zh", 1)
    model = ScriptedModel("提交订单后请在 30 分钟 内付款，", "超时系统自动关闭订单并释放库存。")
    (tried,) = await try_details(model, [detail], max_tokens=64, on_progress=nothing)
    assert (tried["right"], tried["passed"]) == (True, True)
    assert "资料" in model.prompts[0][0].content


async def test_an_answer_with_a_number_of_its_own_is_neither() -> None:
    (detail,) = read_details(EXAMPLES / "shop-zh", 1)
    (tried,) = await try_details(
        ScriptedModel("提交订单后请在45分钟内付款。"), [detail], max_tokens=64, on_progress=nothing
    )
    assert (tried["right"], tried["passed"]) == (False, False)


def test_a_folder_without_an_faq_is_said(tmp_path: Path) -> None:
    with pytest.raises(SuiteUnreadable, match="--faq"):
        read_details(tmp_path, 0)


def test_questions_on_another_faq_are_said(tmp_path: Path) -> None:
    shutil.copy(EXAMPLES / "shop-zh" / "faq.csv", tmp_path)
    (tmp_path / "answers.csv").write_text("question,expected,phrases\nwhat?,BANK-001,free\n")
    with pytest.raises(SuiteUnreadable, match="known entry"):
        read_details(tmp_path, 0)


# Python


async def test_each_task_is_asked_and_judged() -> None:
    model = ScriptedModel("```python\ndef can_return(days):\n    return 0 <= days <= 7\n```")
    tried = await try_tasks(model, 0, nothing)
    assert [each["task"] for each in tried if not each["problem"]] == ["can_return"]
    assert len(model.prompts) == len(TASKS)


# Speed


def test_a_prompt_has_as_many_tokens_as_are_wanted() -> None:
    text = prompt_of(500, len, seed="a")
    assert len(text) == 500
    assert prompt_of(500, len, seed="a") == text
    assert prompt_of(500, len, seed="b")[:20] != text[:20]


async def test_an_answer_is_timed() -> None:
    timed = await time_answer(ScriptedModel("a", "b"), "?", max_tokens=2)
    assert 0 <= timed.first <= timed.last
    assert timed.usage.completion == 2


async def test_an_answer_without_a_word_is_timed_too() -> None:
    assert (await time_answer(ScriptedModel(), "?", max_tokens=2)).first > 0


def test_speeds_are_tokens_by_seconds() -> None:
    timed = [Timed(2.0, 4.0, Usage(prompt=300, cached=100, completion=21)), Timed(2.0, 2.5, Usage(prompt=200))]
    assert prompt_speed(timed) == 100
    assert output_speed(timed) == 10
    assert quantile(timed, 0.5) == 2


def test_nothing_is_said_of_what_was_not_measured() -> None:
    assert (prompt_speed([]), output_speed([Timed(1, 2, Usage(completion=3))]), quantile([], 0.5)) == (None,) * 3

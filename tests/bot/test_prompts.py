from __future__ import annotations

import pytest

from bot import prompts
from bot.question import Citation, Message
from knowledge.entries import Entry
from knowledge.search import Query

CITATION = Citation(1, "default", "RET-1", "怎么退货？", "7天内。")


@pytest.mark.parametrize("language", ["zh", "en"])
def test_what_repeats_comes_first(language: str) -> None:
    first = prompts.grounded(language, [CITATION], Query("能退吗"))
    second = prompts.grounded(language, [CITATION], Query("多久"))
    assert [message.role for message in first] == ["system", "user"]
    assert first[0] == second[0]
    assert first[1].content == "能退吗"


@pytest.mark.parametrize("language", ["zh", "en"])
def test_the_entries_are_in_the_prompt_with_their_numbers(language: str) -> None:
    other = Citation(2, "default", "INV-1", "怎么开发票？", "点击申请。")
    system = prompts.grounded(language, [CITATION, other], Query("?"))[0].content
    assert system.index("[1]") < system.index("7天内。") < system.index("[2]") < system.index("点击申请。")


@pytest.mark.parametrize("language", ["zh", "en"])
def test_a_follow_up_is_put_with_its_topic(language: str) -> None:
    user = prompts.grounded(language, [CITATION], Query("运费呢？", "怎么退货？"))[1].content
    assert "怎么退货？" in user
    assert user.endswith("运费呢？")


def test_a_long_entry_is_cut() -> None:
    long = Citation(1, "default", "k", "q", "长" * 10_000)
    system = prompts.grounded("zh", [long], Query("?"))[0].content
    assert system.count("长") == prompts.MAX_ENTRY_CHARS


def test_braces_in_an_entry_are_only_text() -> None:
    strange = Citation(1, "default", "k", "{number} {0}", "{answer.__class__} %s")
    system = prompts.grounded("zh", [strange], Query("{topic}", "{text}"))
    assert "{answer.__class__} %s" in system[0].content
    assert "{topic}" in system[1].content


@pytest.mark.parametrize("language", ["zh", "en"])
def test_the_larger_model_hears_the_last_messages_and_then_the_question(language: str) -> None:
    history = [Message("customer" if number % 2 == 0 else "bot", str(number)) for number in range(10)]
    prompt = prompts.escalated(language, [CITATION], history, "运费呢？")
    assert [message.content for message in prompt[1:]] == ["4", "5", "6", "7", "8", "9", "运费呢？"]
    assert [message.role for message in prompt[:3]] == ["system", "user", "assistant"]
    assert any(word in prompt[0].content for word in prompts.UNKNOWN)


def test_without_evidence_the_larger_model_gets_no_empty_material() -> None:
    assert "资料：" not in prompts.escalated("zh", [], [], "?")[0].content


def test_one_entry_is_asked_about_as_when_it_is_cited() -> None:
    entry = Entry(key="RET-1", question="怎么退货？", answer="7天内。")
    assert prompts.about("zh", entry, Query("能退吗")) == prompts.grounded("zh", [CITATION], Query("能退吗"))

from __future__ import annotations

import pytest

from bot.contextualise import SHORT_CHINESE, choose, in_context, is_short
from bot.question import Message, Suggestion

TOPIC = "洗衣机坏了可以上门维修吗"


def asked(*texts: str) -> list[Message]:
    return [message for text in texts for message in (Message("customer", text), Message("bot", "好的。"))]


@pytest.mark.parametrize("text", ["那运费呢？", "要修多久", "what about shipping?"])
def test_a_short_question_leans_on_the_one_before(text: str) -> None:
    query = in_context(text, asked(TOPIC))
    assert (query.text, query.topic, query.about) == (text, TOPIC, None)
    assert query.standalone == f"{TOPIC} {text}"
    assert query.readings == [text, f"{TOPIC} {text}"]


def test_it_leans_on_the_entry_that_was_found_too() -> None:
    query = in_context("那运费呢？", [Message("customer", "机器坏了", "洗衣机怎么报修？")])
    assert query.readings == ["那运费呢？", "机器坏了 那运费呢？", "洗衣机怎么报修？ 那运费呢？"]


def test_a_first_question_stands_alone() -> None:
    assert in_context("那运费呢？", []).topic is None


def test_a_long_question_stands_alone() -> None:
    assert in_context("那" + "问" * SHORT_CHINESE, asked(TOPIC)).topic is None


def test_a_follow_up_of_a_follow_up_leans_on_what_that_was_about() -> None:
    history = [Message("customer", TOPIC, "上门维修"), Message("customer", "那运费呢？", "维修的运费谁出？")]
    query = in_context("那周末呢", history)
    assert (query.topic, query.about) == ("那运费呢？", "维修的运费谁出？")


def test_what_the_bot_said_is_no_topic() -> None:
    assert in_context("那运费呢？", [Message("bot", TOPIC)]).topic is None


def test_a_question_asked_again_does_not_lean_on_itself() -> None:
    assert in_context("要修多久？", asked("要修多久")).topic is None


def test_a_greeting_is_no_topic() -> None:
    assert in_context("那运费呢？", asked(TOPIC, "嗯")).topic == TOPIC


@pytest.mark.parametrize(
    ("text", "short"),
    [
        ("问" * 14, True),
        ("问" * 15, False),
        ("问" * 14 + "？！", True),
        ("a b c d e f g h", True),
        ("a b c d e f g h i", False),
    ],
)
def test_short_counts_characters_in_chinese_and_words_in_english(text: str, short: bool) -> None:
    assert is_short(text) is short


OFFERED = [Suggestion("A", "怎么退货？"), Suggestion("B", "怎么开发票？"), Suggestion("C", "怎么付款？")]


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("1", "A"),
        ("２", "B"),
        ("3.", "C"),
        ("第二个", "B"),
        ("选1", "A"),
        ("二", "B"),
        ("2、", "B"),
        ("the second one", "B"),
        ("Option 3", "C"),
        ("third", "C"),
        ("No. 1", "A"),
        (" ① ", "A"),
        ("第3项！", "C"),
    ],
)
def test_a_number_picks_what_was_offered(text: str, key: str) -> None:
    chosen = choose(text, OFFERED)
    assert chosen is not None
    assert chosen.key == key


@pytest.mark.parametrize("text", ["4", "12", "0", "2个月", "1年保修吗", "第二次购买", "one", "", "怎么退货？", "1 2"])
def test_what_picks_nothing_is_a_question(text: str) -> None:
    assert choose(text, OFFERED) is None


def test_a_number_picks_nothing_where_nothing_was_offered() -> None:
    assert choose("1", []) is None
    assert choose("3", OFFERED[:2]) is None

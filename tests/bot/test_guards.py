from __future__ import annotations

import pytest

from bot.errors import QuestionRejected
from bot.guards import admit, asks_for_human, calls_off_human, has_words, mentions


def test_a_question_is_cleaned() -> None:
    assert admit("  怎么\u200b 退\x00货？\n\n快 ", max_chars=100) == "怎么 退货？ 快"


@pytest.mark.parametrize("text", ["", " \n\t　", "\x00\x01\x7f", "\u200b\u200d\u2060\ufeff", "\u202e\u00ad"])
def test_nothing_to_be_seen_is_empty(text: str) -> None:
    with pytest.raises(QuestionRejected) as caught:
        admit(text, max_chars=100)
    assert caught.value.reason == "empty_question"


def test_the_longest_question_passes_and_one_character_more_does_not() -> None:
    assert admit("问" * 100, max_chars=100) == "问" * 100
    with pytest.raises(QuestionRejected, match="101 characters") as caught:
        admit("问" * 101, max_chars=100)
    assert caught.value.reason == "question_too_long"


@pytest.mark.parametrize(
    ("text", "expected"), [("退货", True), ("7", True), ("？！…", False), ("👍😀", False), ("_", False)]
)
def test_words_are_letters_and_digits(text: str, expected: bool) -> None:
    assert has_words(text) is expected


@pytest.mark.parametrize(
    "text",
    [
        "转人工",
        "人工",
        "人工客服",
        "我要转人工！",
        "请帮我转人工客服",
        "找真人客服",
        "转接人工服务，谢谢",
        "能不能转人工吗？",
        "talk to a person",
        "Talk to a human please",
        "agent",
        "human please!",
        "I want to speak to a real person.",
        "can I talk to someone?",
        "connect me to an operator",
    ],
)
def test_a_call_for_a_human_is_heard(text: str) -> None:
    assert asks_for_human(text)


@pytest.mark.parametrize(
    "text",
    [
        "人工客服几点上班",
        "人工客服的电话是多少？",
        "人工费多少钱",
        "人工智能是什么",
        "不要转人工",
        "我是真人吗你是机器人",
        "怎么退货",
        "when are your agents available?",
        "how do I become an agent",
        "is there a person in the video?",
        "do I need an estate agent",
    ],
)
def test_a_question_about_humans_is_a_question(text: str) -> None:
    assert not asks_for_human(text)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("有没有博彩", True),
        ("博 . 彩 在哪", True),
        ("BITCOIN?", True),
        ("ｂｉｔｃｏｉｎ", True),
        ("怎么退货", False),
        ("", False),
    ],
)
def test_a_sensitive_word_is_found_however_it_is_written(text: str, found: bool) -> None:
    assert mentions(text, ["博彩", "bitcoin", " ", ""]) is found


@pytest.mark.parametrize(
    "text",
    [
        *(
            "不用人工",
            "不用人工了",
            "不用人工了，问机器人就行",
            "算了，不用转人工了",
            "先不要转人工客服",
            "取消人工",
            "不等人工了，继续问机器人",
        ),
        *(
            "no agent",
            "No agent, please",
            "never mind the agent",
            "cancel the human",
            "I don't need a person any more.",
        ),
    ],
)
def test_who_wants_no_human_any_more_is_understood(text: str) -> None:
    assert calls_off_human(text)
    assert not asks_for_human(text)


@pytest.mark.parametrize(
    "text", ["转人工", "不用人工审核吗", "人工什么时候来", "no agent has written to me", "不用了谢谢"]
)
def test_other_words_call_nobody_off(text: str) -> None:
    assert not calls_off_human(text)

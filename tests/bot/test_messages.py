from __future__ import annotations

import inspect
import re
from collections.abc import Callable

import pytest

from bot import messages
from bot.guards import asks_for_human

SENTENCES = [
    function
    for name, function in inspect.getmembers(messages, inspect.isfunction)
    if not name.startswith("_") and function.__module__ == messages.__name__ and name != "as_language"
]
ARGUMENTS: dict[str, list[dict[str, object]]] = {
    "based_on": [{"questions": ["A1", "B2"]}],
    "welcome": [{"name": "小青"}],
    "too_often": [{"seconds": 3}],
    "outside_hours": [{"hours": "09:00–18:00"}],
    "unknown_order": [{"number": "20260001"}],
    "out_of_scope": [{"can_hand_off": True}, {"can_hand_off": False}],
}
HAN = re.compile(r"[\u4e00-\u9fff]")


def test_the_sentences_are_found() -> None:
    assert len(SENTENCES) >= 9


@pytest.mark.parametrize("sentence", SENTENCES, ids=lambda function: function.__name__)
def test_a_sentence_exists_in_both_languages(sentence: Callable[..., str]) -> None:
    for arguments in ARGUMENTS.get(sentence.__name__, [{}]):
        chinese, english = sentence("zh", **arguments), sentence("en", **arguments)
        assert HAN.search(chinese)
        assert not HAN.search(english.replace("小青", ""))
        assert re.search(r"[A-Za-z]{3}", english)


def test_a_human_is_offered_only_where_there_is_one() -> None:
    assert "转人工" in messages.out_of_scope("zh", can_hand_off=True)
    assert "转人工" not in messages.out_of_scope("zh", can_hand_off=False)


@pytest.mark.parametrize(
    "offer", [messages.out_of_scope("zh", can_hand_off=True), messages.out_of_scope("en", can_hand_off=True)]
)
def test_the_words_that_are_offered_work(offer: str) -> None:
    words = re.search(r"“(.+?)”", offer)
    assert words is not None
    assert asks_for_human(words[1])


@pytest.mark.parametrize(
    ("language", "expected"), [("zh", "zh"), ("zh-CN", "zh"), ("ZH_tw", "zh"), ("en", "en"), ("fr", "en"), ("", "en")]
)
def test_every_language_is_served_in_one_of_ours(language: str, expected: str) -> None:
    assert messages.as_language(language) == expected

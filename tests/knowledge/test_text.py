from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from knowledge.text import STOP_WORDS, bare, clean, detect_language, names_language, normalise, tokenise
from tests.knowledge.fakes import examples


@examples
@given(st.text())
def test_normalising_twice_is_normalising_once(text: str) -> None:
    assert normalise(normalise(text)) == normalise(text)


@examples
@given(st.text())
def test_cleaning_twice_is_cleaning_once(text: str) -> None:
    assert clean(clean(text)) == clean(text)


def test_full_width_forms_and_capitals_compare_equal() -> None:
    assert normalise("ＶＩＰ会员　怎么开？") == normalise("vip会员 怎么开?")


def test_what_cannot_be_seen_is_removed() -> None:
    assert clean("\ufeff退\u200b货\u202e流\x00程\u00ad") == "退货流程"


def test_white_space_is_folded_to_one_space() -> None:
    assert clean("  a \t\n\u3000 b  ") == "a b"


@pytest.mark.parametrize("separator", ["\r", "\x0b", "\u2028"])
def test_a_line_break_of_any_kind_parts_two_words(separator: str) -> None:
    assert clean(f"return{separator}policy") == "return policy"


def test_cleaning_keeps_the_case() -> None:
    assert clean("iPhone 15 Pro") == "iPhone 15 Pro"


def test_punctuation_and_spaces_do_not_tell_two_questions_apart() -> None:
    assert bare("怎么 退货？！") == bare("怎么退货") == "怎么退货"


def test_different_words_stay_different() -> None:
    assert bare("怎么退货") != bare("怎么换货")


@pytest.mark.parametrize("text", ["怎么退货？", "iPhone 15 怎么退货", "支持 Apple Pay 吗"])
def test_chinese_that_quotes_a_product_is_chinese(text: str) -> None:
    assert detect_language(text) == "zh"


@pytest.mark.parametrize(
    "text", ["How do I return it?", "Is the 青 series still sold in your online shop?", "", "123?!"]
)
def test_everything_else_is_english(text: str) -> None:
    assert detect_language(text) == "en"


def test_chinese_is_split_into_words_and_characters() -> None:
    assert {"退货", "退", "货", "流程"} <= set(tokenise("退货流程"))


@pytest.mark.parametrize("word", ["returns", "returned", "returning"])
def test_forms_of_an_english_word_share_their_stem(word: str) -> None:
    assert tokenise(word) == tokenise("return")


def test_numbers_and_model_names_are_tokens() -> None:
    assert {"15", "a8b"} <= set(tokenise("iPhone 15 型号A8B"))


@pytest.mark.parametrize("apostrophe", ["'", "’"])
def test_both_apostrophes_are_read_alike(apostrophe: str) -> None:
    assert tokenise(f"customer{apostrophe}s card") == tokenise("customer card")


def test_a_stop_word_is_no_token() -> None:
    assert [word for word in sorted(STOP_WORDS) if tokenise(word)] == []


@examples
@given(st.text())
def test_tokens_are_never_empty_nor_stop_words(text: str) -> None:
    assert not {"", *STOP_WORDS} & set(tokenise(text))


def test_a_very_long_text_without_breaks_is_split_too() -> None:
    assert "退货" in tokenise("怎么退货" * 500)


@pytest.mark.parametrize(
    ("text", "named"),
    [("怎么退货", True), ("好", True), ("hi", True), ("iPhone15 退货", True), ("ok 12", True),
     ("12345", False), ("SF20261123", False), ("A-1000-B", False), ("2", False), ("", False), ("a 1", False)],
)  # fmt: skip
def test_numbers_are_of_no_language(text: str, named: bool) -> None:
    assert names_language(text) is named


@pytest.mark.parametrize(
    ("typed", "read"),
    [
        ("退款到帳要幾天", "退款到帐要几天"),
        ("收不到簡訊驗證碼", "收不到短信验证码"),
        ("Ｗｉｆｉ 密碼", "wifi 密码"),
        ("怎么退款", "怎么退款"),
        ("plain", "plain"),
    ],
)
def test_traditional_characters_are_compared_as_simplified_ones(typed: str, read: str) -> None:
    assert normalise(typed) == read
    assert normalise(read) == read

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.privacy import is_identity_number, mask, passes_luhn


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("我的手机13800138000打不通", "我的手机[phone]打不通"),
        ("+86 138-0013-8000", "[phone]"),
        ("138 0013 8000", "[phone]"),
        ("身份证11010519491231002X。", "身份证[id]。"),
        ("11010519491231002x", "[id]"),
        ("卡号 6222 0200 0000 0000 000", "卡号 [card]"),
        ("4111111111111111", "[card]"),
        ("4111-1111-1111-1111", "[card]"),
        ("write to a.b+c@mail.example.com please", "write to [email] please"),
        ("13800138000, 13900139000", "[phone], [phone]"),
    ],
)
def test_personal_data_is_masked(text: str, masked: str) -> None:
    assert mask(text) == masked


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("我的邮箱是abc@qq.com，怎么改？", "我的邮箱是[email]，怎么改？"),
        ("把abc@qq.com改成def@163.com可以吗", "把[email]改成[email]可以吗"),
    ],
)
def test_the_words_around_an_address_stay(text: str, masked: str) -> None:
    assert mask(text) == masked


@pytest.mark.parametrize(
    "text",
    [
        "订单202611230001到哪了", "价格 1999.00 元", "110105194912310021", "4111111111111112", "12800138000",
        "2026-11-23 12:30", "热线 400-800-1234", "@小青 在吗", "满200减30",
    ],
)  # fmt: skip
def test_what_is_not_personal_stays(text: str) -> None:
    assert mask(text) == text


@given(st.integers(0, 10**15 - 1))
def test_luhn_finds_every_wrong_last_digit(number: int) -> None:
    digits = f"{number:015d}"
    assert sum(passes_luhn(f"{digits}{last}") for last in range(10)) == 1


@given(st.integers(0, 10**17 - 1))
def test_one_last_character_makes_an_identity_number(number: int) -> None:
    digits = f"{number:017d}"
    assert sum(is_identity_number(f"{digits}{last}") for last in "0123456789X") == 1


@given(st.text())
def test_masking_twice_is_masking_once(text: str) -> None:
    assert mask(mask(text)) == mask(text)

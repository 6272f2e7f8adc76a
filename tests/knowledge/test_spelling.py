from __future__ import annotations

import pytest

from knowledge.spelling import Spelling

SHOP = """怎么退款？ 钱退到哪里 我要退货 优惠券怎么用 发票抬头写错了 邮费谁出 空气炸锅冒烟 加湿器不出雾 转人工客服
积分会过期吗 支付失败了怎么办 新用户有 app 吗 这是什么锅"""
BANK = """My card has been declined. How do I cancel a transfer? Is there a fee? Which documents do I need for an ISA?
I don't know whose payment this is. Can I change my address?"""


@pytest.fixture(scope="module")
def shop() -> Spelling:
    return Spelling(SHOP.splitlines())


@pytest.fixture(scope="module")
def bank() -> Spelling:
    return Spelling([BANK])


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("退宽要多久", "退款要多久"),
        ("怎么用优慧券", "怎么用优惠券"),
        ("空气炸国冒烟", "空气炸锅冒烟"),
        ("转仁工", "转人工"),
        ("tuikuan", "退款"),
        ("tui kuan", "退款"),
        ("我要tuikuan", "我要退款"),
        ("fapiao zenme kai", None),  # nobody says 开 here
        ("jifen hui guoqi ma", "积分会过期吗"),
        ("zhifu shibai", "支付失败"),
    ],
)
def test_chinese_is_read_by_its_sound(shop: Spelling, typed: str, meant: str | None) -> None:
    assert shop.corrected(typed) == meant


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("my crad was declind", "my card was declined"),
        ("cancle a tranfer", "cancel a transfer"),
        ("dont know this payement", "don't know this payment"),
        ("change my adress", "change my address"),
    ],
)
def test_english_is_one_slip_away(bank: Spelling, typed: str, meant: str) -> None:
    assert bank.corrected(typed) == meant


@pytest.mark.parametrize(
    "typed",
    [
        "怎么退款",
        "同事说可以退",  # a word that sounds like another is a word
        "油菜可以吃吗",
        "彩虹是什么颜色",
        "你们有 app 吗",
        "what is a fee",
        "WiFi 密码",
        "",
        "？",
        "12345",
        "😀",
    ],
)
def test_what_is_a_word_stays(shop: Spelling, typed: str) -> None:
    assert shop.corrected(typed) is None


@pytest.mark.parametrize("typed", ["which cards", "a fine dress", "fees", "free", "what about IVAs and ISAs", "cxyd"])
def test_an_english_word_a_name_and_what_is_far_from_all_words_stay(bank: Spelling, typed: str) -> None:
    assert bank.corrected(typed) is None


def test_english_is_not_read_as_pinyin(shop: Spelling) -> None:
    assert shop.corrected("can I change the banana") is None


def test_nothing_is_read_into_an_empty_knowledge_base() -> None:
    assert Spelling([]).corrected("tuikuan 退宽 crad") is None


def test_a_long_question_of_letters_is_read_in_no_time(shop: Spelling) -> None:
    assert shop.corrected("zhifushibai" * 180) == "支付失败" * 180

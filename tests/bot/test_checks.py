from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.checks import GroundingCheck, facts, foreign_words, keeps_to_facts, split_clauses
from tests.bot.fakes import HOURS, RETURNS

EVIDENCE = [f"{RETURNS.question} {RETURNS.answer}"]


def allows(clause: str) -> bool:
    return GroundingCheck(EVIDENCE).allows(clause)


@pytest.mark.parametrize("clause", ["7天内可以退。", "运费12元", "可以退货。", "７天内可以退。"])
def test_what_the_evidence_says_may_be_said(clause: str) -> None:
    assert allows(clause)


@pytest.mark.parametrize(
    "clause",
    [
        "15天内可以退。",
        "运费1元",
        "运费12.5元",
        "七天内",
        "请看 https://evil.example/x",
        "写信给 a@b.example",
        "不能退货。",
        "无需运费",
        "退12%",
        "12:00以前",
    ],
)
def test_a_fact_or_a_negation_of_its_own_may_not(clause: str) -> None:
    assert not allows(clause)


@pytest.mark.parametrize("clause", ["订单8812可以申请退货。", "运费0元由买家承担。"])
def test_a_number_that_only_the_customer_has_named_may_not(clause: str) -> None:
    assert not allows(clause)


RULES = [
    "已拆封的商品不可以退，未拆封的可以退。个人原因退货，运费由买家承担；质量问题退货，运费由商家承担。满99元免运费，"
    "签收后7天以内申请。客服电话 400-000-1234，详情见 https://shop.example/rules。",
    "The seller pays for returns of faulty goods. You can't return opened goods. Free delivery over 99 yuan.",
]


@pytest.mark.parametrize(
    "said",
    [
        "已拆封的商品不可以退，",
        "质量问题退货，运费由商家承担；",
        "满99元免运费",
        "您好，签收后7天以内申请",
        "客服电话 400-000-1234，",
        "详情见 https://shop.example/rules。",
        "The seller pays for returns of faulty goods.",
        "You can't return opened goods.",
    ],
)
def test_what_the_rules_say_may_be_said(said: str) -> None:
    assert GroundingCheck(RULES).allows(said)


@pytest.mark.parametrize(
    "said",
    [
        "已拆封的商品可以退，",  # a negation lost
        "未拆封的不可以退，",  # a negation moved
        "质量问题退货，运费由平台和买家承担；",  # another party
        "个人原因退货，运费由商家承担；",  # the party of another condition
        "运费由商家承担；",  # of no condition
        "满7天免运费",  # a number of another clause
        "满99元运费",  # free no more
        "签收后7天以上申请",  # a bound turned round
        "客服电话 400-000-1235，",
        "详情见 https://shop.example/rules2。",
        "The customer pays for returns of faulty goods.",
        "You can return opened goods.",
        "Free delivery under 99 yuan.",
    ],
)
def test_what_turns_them_round_may_not(said: str) -> None:
    assert not GroundingCheck(RULES).allows(said)


@pytest.mark.parametrize(
    ("answer", "kept"),
    [("可以退。", True), ("7天内可以退。", True), ("30天内可以退。", False), ("写信给 a@evil.example", False)],
)
def test_free_words_keep_to_the_facts(answer: str, kept: bool) -> None:
    assert keeps_to_facts(answer, EVIDENCE, "怎么退？") is kept


@pytest.mark.parametrize(
    ("question", "answer", "kept"),
    [
        ("订单 20261125001 怎么退？", "订单 20261125001 可以退。", True),
        ("30天内能退吗？", "30天内可以退。", False),
        ("写信给 a@evil.example 对吗？", "写信给 a@evil.example", False),
    ],
)
def test_free_words_repeat_the_customers_order_number_and_nothing_else(question: str, answer: str, kept: bool) -> None:
    assert keeps_to_facts(answer, EVIDENCE, question) is kept


def test_numbering_is_no_fact() -> None:
    assert facts("1. 打开订单\n2、点击申请 [1]") == set()


def test_a_thousands_separator_makes_no_other_number() -> None:
    assert facts("满1,000元") == facts("满1000元")


@pytest.mark.parametrize("answer", ["签收后7天内可以申请退货。", "7天内可以申请退货，运费由买家承担。"])
def test_an_answer_made_of_the_evidence_is_grounded(answer: str) -> None:
    assert GroundingCheck(EVIDENCE).is_grounded(answer)


@pytest.mark.parametrize("answer", ["", "可以。", "本店支持货到付款和分期付款服务。", "签收后15天内可以申请退货。"])
def test_an_answer_of_other_words_or_of_hardly_any_is_not(answer: str) -> None:
    assert not GroundingCheck(EVIDENCE).is_grounded(answer)


CASH = "暂时不支持货到付款，所有订单都需要在线付款后才安排发货。"


@pytest.mark.parametrize(
    ("question", "entry", "answer", "kept"),
    [
        ("支持国际快递吗", CASH, "暂时不支持国际快递，所有订单都需要在线付款后才安排发货。", False),
        ("支持国际快递吗", CASH, "暂时不支持货到付款，所有订单都需要在线付款后才安排发货。", True),
        ("支持货到付款吗", CASH, "暂时不支持货到付款。", True),
        ("我要退火", "在「申请售后」选「退货退款」，七天内审核。", "在「申请售后」选「退火退款」，七天内审核。", False),
        ("Can I return a lamp?", "You can return a sofa within 7 days.", "You can return a lamp within 7 days.", False),
        ("Can I return lamps?", "You can return a lamp within 7 days.", "You can return a lamp within 7 days.", True),
    ],
)
def test_the_customers_words_are_not_put_in_the_place_of_the_entrys(
    question: str, entry: str, answer: str, *, kept: bool
) -> None:
    check = GroundingCheck([entry], foreign_words(question, [entry]))
    assert check.is_grounded(answer) is kept


def test_english_is_checked_by_words() -> None:
    check = GroundingCheck([HOURS.answer])
    assert check.is_grounded("We are open from 9:00 to 18:00.")
    assert not check.is_grounded("We are not open from 9:00 to 18:00.")
    assert not check.is_grounded("We are open from 9:00 to 20:00.")


def test_a_clause_is_complete_once_something_follows_its_mark() -> None:
    assert split_clauses("7天内，运费") == ("7天内，", "运费")
    assert split_clauses("7天内，") == ("", "7天内，")


@pytest.mark.parametrize("text", ["满49.5元", "满1,000元", "9:30", "9：30"])
def test_a_number_is_never_cut_at_its_own_mark(text: str) -> None:
    for end in range(1, len(text) + 1):
        complete, rest = split_clauses(text[:end])
        assert (complete, rest) == ("", text[:end])


@given(st.lists(st.text(alphabet="退货7.5,，。 元a1:\n", max_size=6)))
def test_splitting_a_stream_loses_nothing(pieces: list[str]) -> None:
    said, held = "", ""
    for piece in pieces:
        complete, held = split_clauses(held + piece)
        said += complete
    assert said + held == "".join(pieces)


SIZES = """- 1.2 米床：被套 150×200，床单 180×230；
- 1.5 米床：被套 200×230，床单 230×250；
- 2.0 米床：被套 220×240，床单 270×250。

被套要和被芯尺寸一致，单位都是厘米。"""


@pytest.mark.parametrize(
    ("answer", "is_right"),
    [
        ("1.5 米床：被套 200×230，床单 230×250。", True),
        ("1.2 米床：被套 150×200，床单 180×230；2.0 米床：被套 220×240，床单 270×250。", True),
        ("2.0 米床：床单 270×250。被套要和被芯尺寸一致。", True),
        ("1.2 米床：被套 220×240，床单 270×250。", False),
        ("1.5 米床：被套 200×230，床单 270×250。", False),
        ("1.5 米床：被套要和被芯尺寸一致。", False),
    ],
)
def test_what_is_said_of_one_thing_is_not_said_of_another(answer: str, *, is_right: bool) -> None:
    assert GroundingCheck([SIZES]).is_grounded(answer) == is_right

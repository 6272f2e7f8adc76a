from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.question import Answer, Citation, Suggestion
from connectors.text import in_words, plain, split


@pytest.mark.parametrize(
    ("markdown", "expected"),
    [
        ("签收后 **7 天内**可以*退货*。", "签收后 7 天内可以退货。"),
        ("# 退货\n请看下面", "退货\n\n请看下面"),
        ("[申请退货](https://a.cn/x?a=1&b=2)", "申请退货（https://a.cn/x?a=1&b=2）"),
        ("[Returns](https://a.com)", "Returns (https://a.com)"),
        ("<https://a.com>", "https://a.com"),
        ("[400-1](tel:400-1)、[a@b.cn](mailto:a@b.cn)", "400-1、a@b.cn"),
        ("![图](https://a.cn/1.png)", "图（https://a.cn/1.png）"),
        ("- 一\n- 二\n  1. 甲\n  2. 乙", "• 一\n• 二\n  1. 甲\n  2. 乙"),
        ("3. 三\n4. 四", "3. 三\n4. 四"),
        ("第一行\n第二行", "第一行\n第二行"),
        ("`order` 和\n\n```\nx = 1\n```", "order 和\n\nx = 1"),
        ("| 尺码 | 价 |\n|---|---|\n| S | 1 |", "尺码 | 价\nS | 1"),
        ("<b>粗</b> & 5 * 3", "<b>粗</b> & 5 * 3"),
        ("一\n\n---\n\n> 二", "一\n\n———\n\n二"),
        ("", ""),
    ],
)
def test_markdown_reads_well_without_it(markdown: str, expected: str) -> None:
    assert plain(markdown) == expected


@given(st.text(max_size=300), st.integers(min_value=4, max_value=80))
def test_pieces_fit_and_nothing_but_space_is_lost(text: str, size: int) -> None:
    pieces = split(text, size)
    assert all(0 < len(piece.encode()) <= size for piece in pieces)
    assert "".join("".join(pieces).split()) == "".join(text.split())


@pytest.mark.parametrize(
    ("text", "size", "pieces"),
    [
        ("一句话。第二句话。", 30, ["一句话。第二句话。"]),
        ("一句话。第二句话。", 20, ["一句话。", "第二句话。"]),
        ("One sentence. Another one.", 16, ["One sentence.", "Another one."]),
        ("第一段\n\n第二段很长。对", 24, ["第一段", "第二段很长。对"]),
        ("没有标点的一段话", 9, ["没有标", "点的一", "段话"]),
        ("https://example.com/a", 10, ["https://ex", "ample.com/", "a"]),
        ("  ", 10, []),
    ],
)
def test_a_text_is_cut_where_a_sentence_ends(text: str, size: int, pieces: list[str]) -> None:
    assert split(text, size) == pieces


@pytest.mark.parametrize(
    "letter", ["👨‍👩‍👧‍👦", "❤️‍🔥", "👍🏽", "e\u0301", "नि"], ids=["family", "variant", "skin", "accent", "vowel"]
)
def test_what_is_shown_as_one_letter_is_not_cut(letter: str) -> None:
    for before in range(8):
        text = "a" * before + letter * 40
        pieces = split(text, 64)
        assert "".join(pieces) == text
        assert all(set(piece.replace(letter, "")) <= {"a"} for piece in pieces)


def answer(**values: object) -> Answer:
    return Answer(conversation_id="c", turn_id="t", text="答案", **values)  # type: ignore[arg-type]


def test_the_entrys_own_words_stand_alone() -> None:
    cited = [Citation(1, "shop", "R", "怎么退货？", "答案")]
    assert in_words(answer(outcome="direct", citations=cited)) == "答案"


def test_a_worded_answer_names_what_it_rests_on() -> None:
    cited = [Citation(1, "shop", "R", "怎么退货？", "…"), Citation(2, "shop", "S", "运费？", "…")]
    assert in_words(answer(outcome="grounded", citations=cited)) == "答案\n（依据：怎么退货？；运费？）"


def test_what_may_be_chosen_is_numbered() -> None:
    offered = [Suggestion("R", "怎么退货？"), Suggestion("S", "运费？")]
    assert in_words(answer(outcome="clarify", suggestions=offered)).splitlines()[1:3] == ["1. 怎么退货？", "2. 运费？"]


def test_silence_stays_silence() -> None:
    assert in_words(Answer(conversation_id="c", turn_id="t", outcome="handoff")) == ""

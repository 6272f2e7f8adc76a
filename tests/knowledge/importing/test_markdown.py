from __future__ import annotations

import subprocess
import sys

from hypothesis import given
from hypothesis import strategies as st

from knowledge.importing.markdown import HEADER, read_markdown
from tests.knowledge.fakes import examples


def cells(text: str) -> list[list[str]]:
    return [row.cells for row in read_markdown(text)[1:]]


def test_headings_are_questions_and_the_text_below_is_the_answer() -> None:
    assert cells("# 怎么退货？\n七天。\n\n- 一\n\n# 怎么付款？\n微信。\n") == [
        ["怎么退货？", "", "七天。\n\n- 一", ""],
        ["怎么付款？", "", "微信。", ""],
    ]


def test_the_first_row_names_the_columns() -> None:
    assert read_markdown("# q\na")[0].cells == HEADER


def test_the_heading_above_is_the_tag() -> None:
    text = "# 常见问题\n\n## 售后\n\n### 怎么退货？\n七天。\n\n## 付款\n\n### 怎么付款？\n微信。\n"
    assert [(question, tag) for question, _, _, tag in cells(text)] == [("怎么退货？", "售后"), ("怎么付款？", "付款")]


def test_the_title_of_the_page_is_no_tag() -> None:
    assert cells("# FAQ\n\n## 怎么退货？\n七天。\n") == [["怎么退货？", "", "七天。", ""]]


def test_an_introduction_is_no_entry() -> None:
    assert [row[0] for row in cells("前言\n# FAQ\n这里是说明。\n## 怎么退货？\n七天。\n")] == ["怎么退货？"]


def test_deeper_headings_belong_to_the_answer() -> None:
    [[_, _, first, _], _] = cells("# 怎么退货？\n七天。\n## 例外\n食品。\n# 怎么付款？\n微信。\n")
    assert first == "七天。\n## 例外\n食品。"


def test_a_hash_within_a_code_block_is_no_heading() -> None:
    [[_, _, answer, _]] = cells("# 怎么安装？\n```\n# 注释\nmake\n```\n")
    assert answer == "```\n# 注释\nmake\n```"


def test_a_marked_list_below_the_heading_gives_variants() -> None:
    for mark in ("相似问法：", "**相似问题：**", "Variants:", "Also asked:"):
        for gap in ("", "\n", " \n\n"):
            assert cells(f"# 怎么退货？\n\n{mark}\n{gap}- 退货\n* 不想要了\n\n七天。\n") == [
                ["怎么退货？", "退货\n不想要了", "七天。", ""]
            ]


def test_an_unmarked_list_stays_in_the_answer() -> None:
    assert cells("# 怎么退货？\n- 一\n- 二\n") == [["怎么退货？", "", "- 一\n- 二", ""]]


def test_the_marks_of_question_and_answer_are_taken_off() -> None:
    for heading, answer in (
        ("问：怎么退货？", "答：七天。"),
        ("Q1: 怎么退货？", "**A:** 七天。"),
        ("问题 2、怎么退货？", "答案：七天。"),
    ):
        assert cells(f"# {heading}\n{answer}\n") == [["怎么退货？", "", "七天。", ""]]


def test_hashes_that_close_a_heading_are_taken_off() -> None:
    assert cells("## 怎么退货？ ##\n七天。")[0][0] == "怎么退货？"


def test_a_hash_that_belongs_to_the_last_word_stays() -> None:
    assert cells("## Do you support C#\nYes.")[0][0] == "Do you support C#"


def test_a_question_without_an_answer_is_kept_for_the_report() -> None:
    assert cells("# 怎么退货？\n七天。\n# 怎么付款？\n")[1] == ["怎么付款？", "", "", ""]


def test_text_without_headings_holds_no_questions() -> None:
    assert read_markdown("只是文字。\n\n还是文字。") == []


pieces = st.sampled_from(
    ["#", "# ", "## ", "### ", "\n", "```", "~~~", "- ", "相似问：", "答：", "问", "答", " ", "**"]
)


@examples
@given(st.lists(pieces, max_size=40).map("".join) | st.text())
def test_any_text_gives_rows_of_full_width(text: str) -> None:
    assert all(len(row.cells) == len(HEADER) for row in read_markdown(text))


def test_a_heading_full_of_spaces_does_not_take_minutes() -> None:
    code = "from knowledge.importing.markdown import read_markdown; read_markdown('# a' + ' ' * 3000 + 'b\\ntext')"
    subprocess.run([sys.executable, "-c", code], check=True, timeout=10)

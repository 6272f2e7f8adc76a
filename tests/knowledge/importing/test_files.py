from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from knowledge.entries import Entry, content_hash
from knowledge.errors import ImportFileError
from knowledge.importing.files import (
    FORMATS,
    MAX_ANSWER,
    MAX_KEY,
    MAX_QUESTION,
    MAX_ROW_TEXT,
    key_of,
    read_faq,
    read_faq_file,
)
from knowledge.importing.report import ImportReport
from knowledge.reasons import Reason
from knowledge.text import bare
from tests.knowledge.fakes import examples


def read(text: str, name: str = "faq.csv") -> ImportReport:
    return read_faq(text.encode(), name)


def pairs(report: ImportReport) -> list[tuple[str, str]]:
    return [(entry.question, entry.answer) for entry in report.entries]


def only(report: ImportReport) -> Entry:
    assert report.errors == []
    [entry] = report.entries
    return entry


# Formats, encodings, headers


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("faq.csv", "问题,答案\n怎么退货？,7 天内\n"),
        ("faq.csv", "问题;答案\n怎么退货？;7 天内\n"),
        ("faq.csv", "问题，答案\n怎么退货？，7 天内\n"),
        ("faq.CSV", "question,answer\r\n怎么退货？,7 天内\r\n"),
        ("faq.tsv", "Question\tAnswer\n怎么退货？\t7 天内\n"),
        ("faq.txt", "标准问\t标准答案\n怎么退货？\t7 天内\n"),
        ("faq.jsonl", '{"question": "怎么退货？", "answer": "7 天内"}\n'),
        ("faq.jsonl", '{"问题": "怎么退货？", "答案": "7 天内"}\n'),
        ("faq.md", "# 怎么退货？\n7 天内\n"),
        ("faq.markdown", "# 怎么退货？\n7 天内\n"),
    ],
)
def test_every_text_format_is_read(name: str, text: str) -> None:
    assert pairs(read(text, name)) == [("怎么退货？", "7 天内")]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "utf-16"])
@pytest.mark.parametrize("name", ["faq.csv", "faq.md", "faq.jsonl"])
def test_every_encoding_is_read(name: str, encoding: str) -> None:
    text = {
        "faq.csv": "问题,答案\n“𠮷野家”怎么走？,向左 ¥5\n",
        "faq.md": "# “𠮷野家”怎么走？\n向左 ¥5\n",
        "faq.jsonl": '{"问题": "“𠮷野家”怎么走？", "答案": "向左 ¥5"}\n',
    }[name]
    assert pairs(read_faq(text.encode(encoding), name)) == [("“𠮷野家”怎么走？", "向左 ¥5")]


def test_a_file_is_read_from_disk(tmp_path: Path) -> None:
    path = tmp_path / "常见问题.csv"
    path.write_text("问题,答案\n怎么退货？,7 天内\n", encoding="gb18030")
    assert only(read_faq_file(path)).question == "怎么退货？"


def test_the_keys_are_those_of_the_file() -> None:
    assert only(read("编号,问题,答案\nS-1,怎么退货？,7 天内\n")).key == "S-1"


def test_the_same_question_always_gets_the_same_key() -> None:
    first, second = only(read("问题,答案\n怎么退货？,7 天内\n")), only(read("答案,问题\n8 天内,怎么 退货\n"))
    assert first.key == second.key == key_of("怎么退货")


def test_columns_nobody_knows_are_named() -> None:
    assert read("问题,备注,答案,owner\n怎么退货？,x,7 天内,y\n").ignored_columns == ("备注", "owner")


def test_all_optional_columns_are_read() -> None:
    entry = only(
        read(
            "question,answer,tags,language,status,valid_from,valid until,action\n"
            "How?,So.,售后、退货|new，售后,ZH,草稿,2026-1-5,2026年12月31日,open_form\n"
        )
    )
    assert entry == Entry(
        key=key_of("How?"),
        question="How?",
        answer="So.",
        language="zh",
        tags=("售后", "退货", "new"),
        status="draft",
        valid_from=date(2026, 1, 5),
        valid_until=date(2026, 12, 31),
        action="open_form",
    )


def test_a_missing_language_is_found() -> None:
    assert [entry.language for entry in read("q,a\n怎么退货？,七天\nHow?,So.\n").entries] == ["zh", "en"]


def test_an_answer_keeps_its_markdown() -> None:
    assert only(read('q,a\nHow?,"1. **one**\n\n   - two"\n')).answer == "1. **one**\n\n   - two"


# Without a header


def test_two_columns_without_a_header_are_question_and_answer() -> None:
    assert pairs(read("怎么退货？,七天\n怎么付款？,微信\n")) == [("怎么退货？", "七天"), ("怎么付款？", "微信")]


def test_three_columns_without_a_header_may_begin_with_the_key() -> None:
    entries = read("S1,怎么退货？,七天\nS2,怎么付款？,微信\n").entries
    assert [(entry.key, entry.question, entry.answer) for entry in entries] == [
        ("S1", "怎么退货？", "七天"),
        ("S2", "怎么付款？", "微信"),
    ]


def test_three_columns_without_a_header_may_have_variants_in_the_middle() -> None:
    entry = only(read("怎么退货？,退货|不想要了,七天\n"))
    assert (entry.question, entry.variants, entry.answer) == ("怎么退货？", ("退货", "不想要了"), "七天")


def test_commas_of_chinese_sentences_do_not_part_columns() -> None:
    assert pairs(read("你好，请问，怎么退货？,七天内可以\n")) == [("你好，请问，怎么退货？", "七天内可以")]


def test_commas_within_a_tab_separated_file_do_not_part_columns() -> None:
    assert pairs(read("Hello, sorry, how do I return it?\tWithin a week.\n", "faq.tsv")) == [
        ("Hello, sorry, how do I return it?", "Within a week.")
    ]


# Variants


def test_the_lines_of_a_cell_are_variants() -> None:
    assert only(read('问题,相似问,答案\n怎么退货？,"退货\n\n不想要了|退",七天\n')).variants == (
        "退货",
        "不想要了",
        "退",
    )


def test_rows_with_the_same_key_are_variants() -> None:
    entry = only(read("id,question,answer\n1,怎么退货？,七天\n1,我要退货,七天\n1,不想要了,\n"))
    assert (entry.question, entry.variants) == ("怎么退货？", ("我要退货", "不想要了"))


def test_rows_below_a_merged_cell_are_variants() -> None:
    entries = read("问题,相似问,答案\n怎么退货？,退货,七天\n,不想要了,\n怎么付款？,付钱,微信\n,能刷卡吗,\n").entries
    assert [entry.variants for entry in entries] == [("退货", "不想要了"), ("付钱", "能刷卡吗")]


def test_a_variant_that_only_repeats_another_is_left_out() -> None:
    assert only(read('问题,相似问,答案\n怎么退货？,"怎么 退货\n退货\n退货！",七天\n')).variants == ("退货",)


def test_variants_below_a_row_that_was_left_out_do_not_go_to_the_entry_above_it() -> None:
    report = read("问题,相似问,答案\n怎么退货？,退货,七天\n怎么付款？,付钱,\n,能刷卡吗,\n")
    assert [entry.variants for entry in report.entries] == [("退货",)]


# Bad rows


@pytest.mark.parametrize(
    ("row", "column", "reason"),
    [
        (",七天,,,", "问题", "the question is empty"),
        ("怎么退货？,,,,", "答案", "the answer is empty"),
        ("\u200b,七天,,,", "问题", "the question is empty"),
        ("怎么退货？,七天,unknown,,", "状态", "'unknown' is none of published, draft, disabled (发布, 草稿, 停用)"),
        ("怎么退货？,七天,,明天,", "生效日期", "'明天' is not a date such as 2026-12-31"),
        ("怎么退货？,七天,,2026-02-30,", "生效日期", "'2026-02-30' is not a date such as 2026-12-31"),
        ("怎么退货？,七天,,2026-02-01,2026-01-31", "失效日期", "it ends before it begins"),
        (f"{'问' * (MAX_QUESTION + 1)},七天,,,", "问题", f"a question is longer than {MAX_QUESTION} characters"),
        (f"怎么退货？,{'答' * (MAX_ANSWER + 1)},,,", "答案", f"the answer is longer than {MAX_ANSWER:,} characters"),
    ],
)
def test_a_bad_row_is_reported_and_the_good_ones_go_in(row: str, column: str, reason: str) -> None:
    report = read(f"问题,答案,状态,生效日期,失效日期\n好的一？,一,,,\n{row}\n好的二？,二,,,\n")
    assert pairs(report) == [("好的一？", "一"), ("好的二？", "二")]
    [error] = report.errors
    assert (error.file, error.row, error.column, str(error.reason)) == ("faq.csv", 3, column, reason)


def test_what_is_just_short_enough_goes_in() -> None:
    report = read(f"id,q,a\n{'k' * MAX_KEY},{'问' * MAX_QUESTION},{'答' * MAX_ANSWER}\n")
    assert len(only(report).answer) == MAX_ANSWER


def test_a_key_that_is_too_long_is_reported() -> None:
    [error] = read(f"编号,问题,答案\n{'k' * (MAX_KEY + 1)},怎么退货？,七天\n").errors
    assert error.column == "编号"


def test_a_variant_that_is_too_long_is_reported_in_its_own_column() -> None:
    [error] = read(f"问题,相似问,答案\n怎么退货？,{'问' * (MAX_QUESTION + 1)},七天\n").errors
    assert error.column == "相似问"


def test_an_error_says_where_it_is_in_one_line() -> None:
    [error] = read("问题,答案\n怎么退货？,\n").errors
    assert str(error) == "faq.csv, row 2, column 答案: the answer is empty"


def test_an_error_carries_what_stands_in_its_row() -> None:
    [error] = read('编号,问题,答案,状态\n7,"怎么\n退货？",,发布\n').errors
    assert error.text == "7 · 怎么 退货？ · 发布"


def test_of_a_long_row_an_error_carries_the_beginning() -> None:
    [error] = read(f"问题,答案\n{'问' * (MAX_QUESTION + 1)},七天\n").errors
    assert error.text == f"{'问' * MAX_ROW_TEXT}…"


def test_columns_without_a_header_are_named_by_their_number() -> None:
    [error] = read("怎么付款？,微信\n怎么退货？,\n").errors
    assert error.column == "2 (answer)"


def test_one_key_with_two_answers_is_reported_with_the_row_of_the_first() -> None:
    report = read("编号,问题,答案\n1,怎么退货？,七天\n1,怎么换货？,八天\n")
    [error] = report.errors
    assert (error.row, error.column, error.reason) == (3, "编号", Reason("same_as_row", {"row": 2}))
    assert str(error.reason) == "row 2 has the same one and another answer"
    assert pairs(report) == [("怎么退货？", "七天")]


def test_one_question_with_two_answers_is_reported() -> None:
    report = read("问题,答案\n怎么退货？,七天\n怎么退货,八天\n")
    [error] = report.errors
    assert (error.row, error.column) == (3, "问题")


def test_a_row_that_only_repeats_another_is_not_said_to_differ() -> None:
    report = read("问题,答案\n怎么退货？,七天\n怎么退货？,七天\n")
    assert (pairs(report), report.errors) == ([("怎么退货？", "七天")], [])


def test_broken_json_lines_are_reported_with_their_numbers() -> None:
    report = read(
        '{"q": "怎么退货？", "a": "七天"}\n{"q": \n\n["q", "a"]\n{"q": "怎么付款？", "a": "微信"}\n', "f.jsonl"
    )
    assert pairs(report) == [("怎么退货？", "七天"), ("怎么付款？", "微信")]
    assert [(error.row, error.text, str(error.reason)) for error in report.errors] == [
        (2, '{"q": ', "not valid JSON"),
        (4, '["q", "a"]', 'not a JSON object such as {"question": "…", "answer": "…"}'),
    ]


def test_rows_of_json_lines_are_counted_as_lines() -> None:
    [error] = read('{"q": "怎么退货？", "a": "七天"}\n\n{"q": "怎么付款？", "a": ""}\n', "faq.jsonl").errors
    assert (error.row, error.column) == (3, "a")


def test_rows_of_markdown_are_the_lines_of_the_headings() -> None:
    [error] = read("# 怎么退货？\n七天\n\n# 怎么付款？\n", "faq.md").errors
    assert (error.row, error.reason) == (4, Reason("no_answer"))


@pytest.mark.parametrize(
    ("word", "status"), [("", "published"), ("启用", "published"), ("Draft", "draft"), ("停用", "disabled")]
)
def test_the_words_for_a_status_are_known(word: str, status: str) -> None:
    assert only(read(f"q,a,状态\n怎么退货？,七天,{word}\n")).status == status


@pytest.mark.parametrize("written", ["2026-03-04", "2026/3/4", "2026.03.04", "2026年3月4日", "2026-03-04T00:00:00"])
def test_the_usual_ways_to_write_a_date_are_known(written: str) -> None:
    assert only(read(f"q,a,生效日期\n怎么退货？,七天,{written}\n")).valid_from == date(2026, 3, 4)


# Files that cannot be read at all


@pytest.mark.parametrize("name", ["faq.csv", "faq.tsv", "faq.jsonl", "faq.md"])
@pytest.mark.parametrize("text", ["", "\ufeff", " \n\n"])
def test_an_empty_file_is_refused(name: str, text: str) -> None:
    with pytest.raises(ImportFileError, match="has no rows"):
        read(text, name)


def test_a_file_with_only_a_header_is_refused() -> None:
    with pytest.raises(ImportFileError, match="has no rows"):
        read("问题,答案\n")


@pytest.mark.parametrize("text", ["怎么退货？\n怎么付款？\n", "问题,备注\n怎么退货？,x\n", "答案\n七天\n"])
def test_a_file_without_questions_or_answers_is_refused_with_the_headings_it_needs(text: str) -> None:
    with pytest.raises(ImportFileError, match="问题 and 答案"):
        read(text)


@pytest.mark.parametrize("name", ["faq.doc", "faq", "faq.csv.exe"])
def test_an_unknown_ending_is_refused_with_the_known_ones(name: str) -> None:
    with pytest.raises(ImportFileError, match=r"\.xlsx"):
        read("q,a\nx,y\n", name)


def test_a_cell_that_never_ends_is_refused() -> None:
    with pytest.raises(ImportFileError, match=r"faq\.csv"):
        read('q,a\nx,"' + "y" * 200_000)


# Whatever comes in


@examples
@given(st.sampled_from(FORMATS), st.binary(max_size=200))
def test_any_bytes_are_read_or_refused(name: str, content: bytes) -> None:
    try:
        report = read_faq(content, "faq" + name)
    except ImportFileError:
        return
    content_hash(report.entries)


pieces = st.sampled_from(
    ["问题", "答案", "q", "a", "id", "相似问", ",", "\t", "\n", "\r", '"', "#", "```", "- ", "|", "x"]
)


@examples
@given(st.sampled_from([".csv", ".tsv", ".md"]), st.lists(pieces, max_size=40).map("".join))
def test_any_text_is_read_or_refused(name: str, text: str) -> None:
    try:
        report = read(text, "faq" + name)
    except ImportFileError:
        return
    assert all(entry.question and entry.answer for entry in report.entries)
    assert len({entry.key for entry in report.entries}) == len(report.entries)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["q", "a", "id"]), inner, max_size=3),
    max_leaves=8,
)


@examples
@given(st.lists(json_values, max_size=5))
def test_any_json_is_read_or_refused(values: list[object]) -> None:
    try:
        report = read("\n".join(map(json.dumps, values)), "faq.jsonl")
    except ImportFileError:
        return
    content_hash(report.entries)


def test_json_text_that_is_half_a_character_is_read_or_reported() -> None:
    report = read('{"q": "怎么退货？", "a": "七天 \\ud83d"}', "faq.jsonl")
    content_hash(report.entries)


def test_deeply_nested_json_is_read_or_reported() -> None:
    nested = "[" * 700 + "]" * 700
    report = read('{"q": "怎么退货？", "a": "七天"}\n{"q": "深", "a": ' + nested + "}", "faq.jsonl")
    assert ("怎么退货？", "七天") in pairs(report)


@pytest.mark.parametrize("separator", ["\u2028", "\x85"])
def test_unusual_line_separators_within_json_text_do_not_end_the_line(separator: str) -> None:
    line = json.dumps({"q": "怎么退货？", "a": f"七天{separator}内"}, ensure_ascii=False)
    assert only(read(line, "faq.jsonl")).answer.startswith("七天")


words = st.text(st.characters(categories=["L", "N"], codec="utf-8"), min_size=1, max_size=12).filter(bare)
answers = st.text(st.characters(categories=["L", "N", "P", "Zs"], include_characters="\n"), min_size=1, max_size=60)
lists_of_entries = st.lists(
    st.builds(
        Entry,
        key=st.from_regex(r"[A-Z0-9-]{1,8}", fullmatch=True),
        question=words,
        answer=answers.map(str.strip).filter(bool),
        variants=st.lists(words, max_size=3, unique_by=bare).map(tuple),
        language=st.sampled_from(["zh", "en"]),
        tags=st.lists(words, max_size=2, unique=True).map(tuple),
        status=st.sampled_from(["published", "draft", "disabled"]),
        valid_from=st.none() | st.dates(date(1990, 1, 1), date(2020, 1, 1)),
        valid_until=st.none() | st.dates(date(2021, 1, 1), date(2100, 1, 1)),
    ).filter(lambda entry: bare(entry.question) not in map(bare, entry.variants)),
    min_size=1,
    max_size=4,
    unique_by=lambda entry: entry.key,
)


def as_csv(entries: list[Entry]) -> bytes:
    table = io.StringIO()
    writer = csv.DictWriter(table, [name for name in entries[0].to_dict() if name != "action"], extrasaction="ignore")
    writer.writeheader()
    for entry in entries:
        cells = {**entry.to_dict(), "variants": "\n".join(entry.variants), "tags": "\n".join(entry.tags)}
        writer.writerow(cells)
    return table.getvalue().encode("utf-8-sig")


def as_json_lines(entries: list[Entry]) -> bytes:
    return "\n".join(json.dumps(entry.to_dict()) for entry in entries).encode()


@pytest.mark.parametrize(("write", "name"), [(as_csv, "faq.csv"), (as_json_lines, "faq.jsonl")])
@examples
@given(lists_of_entries)
def test_what_was_written_reads_back(write: Callable[[list[Entry]], bytes], name: str, entries: list[Entry]) -> None:
    report = read_faq(write(entries), name)
    assert (report.errors, report.entries) == ([], entries)

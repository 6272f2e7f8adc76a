"""Files of every kind, made up or damaged: each is read, or refused by the one error for it."""

from __future__ import annotations

import io
import json
import zipfile
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from knowledge.entries import content_hash
from knowledge.errors import ImportFileError
from knowledge.exporting import to_csv, to_json_lines
from knowledge.importing.files import read_faq
from tests.fuzz.cases import cases, tried
from tests.knowledge.importing.test_documents import SAMPLES
from tests.knowledge.importing.test_files import json_values, lists_of_entries
from tests.knowledge.importing.test_readers import FAQ, xls, xlsx

TEXTS = {
    ".csv": "问题,答案\n怎么退货？,七天\n".encode(),
    ".tsv": "问题\t答案\n怎么退货？\t七天\n".encode(),
    ".json": json.dumps([{"q": "怎么退货？", "a": "七天"}]).encode(),
    ".jsonl": json.dumps({"q": "怎么退货？", "a": "七天"}).encode(),
    ".md": "# 常见问题\n\n## 怎么退货？\n\n七天\n".encode(),
    ".xlsx": xlsx(FAQ),
    ".xls": xls(FAQ),
}
WHOLE = {**TEXTS, **SAMPLES}

damages = st.lists(st.tuples(st.integers(0, 1 << 20), st.binary(max_size=12), st.integers(0, 40)), max_size=4)
pieces = st.sampled_from(
    [
        "问题",
        "答案",
        "q",
        "a",
        "id",
        "相似问",
        ",",
        "\t",
        "\n",
        "\r\n",
        '"',
        "'",
        "=",
        "# ",
        "## ",
        "```",
        "- ",
        "|",
        "<",
        "<p>",
        "</p>",
        "<h1>",
        "</h1>",
        "<table><tr><td>",
        "<!--",
        "&#0;",
        "&amp;",
        "{",
        "}",
        "[",
        "]",
        ":",
        "\\u",
        "\0",
        "\ufeff",
        "\u2028",
        "\ud7ff",
        "𝒳",
        "　",
        "?",
        "？",
        "<details>",
        "<summary>",
        "1. ",
        "**",
        "<meta charset=",
    ]
) | st.text(max_size=4)


def read_or_refuse(content: bytes, name: str) -> None:
    try:
        report = read_faq(content, name)
    except ImportFileError:
        return
    assert all(entry.question and entry.answer for entry in report.entries)
    assert len({entry.key for entry in report.entries}) == len(report.entries)
    content_hash(report.entries)
    for entry in report.entries:
        json.dumps(entry.to_dict(), ensure_ascii=False).encode()  # as the database and the page will have it


@cases(0.14)
@given(st.sampled_from(sorted(WHOLE)), damages)
def test_a_damaged_file_is_read_or_refused(suffix: str, places: list[tuple[int, bytes, int]]) -> None:
    tried("damaged files")
    content = bytearray(WHOLE[suffix])
    for place, damage, dropped in places:
        start = place % (len(content) + 1)
        content[start : start + dropped] = damage
    read_or_refuse(bytes(content), "faq" + suffix)


@cases(0.12)
@given(st.sampled_from([".csv", ".tsv", ".md", ".html", ".json", ".jsonl"]), st.lists(pieces, max_size=60).map("".join))
def test_any_text_is_read_or_refused(suffix: str, text: str) -> None:
    tried("texts")
    read_or_refuse(text.encode("utf-8", "surrogatepass"), "faq" + suffix)


@cases(0.03)
@given(st.sampled_from([".json", ".jsonl"]), st.lists(json_values, max_size=6))
def test_any_json_is_read_or_refused(suffix: str, values: list[Any]) -> None:
    tried("JSON")
    text = json.dumps(values) if suffix == ".json" else "\n".join(map(json.dumps, values))
    read_or_refuse(text.encode(), "faq" + suffix)


members = st.sampled_from(
    [
        "word/document.xml",
        "xl/workbook.xml",
        "xl/sharedStrings.xml",
        "[Content_Types].xml",
        "_rels/.rels",
        "../../etc/passwd",
    ]
)
xml = st.lists(
    st.sampled_from(
        [
            "<w:p>",
            "</w:p>",
            "<w:t>七天</w:t>",
            '<!DOCTYPE a [<!ENTITY e SYSTEM "file:///etc/passwd">]>',
            "&e;",
            "<a>",
            "</a>",
            '<sheet name="a" r:id="r1"/>',
            "<row>",
            "<c><v>9</v></c>",
            "</row>",
            "<?xml version='1.0'?>",
            "]]>",
            "<![CDATA[",
        ]
    ),
    max_size=8,
).map("".join)


@cases(0.03)
@given(st.sampled_from([".docx", ".xlsx"]), st.dictionaries(members, xml, max_size=5))
def test_any_package_is_read_or_refused(suffix: str, parts: dict[str, str]) -> None:
    tried("packages")
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as package:
        for name, content in parts.items():
            package.writestr(name, content)
    read_or_refuse(packed.getvalue(), "faq" + suffix)


@cases(0.03)
@given(lists_of_entries)
def test_what_is_exported_comes_back_unchanged(entries: list[Any]) -> None:
    tried("exports")
    for text, suffix in ((to_csv(entries), ".csv"), (to_json_lines(entries), ".jsonl")):
        report = read_faq(text.encode(), "faq" + suffix)
        assert (report.errors, report.entries) == ([], entries)

from __future__ import annotations

import io
import signal
import subprocess
import sys
import zipfile
from collections.abc import Callable
from contextlib import suppress
from datetime import date, datetime
from pathlib import Path

import openpyxl
import pytest
import xlwt
from hypothesis import given
from hypothesis import strategies as st

from knowledge.errors import ImportFileError
from knowledge.importing import readers, workbooks
from knowledge.importing.files import read_faq, read_faq_file
from knowledge.importing.readers import Row, decode, read_delimited, read_json_lines
from knowledge.importing.workbooks import read_workbook
from tests.knowledge.fakes import examples

Table = list[list[object]]

MIDNIGHT = datetime(2026, 3, 4)  # noqa: DTZ001 - spreadsheets know no time zones
FAQ: Table = [
    ["编号", "问题", "相似问", "答案", "生效日期"],
    [7, "怎么退货？", "退货\n不想要了", "七天内", MIDNIGHT],
    ["S-8", "怎么付款？", None, "微信", date(2026, 5, 6)],
]


def xlsx(*sheets: Table) -> bytes:
    workbook = openpyxl.Workbook()
    workbook.remove(workbook.active)
    for number, table in enumerate(sheets):
        sheet = workbook.create_sheet(f"Sheet{number}")
        for row in table:
            sheet.append(row)
    content = io.BytesIO()
    workbook.save(content)
    return content.getvalue()


def xls(*sheets: Table) -> bytes:
    workbook = xlwt.Workbook(encoding="utf-8")
    dates = xlwt.easyxf(num_format_str="yyyy-mm-dd")
    for number, table in enumerate(sheets):
        sheet = workbook.add_sheet(f"Sheet{number}")
        for y, row in enumerate(table):
            for x, value in enumerate(row):
                style = dates if isinstance(value, date) else xlwt.Style.default_style
                sheet.write(y, x, value, style)
    content = io.BytesIO()
    workbook.save(content)
    return content.getvalue()


both_kinds = pytest.mark.parametrize(("make", "name"), [(xlsx, "faq.xlsx"), (xls, "faq.xls")], ids=["xlsx", "xls"])


# Workbooks


@both_kinds
def test_a_workbook_is_read(make: Callable[..., bytes], name: str) -> None:
    report = read_faq(make(FAQ), name)
    assert report.errors == []
    first, second = report.entries
    assert (first.key, first.question, first.variants, first.answer) == (
        "7",
        "怎么退货？",
        ("退货", "不想要了"),
        "七天内",
    )
    assert (first.valid_from, second.valid_from) == (date(2026, 3, 4), date(2026, 5, 6))


@both_kinds
def test_the_first_sheet_that_holds_anything_is_read(make: Callable[..., bytes], name: str) -> None:
    assert read_workbook(make([], [[" "]], FAQ, [["other"]]), name)[0].cells == FAQ[0]


@both_kinds
def test_rows_keep_the_numbers_of_the_spreadsheet(make: Callable[..., bytes], name: str) -> None:
    report = read_faq(make([[], [], ["问题", "答案"], [], ["怎么退货？", "七天"], ["怎么付款？", None]]), name)
    assert [(error.row, error.column) for error in report.errors] == [(6, "答案")]


@both_kinds
def test_the_ending_of_a_workbook_may_be_the_other_one(make: Callable[..., bytes], name: str) -> None:
    other = {"faq.xlsx": "faq.xls", "faq.xls": "faq.xlsx"}[name]
    assert len(read_faq(make(FAQ), other).entries) == 2


@both_kinds
def test_an_empty_workbook_is_refused(make: Callable[..., bytes], name: str) -> None:
    with pytest.raises(ImportFileError, match="has no rows"):
        read_faq(make([]), name)


@both_kinds
@pytest.mark.parametrize("kept", [0.1, 0.5, 0.95])
def test_a_truncated_workbook_is_refused(make: Callable[..., bytes], name: str, kept: float) -> None:
    content = make(FAQ)
    with pytest.raises(ImportFileError, match=name):
        read_faq(content[: int(len(content) * kept)], name)


def test_merged_cells_are_read_as_variants() -> None:
    workbook = openpyxl.Workbook()
    for row in (["问题", "相似问", "答案"], ["怎么退货？", "退货", "七天"], [None, "不想要了", None]):
        workbook.active.append(row)
    workbook.active.merge_cells("A2:A3")
    workbook.active.merge_cells("C2:C3")
    content = io.BytesIO()
    workbook.save(content)
    [entry] = read_faq(content.getvalue(), "faq.xlsx").entries
    assert entry.variants == ("退货", "不想要了")


@pytest.mark.parametrize(
    ("value", "text"),
    [(400, "400"), (12.0, "12"), (9.5, "9.5"), ("  x ", "x"), (None, ""), (MIDNIGHT, "2026-03-04")],
)
def test_a_cell_reads_as_a_person_sees_it(value: object, text: str) -> None:
    assert read_workbook(xlsx([["h", "end"], [value, "end"]]), "faq.xlsx")[1].cells[0] == text


@examples
@given(st.data())
def test_a_workbook_with_any_byte_changed_is_read_or_refused(data: st.DataObject) -> None:
    content = bytearray(WORKBOOK)
    for _ in range(data.draw(st.integers(1, 4))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    with suppress(ImportFileError):
        read_faq(bytes(content), "faq.xlsx")


WORKBOOK = xlsx(FAQ)


def test_a_zip_file_of_a_future_version_is_refused() -> None:
    content = bytearray(WORKBOOK)
    content[content.index(b"PK\x01\x02") + 6] = 99  # the version that is needed to unpack the first member
    with pytest.raises(ImportFileError):
        read_faq(bytes(content), "faq.xlsx")


def test_one_cell_in_the_farthest_corner_does_not_end_the_process(tmp_path: Path) -> None:
    workbook = openpyxl.Workbook()
    for row in FAQ:
        workbook.active.append(row)
    workbook.active["XFD1048576"] = "stray"
    workbook.save(tmp_path / "faq.xlsx")
    code = (
        "import resource, sys, pathlib\n"
        "resource.setrlimit(resource.RLIMIT_AS, (4 << 30, 4 << 30))\n"
        "from knowledge.errors import ImportFileError\n"
        "from knowledge.importing.files import read_faq_file\n"
        "try: read_faq_file(pathlib.Path(sys.argv[1]))\n"
        "except ImportFileError: pass\n"
    )
    command = [sys.executable, "-c", code, str(tmp_path / "faq.xlsx")]
    assert subprocess.run(command, check=False, timeout=60, capture_output=True).returncode == 0


def test_a_damaged_cell_in_the_farthest_corner_does_not_end_the_process() -> None:
    content = bytearray(xls(FAQ))
    cell = content.rindex(bytes.fromhex("fd000a00"))  # LABELSST of [MS-XLS]: 2.4.149, whose row and column follow
    content[cell + 4 : cell + 8] = b"\xff\xff\xff\xff"
    with pytest.raises(ImportFileError, match="too much memory"):
        read_faq(bytes(content), "faq.xls")


@pytest.mark.parametrize(
    ("ended", "reason"),
    [
        (subprocess.TimeoutExpired([], 300), "too long"),
        (subprocess.CalledProcessError(-signal.SIGXCPU, [], stderr=b""), "too long"),
        (subprocess.CalledProcessError(1, [], stderr=b"MemoryError"), "too much memory"),
        (subprocess.CalledProcessError(1, [], stderr=b"pyo3_runtime.PanicException"), "damaged"),
    ],
)
def test_what_ended_the_reader_is_said(ended: Exception, reason: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def run(*_: object, **__: object) -> None:
        raise ended

    monkeypatch.setattr(subprocess, "run", run)
    with pytest.raises(ImportFileError, match=reason):
        read_faq(WORKBOOK, "faq.xlsx")


# Files that are not what their name says


def zip_of(content: bytes) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/workbook.xml", content)
    return packed.getvalue()


@pytest.mark.parametrize("content", [zip_of(b"x"), WORKBOOK, xls(FAQ)], ids=["zip", "xlsx", "xls"])
@pytest.mark.parametrize("name", ["faq.csv", "faq.jsonl", "faq.md"])
def test_a_spreadsheet_or_zip_named_as_text_is_refused_with_the_way_out(name: str, content: bytes) -> None:
    with pytest.raises(ImportFileError, match=f"{name} .* rename it to .xlsx"):
        read_faq(content, name)


@pytest.mark.parametrize(
    "content",
    [
        bytes(range(256)) * 4,
        b"\x89PNG\r\n\x1a\n\x00\x00",
        b"\xff" * 40,
        b"\xff\xfe\x00",
        b"\xff\xfe" + b"\x01\x00" * 50,
    ],
    ids=["all bytes", "image", "no encoding", "half a character", "control characters"],
)
def test_a_binary_file_named_csv_is_refused(content: bytes) -> None:
    with pytest.raises(ImportFileError, match=r"faq\.csv is n"):
        read_faq(content, "faq.csv")


@pytest.mark.parametrize("name", ["faq.xlsx", "faq.xls"])
def test_text_named_as_a_spreadsheet_is_refused_with_the_way_out(name: str) -> None:
    with pytest.raises(ImportFileError, match=r"rename it to \.csv"):
        read_faq("问题,答案\n".encode(), name)


@pytest.mark.parametrize("name", ["faq.xlsx", "faq.xls"])
def test_a_zip_that_is_no_workbook_is_refused(name: str) -> None:
    with pytest.raises(ImportFileError, match="damaged, protected"):
        read_faq(zip_of(b"<workbook/>"), name)


# Files that are too large


@pytest.fixture
def small_limits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(readers, "MAX_BYTES", 2 << 20)
    monkeypatch.setattr(workbooks, "MAX_UNPACKED_BYTES", 1 << 20)
    monkeypatch.setattr(readers, "MAX_ROWS", 10)


@pytest.mark.usefixtures("small_limits")
def test_a_file_that_is_too_large_is_refused_before_it_is_read(tmp_path: Path) -> None:
    path = tmp_path / "faq.csv"
    with path.open("wb") as file:
        file.truncate((2 << 20) + 1)
    with pytest.raises(ImportFileError, match="larger than 2 MB"):
        read_faq_file(path)


@pytest.mark.usefixtures("small_limits")
def test_a_zip_bomb_is_refused() -> None:
    with pytest.raises(ImportFileError, match="would unpack to far more"):
        read_faq(zip_of(b"\x00" * (8 << 20)), "faq.xlsx")


@pytest.mark.usefixtures("small_limits")
def test_a_zip_bomb_whose_listing_lies_is_refused() -> None:
    packed = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(WORKBOOK)) as source, zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as bomb:
        for member in source.namelist():
            content = source.read(member)
            if member.endswith("sheet1.xml"):
                content = content.replace(b"</worksheet>", b" " * (8 << 20) + b"</worksheet>")
            bomb.writestr(member, content)
        real = bomb.getinfo(next(name for name in bomb.namelist() if name.endswith("sheet1.xml"))).file_size
    content = packed.getvalue().replace(real.to_bytes(4, "little"), (1_000).to_bytes(4, "little"))
    with pytest.raises(ImportFileError):
        read_faq(content, "faq.xlsx")


@pytest.mark.usefixtures("small_limits")
@pytest.mark.parametrize(
    ("content", "name"),
    [
        (b"q,a\n" * 11, "faq.csv"),
        (b'{"q": "q", "a": "a"}\n' * 11, "faq.jsonl"),
        (xlsx([["q", "a"]] * 11), "faq.xlsx"),
    ],
    ids=["csv", "jsonl", "xlsx"],
)
def test_too_many_rows_are_refused(content: bytes, name: str) -> None:
    with pytest.raises(ImportFileError, match="more than 10 rows"):
        read_faq(content, name)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ImportFileError, match=r"no file .*nowhere\.csv"):
        read_faq_file(tmp_path / "nowhere.csv")


def test_a_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "faq.csv").mkdir()
    with pytest.raises(ImportFileError, match="cannot be read"):
        read_faq_file(tmp_path / "faq.csv")


# Text


@examples
@given(
    st.text(st.characters(categories=["L", "N", "P"]), min_size=1).filter(lambda text: not text.isascii()),
    st.sampled_from(["utf-8", "utf-8-sig", "utf-16"]),
)
def test_text_is_decoded_as_it_was_encoded(text: str, encoding: str) -> None:
    assert decode(text.encode(encoding), "faq.csv") == text


@examples
@given(st.binary(max_size=300))
def test_any_bytes_are_decoded_or_refused(content: bytes) -> None:
    with suppress(ImportFileError):
        decode(content, "faq.csv")


@examples
@given(st.text(max_size=100))
def test_any_text_has_rows_in_rising_order(text: str) -> None:
    numbers = [row.number for row in read_delimited(text, "faq.csv")]
    assert numbers == sorted(set(numbers))


@pytest.mark.parametrize("delimiter", [",", "\t", ";", "，"])
def test_the_delimiter_is_the_one_of_the_first_line(delimiter: str) -> None:
    text = f"问题{delimiter}答案\na,b;c\td{delimiter}e\n"
    assert read_delimited(text, "faq.csv")[0].cells == ["问题", "答案"]


def test_a_quoted_cell_may_hold_delimiters_quotes_and_lines() -> None:
    assert read_delimited('q,a\nx,"1, ""2""\n3"\n', "faq.csv")[1] == Row(2, ["x", '1, "2"\n3'])


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_every_line_ending_ends_a_row(end: str) -> None:
    assert [row.cells for row in read_delimited(f"q,a{end}x,y{end}", "faq.csv")] == [["q", "a"], ["x", "y"]]


def test_the_columns_of_json_lines_are_all_names_that_occur() -> None:
    rows, bad = read_json_lines('{"q": 1, "a": [1, "x"]}\n{"a": null, "id": 2.0}\n', "faq.jsonl")
    assert bad == []
    assert rows == [Row(0, ["q", "a", "id"]), Row(1, ["1", "1\nx", ""]), Row(2, ["", "", "2"])]

from __future__ import annotations

import csv
import json
import time
from pathlib import Path

import pytest

from tests.bot.cli.conftest import Run, start
from tests.bot.cli.test_admin import written_down

FAQ = """编号,问题,答案,相似问,标签
RET-1,怎么退货？,签收后7天内可以申请退货。,"我要退货
退货流程",售后
INV-1,怎么开发票？,"在订单详情页点击“申请发票”, 😀",,
"""


def write(text: str = FAQ, name: str = "faq.csv") -> str:
    Path(name).write_text(text, encoding="utf-8")
    return name


def entries(frontdesk: Run, *options: str) -> list[dict[str, object]]:
    result = frontdesk("faq", "list", "--json", *options)
    assert result.status == 0, result.err
    return [json.loads(line) for line in result.out.splitlines()]


def test_a_file_is_imported(frontdesk: Run) -> None:
    result = frontdesk("faq", "import", write())
    assert result.status == 0, result.err
    assert "2 added, 0 changed, 0 unchanged, 0 rows left out" in result.out
    assert [entry["key"] for entry in entries(frontdesk)] == ["RET-1", "INV-1"]


def test_a_page_becomes_drafts(frontdesk: Run) -> None:
    result = frontdesk("faq", "import", write("<main><h2>怎么退货？</h2><p>七天内。</p></main>", "faq.html"))
    assert "until they are published: 1" in " ".join(result.out.split())
    assert [(entry["question"], entry["status"]) for entry in entries(frontdesk)] == [("怎么退货？", "draft")]


def test_importing_again_changes_nothing(frontdesk: Run) -> None:
    frontdesk("faq", "import", write())
    assert "0 added, 0 changed, 2 unchanged" in frontdesk("faq", "import", write()).out


def test_what_was_imported_published_and_deleted_is_written_down(frontdesk: Run) -> None:
    frontdesk("faq", "import", write(), "--dry-run")
    frontdesk("faq", "import", write(), write("问题,答案\n怎么付款？,微信\n", "more.csv"))
    frontdesk("faq", "delete", "INV-1", "--no-publish")
    assert written_down() == [
        ("command line", "entries.delete", "default", {"changed": 1}),
        ("command line", "release.published", "default/1", {}),
        ("command line", "upload.applied", "default", {"file": "faq.csv, more.csv", "added": 3, "changed": 0}),
    ]


def test_what_is_imported_answers_at_once(frontdesk: Run) -> None:
    frontdesk("faq", "import", write())
    result = frontdesk("ask", "--json", "怎么退货")
    assert result.status == 0, result.err
    answer = json.loads(result.out)
    assert (answer["outcome"], answer["answer"]) == ("direct", "签收后7天内可以申请退货。")


def test_what_is_not_published_does_not_answer(frontdesk: Run) -> None:
    frontdesk("faq", "import", "--no-publish", write())
    assert json.loads(frontdesk("ask", "--json", "怎么退货").out)["outcome"] == "refused"


def test_bad_rows_are_named_and_good_ones_go_in(frontdesk: Run) -> None:
    bad = FAQ + "X-1,没有答案？,,,\n,,只有答案,,\n"
    result = frontdesk("faq", "import", write(bad))
    assert result.status == 0
    assert "2 added" in result.out
    assert "2 rows left out" in result.out
    assert result.err.count("faq.csv, row ") == 2
    assert "the answer is empty" in result.err


def test_a_file_of_bad_rows_alone_fails(frontdesk: Run) -> None:
    result = frontdesk("faq", "import", write("问题,答案\n没有答案？,\n"))
    assert result.status == 1
    assert entries(frontdesk) == []


def test_a_dry_run_changes_nothing(frontdesk: Run) -> None:
    frontdesk("faq", "import", write())
    changed = write(FAQ.replace("7天", "15天") + "NEW-1,新问题？,新答案。,,\n", "new.csv")
    before = entries(frontdesk)
    result = frontdesk("faq", "import", "--dry-run", changed)
    assert result.status == 0
    assert "1 would be added, 1 changed, 1 left as they are" in result.out
    assert entries(frontdesk) == before


def test_a_first_dry_run_makes_no_knowledge_base(frontdesk: Run) -> None:
    frontdesk("faq", "import", "--dry-run", write())
    assert entries(frontdesk) == []


def test_if_empty_leaves_what_is_there(frontdesk: Run) -> None:
    frontdesk("faq", "import", write())
    result = frontdesk("faq", "import", "--if-empty", write("问题,答案\n新？,新。\n", "new.csv"))
    assert "2 entries already" in result.out
    assert len(entries(frontdesk)) == 2


@pytest.mark.parametrize("name", ["out.csv", "out.jsonl"])
def test_what_is_exported_comes_back_unchanged(frontdesk: Run, name: str) -> None:
    frontdesk("faq", "import", write())
    assert frontdesk("faq", "export", name).status == 0
    assert "2 unchanged" in frontdesk("faq", "import", name).out
    assert frontdesk("faq", "import", "--kb", "copy", name).status == 0
    assert entries(frontdesk, "--kb", "copy") == entries(frontdesk)


def test_awkward_entries_survive_export_and_import(frontdesk: Run) -> None:
    rows = [
        {"key": "A-1", "question": "带“引号”, 逗号\t和 | 竖线？", "answer": "第一行\n\n- 列表\n- \"二\"\n",
         "variants": ["a, b", "c；d"]},
        {"key": "=1+1", "question": "公式？", "answer": "=SUM(A1)", "valid_from": "2026-01-01", "status": "draft"},
        {"key": "E-1", "question": "表情👨‍👩‍👧？", "answer": "𠮷", "tags": ["a b", "标签"],
         "action": "open", "language": "en"},
    ]  # fmt: skip
    write("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), "in.jsonl")
    assert "3 added" in frontdesk("faq", "import", "in.jsonl").out
    for name in ("out.csv", "out.jsonl"):
        frontdesk("faq", "export", name)
        assert "3 unchanged" in frontdesk("faq", "import", name).out


def test_a_table_for_excel_begins_with_its_mark(frontdesk: Run) -> None:
    frontdesk("faq", "import", write())
    frontdesk("faq", "export", "out.csv")
    assert Path("out.csv").read_bytes().startswith(b"\xef\xbb\xbf")
    with Path("out.csv").open(encoding="utf-8-sig", newline="") as file:
        assert next(csv.DictReader(file))["question"] == "怎么退货？"


def test_an_unknown_format_is_not_written(frontdesk: Run) -> None:
    frontdesk("faq", "import", write())
    result = frontdesk("faq", "export", "out.pdf")
    assert result.status == 1
    assert not Path("out.pdf").exists()


def test_a_list_can_be_searched(frontdesk: Run) -> None:
    frontdesk("faq", "import", write())
    assert [entry["key"] for entry in entries(frontdesk, "--search", "发票")] == ["INV-1"]
    assert "INV-1" in frontdesk("faq", "list").out


def test_one_entry_is_shown(frontdesk: Run) -> None:
    frontdesk("faq", "import", write())
    shown = frontdesk("faq", "show", "RET-1").out
    for text in ("怎么退货？", "退货流程", "签收后7天内可以申请退货。", "售后"):
        assert text in shown


def test_an_entry_cannot_colour_the_terminal(frontdesk: Run) -> None:
    frontdesk("faq", "import", write("编号,问题,答案\nA-1,[red]红[/]？,[bold]粗[/] [link=x]\n"))
    shown = frontdesk("faq", "show", "A-1").out
    assert "[red]红[/]？" in shown
    assert "[bold]粗[/] [link=x]" in shown


def test_a_deleted_entry_is_gone_and_does_not_answer(frontdesk: Run) -> None:
    frontdesk("faq", "import", write())
    assert frontdesk("faq", "delete", "RET-1").status == 0
    assert [entry["key"] for entry in entries(frontdesk)] == ["INV-1"]
    assert json.loads(frontdesk("ask", "--json", "怎么退货").out)["outcome"] != "direct"


@pytest.mark.parametrize("command", [["show", "NOPE"], ["delete", "RET-1", "NOPE"], ["delete", "--kb", "absent", "X"]])
def test_what_is_unknown_is_one_line_and_changes_nothing(frontdesk: Run, command: list[str]) -> None:
    frontdesk("faq", "import", write())
    result = frontdesk("faq", *command)
    assert (result.status, result.out) == (1, "")
    assert len(result.err.strip().splitlines()) == 1
    assert result.err.startswith("error: ")
    assert len(entries(frontdesk)) == 2


@pytest.mark.parametrize("name", ["absent.csv", "folder", "faq.exe", "empty.csv"])
def test_a_file_of_no_use_is_one_line(frontdesk: Run, name: str) -> None:
    Path("folder").mkdir()
    write("", "empty.csv")
    write("x", "faq.exe")
    result = frontdesk("faq", "import", name)
    assert result.status == 1
    assert result.err.startswith("error: ")
    assert len(result.err.strip().splitlines()) == 1


def test_an_answer_that_no_database_can_hold_is_one_line_or_goes_in(frontdesk: Run) -> None:
    write(json.dumps({"question": "零？", "answer": "a\ud800b"}) + "\n", "in.jsonl")
    result = frontdesk("faq", "import", "in.jsonl")
    assert "Traceback" not in result.err


def test_contradictions_are_pointed_out(frontdesk: Run) -> None:
    frontdesk("faq", "import", write())
    result = frontdesk("faq", "import", write("编号,问题,答案\nRET-2,怎么退货,不能退货。\n", "new.csv"))
    assert "contradiction?" in result.err


@pytest.mark.sqlite
def test_an_import_that_is_killed_leaves_the_old_state(frontdesk: Run) -> None:
    frontdesk("faq", "import", write())
    before = entries(frontdesk)
    rows = (f"K-{number},{chr(0x4E00 + number)}{chr(0x4E01 + number)}?,{'答' * 2_000},,\n" for number in range(2_000))
    write("编号,问题,答案,相似问,标签\n" + "".join(rows), "many.csv")
    process = start("faq", "import", "many.csv")
    journal = Path("data/frontdesk.db-wal")
    try:
        while process.poll() is None and not (journal.exists() and journal.stat().st_size > 100_000):
            time.sleep(0.005)  # until it is in the middle of writing
        assert process.poll() is None, "it ended before it could be killed"
    finally:
        process.kill()
        process.wait()
    assert entries(frontdesk) == before
    assert json.loads(frontdesk("ask", "--json", "怎么退货").out)["outcome"] == "direct"

"""The FAQ in the console: written, uploaded, tried, published and taken back, with the real models."""

from __future__ import annotations

import re
import shutil
import threading
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path

import openpyxl
import pytest
from playwright.sync_api import Page, expect

from tests.scenarios.conftest import served
from tests.scenarios.console import PASSWORD, PHONE, Console

pytestmark = pytest.mark.xdist_group("console knowledge")

Open = Callable[..., Page]
HOSTILE = "<img src=x onerror=alert(1)>"


@pytest.fixture(scope="module")
def console(shop_home: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Console]:
    """Run a server with the example FAQ, and make the first owner."""
    home = Path(shutil.copytree(shop_home, tmp_path_factory.mktemp("console") / "shop"))
    with served(home) as server:
        yield Console.begin(server)


@pytest.fixture
def page(open_page: Open, console: Console) -> Page:
    return open_page(f"{console.url}#/faq/shop", session=console.session)


def entry(console: Console, key: str) -> dict[str, object]:
    with console.api as api:
        found: dict[str, object] = api.get(f"/knowledge-bases/shop/entries/{key}").json()
        return found


def add(console: Console, key: str, question: str, answer: str) -> None:
    with console.api as api:
        body = {"key": key, "question": question, "answer": answer}
        assert api.post("/knowledge-bases/shop/entries", json=body).status_code == 201


def test_an_entry_is_written_and_seen_as_customers_see_it(page: Page, console: Console) -> None:
    page.get_by_role("link", name="新建条目").click()
    page.get_by_label("问题", exact=True).fill(f"怎么联系你们？{HOSTILE}")
    page.get_by_label("答案", exact=True).fill(
        "请打 **400-800-1234**，[官网](https://shop.example)，[坏](javascript:alert(1))"
    )
    preview = page.locator(".preview")
    expect(preview.locator("strong")).to_have_text("400-800-1234")
    expect(preview.get_by_role("link")).to_have_count(1)
    expect(page.locator("img")).to_have_count(0)
    page.get_by_label("相似问").fill("电话多少\n\n怎么找客服")
    page.get_by_label("标签").fill("联系，电话")
    page.get_by_text("语言、有效期与动作").click()
    page.get_by_label("编号").fill("TEL-1")
    page.keyboard.press("Control+s")
    expect(page.get_by_text("已保存。发布后客户才会看到。")).to_be_visible()
    expect(page.get_by_role("heading", level=1)).to_contain_text(HOSTILE)
    saved = entry(console, "TEL-1")
    assert (saved["variants"], saved["tags"]) == (["电话多少", "怎么找客服"], ["联系", "电话"])


def test_what_a_field_lacks_is_said_beside_it(page: Page) -> None:
    page.get_by_role("link", name="新建条目").click()
    page.get_by_role("button", name="保存").click()
    expect(page.get_by_text("请填写此项")).to_have_count(2)
    expect(page.get_by_label("问题", exact=True)).to_be_focused()


def test_what_was_not_saved_is_not_lost_by_a_click(page: Page) -> None:
    page.get_by_role("link", name="新建条目").click()
    page.get_by_label("问题", exact=True).fill("没保存的问题")
    page.get_by_role("link", name="发布", exact=True).click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("放弃没有保存的修改？")
    dialog.get_by_role("button", name="取消").click()
    expect(page.get_by_label("问题", exact=True)).to_have_value("没保存的问题")
    page.get_by_role("link", name="发布", exact=True).click()
    dialog.get_by_role("button", name="放弃修改").click()
    expect(page.get_by_role("heading", name="发布", level=1)).to_be_visible()


def test_what_was_not_saved_is_not_lost_by_the_way_back(page: Page, console: Console) -> None:
    add(console, "BCK-1", "没保存就返回？", "原来的答案")
    page.get_by_role("searchbox").fill("没保存就返回")
    expect(page).to_have_url(re.compile("search="))
    page.get_by_role("link", name="没保存就返回？").click()
    answer = page.get_by_label("答案", exact=True)
    answer.fill("写了一半")
    page.go_back()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("放弃没有保存的修改？")
    dialog.get_by_role("button", name="取消").click()
    expect(answer).to_have_value("写了一半")
    expect(page).to_have_url(f"{console.url}#/entry/shop/BCK-1")
    page.go_back()
    dialog.get_by_role("button", name="放弃修改").click()
    expect(page.get_by_role("searchbox")).to_have_value("没保存就返回")
    expect(page.get_by_role("dialog")).to_have_count(0)


def test_what_was_not_saved_outlives_the_session(page: Page, console: Console) -> None:
    add(console, "EXP-1", "登录过期了？", "原来的答案")
    page.goto(f"{console.url}#/entry/shop/EXP-1")
    page.get_by_label("答案", exact=True).fill("写了很久的答案")
    page.context.clear_cookies()
    page.get_by_role("button", name="保存").click()
    dialog = page.get_by_role("dialog", name="登录已过期")
    dialog.get_by_label("密码", exact=True).fill(PASSWORD)
    dialog.get_by_role("button", name="登录", exact=True).click()
    expect(page.get_by_text("已保存。发布后客户才会看到。")).to_be_visible()
    expect(page.get_by_label("答案", exact=True)).to_have_value("写了很久的答案")
    assert entry(console, "EXP-1")["answer"] == "写了很久的答案"


def test_somebody_elses_change_is_not_overwritten_unseen(page: Page, console: Console) -> None:
    add(console, "CON-1", "冲突的问题？", "原来的答案")
    page.goto(f"{console.url}#/entry/shop/CON-1")
    page.get_by_label("答案", exact=True).fill("我的答案")
    with console.api as api:
        api.put("/knowledge-bases/shop/entries/CON-1", json={"question": "冲突的问题？", "answer": "别人的答案"})
    page.get_by_role("button", name="保存").click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("有人刚刚改过这个条目")
    assert entry(console, "CON-1")["answer"] == "别人的答案"
    dialog.get_by_role("button", name="用我的覆盖").click()
    expect(page.get_by_text("已保存。发布后客户才会看到。")).to_be_visible()
    assert entry(console, "CON-1")["answer"] == "我的答案"


def test_an_earlier_state_comes_back_from_the_history(page: Page, console: Console) -> None:
    add(console, "HIS-1", "历史问题？", "第一版")
    with console.api as api:
        api.put("/knowledge-bases/shop/entries/HIS-1", json={"question": "历史问题？", "answer": "第二版"})
    page.goto(f"{console.url}#/entry/shop/HIS-1")
    page.get_by_text("改了什么").click()
    expect(page.locator(".difference del")).to_have_text("一")
    expect(page.locator(".difference ins")).to_have_text("二")
    page.get_by_role("button", name="恢复到这个版本").click()
    expect(page.get_by_text("已恢复到这个版本")).to_be_visible()
    expect(page.get_by_label("答案", exact=True)).to_have_value("第一版")


def test_entries_are_found_and_changed_together(page: Page, console: Console) -> None:
    for number in range(3):
        add(console, f"BLK-{number}", f"批量测试{number}？", "答案")
    page.get_by_role("searchbox").fill("批量测试")
    expect(page.get_by_role("row")).to_have_count(4)
    page.get_by_label("选择本页").check()
    page.get_by_role("button", name="已选 3 条").click()
    page.get_by_role("menuitem", name="停用").click()
    expect(page.get_by_text("已修改 3 个条目")).to_be_visible()
    expect(page.get_by_role("row").filter(has_text="停用")).to_have_count(3)
    page.get_by_label("状态").select_option("published")
    expect(page.get_by_role("heading", name="没有符合条件的条目")).to_be_visible()
    page.go_back()
    page.go_forward()
    expect(page.get_by_role("searchbox")).to_have_value("批量测试")


def test_contradictions_are_shown_side_by_side(page: Page, console: Console) -> None:
    add(console, "DUP-1", "能不能开增值税发票给我", "可以")
    add(console, "DUP-2", "能不能开增值税发票给我？", "不可以")
    page.get_by_role("link", name="重复与矛盾").click()
    pair = page.locator(".pair").filter(has_text="能不能开增值税发票给我").first
    expect(pair).to_contain_text("答案矛盾")
    pair.get_by_role("button", name="停用这一条").first.click()
    expect(page.locator(".pair").filter(has_text="能不能开增值税发票给我")).to_have_count(0)


def workbook(path: Path, rows: int) -> Path:
    """Write a file of which every hundredth row has no answer, and one cell is hostile."""
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.append(["编号", "问题", "相似问", "答案"])
    for number in range(rows):
        answer = None if number % 100 == 99 else f"第 {number} 条的说明。{HOSTILE if number == 0 else ''}"
        sheet.append([f"UP-{number}", f"型号{number}怎么安装？", f"{number}号的安装方法", answer])
    book.save(path)
    return path


def test_a_large_file_with_bad_rows_is_looked_at_and_applied(open_page: Open, tmp_path: Path) -> None:
    home = tmp_path / "big"
    home.mkdir()
    with served(home, FRONTDESK_MODELS__CHAT="", FRONTDESK_MODELS__EMBEDDING="absent.gguf") as server:
        console = Console.begin(server)
        with console.api as api:
            api.post("/knowledge-bases", json={"name": "big"})
        page = open_page(f"{console.url}#/upload/big", session=console.session)
        file = workbook(tmp_path / f"{HOSTILE.replace('/', '')}.xlsx", 5_000)
        page.get_by_label("把文件拖到这里").set_input_files(file)
        expect(page.get_by_role("tab", name="新增 4950")).to_be_visible()
        expect(page.get_by_role("heading", name="预览")).to_contain_text(HOSTILE)
        page.get_by_role("tab", name="有问题的行 50").click()
        first = page.get_by_role("row").nth(1)
        for said in ("101", "答案是空的", "UP-99 · 型号99怎么安装？ · 99号的安装方法"):
            expect(first).to_contain_text(said)
        assert page.locator("img").count() == 0
        page.get_by_role("button", name="应用 4950 处改动").click()
        expect(page.get_by_role("heading", name="已导入，还没有发布")).to_be_visible(timeout=120_000)
        with console.api as api:
            assert api.get("/knowledge-bases/big/entries").json()["total"] == 4_950
        page.get_by_role("link", name="去发布").click()
        expect(page.get_by_text("新增 (4950)")).to_be_visible()


def test_of_several_files_each_has_its_own_result(page: Page, console: Console, tmp_path: Path) -> None:
    files = {
        "bad.xlsx": b"not an excel file",
        "first.csv": "编号,问题,答案\nSEV-1,几个文件甲？,甲\n".encode(),
        "dropped.csv": "编号,问题,答案\nSEV-2,几个文件乙？,乙\n".encode(),
        "last.csv": b"",
    }
    for name, content in files.items():
        (tmp_path / name).write_bytes(content)
    page.get_by_role("link", name="导入").click()
    page.get_by_label("把文件拖到这里").set_input_files([tmp_path / name for name in files])
    results = page.get_by_role("list", name="选中的文件").get_by_role("listitem")
    expect(page.get_by_role("heading", name="预览：first.csv")).to_be_visible()
    expect(results.nth(0)).to_contain_text("bad.xlsx 不是 Excel 文件")
    expect(results.nth(1)).to_contain_text("等您确认")
    page.get_by_role("button", name="应用 1 处改动").click()
    expect(page.get_by_role("heading", name="预览：dropped.csv")).to_be_visible()
    page.get_by_role("button", name="取消").click()
    expect(page.get_by_role("heading", name="已导入，还没有发布")).to_be_visible()
    for at, said in enumerate(("bad.xlsx 不是 Excel 文件", "新增 1 条，修改 0 条", "已取消", "last.csv 里没有内容")):
        expect(results.nth(at)).to_contain_text(said)
    assert entry(console, "SEV-1")["answer"] == "甲"


def test_the_reasons_of_rows_are_said_in_the_language_of_the_console(open_page: Open, console: Console) -> None:
    page = open_page(f"{console.url}#/upload/shop", session=console.session, viewport=PHONE, locale="en-US")
    content = b"question,answer,status\nWhy?,,\nHow?,So.,maybe\nWhen?,Now.,\n"
    file = {"name": "faq.csv", "mimeType": "text/csv", "buffer": content}
    page.get_by_label("Drop files here").set_input_files([file])  # type: ignore[list-item]
    page.get_by_role("tab", name="Rows left out 2").click()
    rows = page.get_by_role("row").filter(has=page.get_by_role("cell"))
    expect(rows.nth(0)).to_contain_text("The answer is empty")
    expect(rows.nth(1)).to_contain_text("“maybe” is no status")
    cells = [cell.bounding_box() for cell in rows.nth(0).get_by_role("cell").all()]
    number, column, reason, text = (box for box in cells if box is not None)
    assert number["y"] == column["y"] == reason["y"] < text["y"]


def test_a_cancelled_upload_has_changed_nothing(page: Page, console: Console, tmp_path: Path) -> None:
    page.get_by_role("link", name="导入").click()
    page.get_by_label("把文件拖到这里").set_input_files(workbook(tmp_path / "many.xlsx", 600))
    page.get_by_role("button", name="应用 594 处改动").click()
    bar = page.get_by_role("progressbar")
    expect(bar).to_have_attribute("aria-valuenow", "0")
    expect(bar).not_to_have_attribute("aria-valuenow", "0")
    page.get_by_role("button", name="取消").click()
    expect(page.get_by_text("已取消，什么都没有改变")).to_be_visible()
    with console.api as api:
        assert api.get("/knowledge-bases/shop/entries/UP-1").status_code == 404


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("http://127.0.0.1/", "这个网址不在公网上"),
        ("http://169.254.169.254/latest/", "这个网址不在公网上"),
        ("file:///etc/passwd", "网址要以 http:// 或 https:// 开头"),
    ],
)
def test_an_address_that_is_not_public_is_refused(page: Page, url: str, said: str) -> None:
    page.get_by_role("link", name="导入").click()
    page.get_by_label("或者给一个网址").fill(url)
    page.get_by_role("button", name="读取").click()
    expect(page.get_by_role("alert").filter(has_text=said)).to_be_visible()
    expect(page.get_by_role("tab")).to_have_count(0)


def test_releases_change_under_live_questions_and_no_answer_is_torn(page: Page, console: Console) -> None:
    """Questions never stop while a release is published and taken back."""
    add(console, "REL-1", "你们的吉祥物叫什么名字？", "叫小青，第一版。")
    with console.api as api:
        api.post("/knowledge-bases/shop/releases", json={})
    answers: list[tuple[int, str]] = []
    stop = threading.Event()

    def ask() -> None:
        with console.server.client as client:
            while not stop.is_set():
                reply = client.post("/api/chat", json={"question": "你们的吉祥物叫什么名字？"})
                answers.append((reply.status_code, reply.json().get("answer", "")))

    page.goto(f"{console.url}#/releases/shop")
    expect(page.get_by_text("没有改动：客户看到的就是现在的内容。")).to_be_visible()
    with console.api as api:
        while api.get("/knowledge-bases/shop/releases").json()["live"] != len(
            api.get("/knowledge-bases/shop/releases").json()["releases"]
        ):
            stop.wait(0.1)
        api.put(
            "/knowledge-bases/shop/entries/REL-1",
            json={"question": "你们的吉祥物叫什么名字？", "answer": "叫小青，第二版。"},
        )
    asking = threading.Thread(target=ask)
    asking.start()
    try:
        page.reload()
        page.get_by_role("button", name="发布", exact=True).click()
        dialog = page.get_by_role("dialog")
        dialog.get_by_label("说明").fill("换吉祥物")
        dialog.get_by_role("button", name="发布", exact=True).click()
        expect(page.get_by_text("已经在回答客户")).to_be_visible()
        page.get_by_role("row").filter(has_text="换吉祥物").wait_for()
        page.get_by_role("button", name="恢复到这个版本").first.click()
        page.get_by_role("dialog").get_by_role("button", name="恢复到这个版本").click()
        expect(page.get_by_text("已经在回答客户").last).to_be_visible()
        stop.wait(3)
    finally:
        stop.set()
        asking.join()
    assert {status for status, _ in answers} == {200}
    said = [answer for _, answer in answers]
    assert set(said) == {"叫小青，第一版。", "叫小青，第二版。"}
    changes = [(one, other) for one, other in pairwise(said) if one != other]
    assert changes == [("叫小青，第一版。", "叫小青，第二版。"), ("叫小青，第二版。", "叫小青，第一版。")]


def test_the_numbers_of_trying_are_those_of_real_chat(page: Page, console: Console) -> None:
    asked = "寄回去的邮费谁来付"
    page.get_by_role("link", name="试一试").click()
    page.get_by_label("问题", exact=True).fill(asked)
    page.get_by_role("button", name="提问").click()
    shown = page.get_by_test_id("confidence").inner_text()
    with console.server.client as client:
        answer = client.post("/api/chat", json={"question": asked}).json()
    assert shown == f"{100 * answer['confidence']:.1f} %"
    expect(page.locator(".candidates code").first).to_have_text(answer["candidates"][0]["key"])
    page.get_by_label("问题", exact=True).fill("那要几天呢")
    page.get_by_role("button", name="提问").click()
    expect(page.get_by_text(f"结合上文理解为：{asked} 那要几天呢")).to_be_visible()
    page.get_by_role("button", name="加为相似问").first.click()
    expect(page.get_by_text("发布后生效")).to_be_visible()


def test_the_test_set_says_what_a_release_would_change(page: Page, console: Console) -> None:
    add(console, "TST-1", "会员日是哪一天？", "每月 18 日。")
    page.goto(f"{console.url}#/testset/shop")
    page.get_by_role("button", name="批量添加").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_role("textbox").fill("会员日是哪一天\tTST-1\n没有编号")
    dialog.get_by_role("button", name="添加", exact=True).click()
    expect(dialog).to_contain_text("第 2 行缺少条目编号")
    dialog.get_by_role("textbox").fill(f"会员日是哪一天\tTST-1\n{HOSTILE},TST-1")
    dialog.get_by_role("button", name="添加", exact=True).click()
    expect(page.get_by_role("row")).to_have_count(3)
    page.get_by_role("link", name="返回发布").click()
    check = page.get_by_role("button", name="开始检查")
    size, room = check.bounding_box(), page.locator("section.card").filter(has=check).bounding_box()
    assert size is not None
    assert room is not None
    assert size["width"] < room["width"] / 2
    check.click()
    expect(page.locator(".results")).to_contain_text("发布之后")
    expect(page.get_by_text("结果会改变的问题")).to_be_visible()


def test_what_changed_is_written_as_plainly_as_the_rest(page: Page, console: Console) -> None:
    add(console, "DIF-1", "差别怎么显示？", "第一版")
    with console.api as api:
        api.post("/knowledge-bases/shop/releases", json={})
        body = {"question": "差别怎么显示？", "answer": "第二版"}
        api.put("/knowledge-bases/shop/entries/DIF-1", json=body)
    page.goto(f"{console.url}#/releases/shop")
    same = page.locator(".difference dd").filter(has_text="版").first
    look = "node => [getComputedStyle(node).fontWeight, getComputedStyle(node).color]"
    assert same.evaluate(look) == page.locator("body").evaluate(look)


def test_on_a_phone_an_entry_is_three_lines_and_its_marks_are_left_out(open_page: Open, console: Console) -> None:
    add(console, "PHN-1", "手机上怎么显示？", "# 标题\n请打 **400-800-1234**，见[官网](https://shop.example)。")
    page = open_page(f"{console.url}#/faq/shop?search=手机上怎么显示", session=console.session, viewport=PHONE)
    row = page.get_by_role("row").filter(has_text="手机上怎么显示")
    expect(row.locator(".entry-answer")).to_have_text("标题 请打 400-800-1234，见官网。")
    shown = [cell.bounding_box() for cell in row.get_by_role("cell").all()]
    _, _, variants, *others = (box for box in shown if box is not None)
    middles = {round(box["y"] + box["height"] / 2) for box in (variants, *others)}
    assert max(middles) - min(middles) <= 2


def test_on_a_phone_nothing_scrolls_sideways(open_page: Open, console: Console) -> None:
    page = open_page(console.url, session=console.session, viewport=PHONE, has_touch=True)
    for address in ("faq/shop", "entry/shop", "upload/shop", "releases/shop", "testset/shop", "tryit"):
        page.goto(f"{console.url}#/{address}")
        expect(page.get_by_role("heading", level=1)).to_be_visible()
        expect(page.locator("[aria-busy]")).to_have_count(0)
        assert page.evaluate("document.querySelector('main').scrollWidth") <= PHONE["width"], address

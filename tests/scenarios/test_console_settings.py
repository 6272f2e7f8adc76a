"""An owner changes how the bot looks, decides, and calls people; the next customer meets the change."""

from __future__ import annotations

import json
import re
import shutil
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.scenarios.conftest import served
from tests.scenarios.console import Console

pytestmark = pytest.mark.xdist_group("handoff")

Open = Callable[..., Page]
HOSTILE = "<img src=x onerror=alert(1)>"
DIRECT = "原文回答 · 把握不低于"


@pytest.fixture(scope="module")
def console(shop_home: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Console]:
    home = Path(shutil.copytree(shop_home, tmp_path_factory.mktemp("settings") / "shop"))
    with served(home, FRONTDESK_ROUTING__HANDOFF_AFTER="3") as server:
        yield Console.begin(server)


@pytest.fixture
def section(open_page: Open, console: Console) -> Callable[[str], Page]:
    return lambda name: open_page(f"{console.url}#/settings/{name}", session=console.session)


Section = Callable[[str], Page]


def save(page: Page) -> None:
    with page.expect_response(lambda response: response.request.method == "PATCH") as saved:
        page.get_by_role("button", name="保存").click()
    assert saved.value.ok
    expect(page.get_by_text("已保存，马上生效").last).to_be_visible()


def box(page: Page, label: str) -> Locator:
    return page.get_by_label(label, exact=True)


def setting(console: Console, name: str) -> Any:
    with console.api as api:
        settings = api.get("/settings").json()["settings"]
    return next(each["value"] for each in settings if f"{each['section']}.{each['name']}" == name)


def allow_sites(console: Console, *sites: str) -> None:
    with console.api as api:
        assert api.patch("/settings", json={"values": {"server.allowed_origins": list(sites)}}).status_code == 200


def test_a_threshold_changes_the_next_answer_and_can_be_taken_back(section: Section, console: Console) -> None:
    with console.server.client as client:
        asked = {"question": "退货邮费谁出"}
        before = client.post("/api/chat", json=asked).json()
        assert before["outcome"] == "direct"
        page = section("thresholds")
        box(page, DIRECT).fill("99.9")
        save(page)
        assert client.post("/api/chat", json=asked).json()["outcome"] != "direct"
        box(page, DIRECT).fill("10")
        page.get_by_role("button", name="保存").click()
        expect(page.get_by_role("alert").filter(has_text="三条线要依次升高").first).to_be_visible()
        page.get_by_role("button", name=f"恢复默认：{DIRECT}").click()
        save(page)
        expect(box(page, DIRECT)).to_have_value("85")
        assert client.post("/api/chat", json=asked).json()["outcome"] == "direct"


def test_what_is_not_saved_is_not_lost_without_a_word(section: Section) -> None:
    page = section("bot")
    box(page, "名字").fill("小茶")
    page.get_by_role("link", name="人工服务", exact=True).click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("放弃没有保存的修改？")
    dialog.get_by_role("button", name="取消").click()
    expect(box(page, "名字")).to_have_value("小茶")
    page.get_by_role("link", name="人工服务", exact=True).click()
    dialog.get_by_role("button", name="放弃修改").click()
    expect(page.get_by_role("heading", name="人工服务")).to_be_visible()


def test_only_the_knowledge_bases_that_are_ticked_answer(section: Section, console: Console) -> None:
    with console.api as api, console.server.client as client:
        api.post("/knowledge-bases", json={"name": "tea"})
        entry = {"key": "TEA-1", "question": "茶叶怎么存放？", "answer": "密封，放在阴凉处。"}
        assert api.post("/knowledge-bases/tea/entries", json=entry).status_code == 201
        assert api.post("/knowledge-bases/tea/releases", json={}).is_success

        def ask(question: str, wanted: str) -> None:
            for _ in range(300):  # until what was changed is loaded
                answer = client.post("/api/chat", json={"question": question}).json()
                if (answer["outcome"] == "direct") is (wanted == "answered"):
                    return
                time.sleep(0.1)
            raise AssertionError((question, answer))

        ask("茶叶怎么存放？", "answered")
        ask("怎么开发票？", "answered")
        page = section("bot")
        page.get_by_role("checkbox", name="shop").uncheck()
        page.get_by_role("checkbox", name="tea").uncheck()
        page.get_by_role("button", name="保存").click()
        expect(page.get_by_text("至少要勾选一个")).to_be_visible()
        page.get_by_role("checkbox", name="tea").check()
        save(page)
        ask("怎么开发票？", "not answered")
        ask("茶叶怎么存放？", "answered")
        page.get_by_role("checkbox", name="shop").check()
        save(page)
        assert setting(console, "bot.knowledge_bases") == []
        ask("怎么开发票？", "answered")


def test_a_border_is_moved_by_keyboard_or_mouse_and_shows_what_it_would_do(section: Section, console: Console) -> None:
    with console.server.client as client:
        client.post("/api/chat", json={"question": "怎么开发票"})
    page = section("thresholds")
    border = page.get_by_role("slider", name="原文回答的分界")
    border.press("ArrowLeft")
    expect(box(page, DIRECT)).to_have_value("84")
    expect(border).to_have_attribute("aria-valuetext", "把握 84% 起")
    border.press("Home")  # it stops at its neighbour
    expect(box(page, DIRECT)).to_have_value("50")
    expect(page.get_by_role("table")).to_contain_text("原文回答")
    at = border.bounding_box()
    assert at is not None
    page.mouse.move(at["x"] + 12, at["y"] + at["height"] - 12)
    page.mouse.down()
    page.mouse.move(at["x"] + 150, at["y"] + 10, steps=4)
    page.mouse.up()
    assert float(box(page, DIRECT).input_value()) > 55


def test_what_the_file_or_a_variable_sets_is_shown_and_left_alone(section: Section) -> None:
    page = section("thresholds")
    expect(box(page, "几次没答上来转人工")).to_be_disabled()
    expect(box(page, "几次没答上来转人工")).to_have_value("3")
    expect(page.get_by_text("FRONTDESK_ROUTING__HANDOFF_AFTER")).to_be_visible()


def test_the_greeting_is_what_customers_read(section: Section, open_page: Open, console: Console) -> None:
    page = section("bot")
    expect(page.get_by_role("button", name="保存")).to_be_disabled()
    box(page, "中文问候语").fill(f"欢迎光临{HOSTILE}")
    save(page)
    customer = open_page(console.server.url)
    expect(customer.get_by_test_id("welcome")).to_contain_text(f"欢迎光临{HOSTILE}")
    assert customer.locator("img").count() == 0


def test_a_sensitive_word_is_declined_from_then_on(section: Section, console: Console) -> None:
    page = section("bot")
    box(page, "敏感词").fill("友商\n竞品")
    save(page)
    with console.server.client as client:
        assert client.post("/api/chat", json={"question": "你们和友商比哪个好"}).json()["outcome"] == "refused"
    assert setting(console, "bot.sensitive_words") == ["友商", "竞品"]


def test_the_widget_takes_colour_corner_and_avatar(section: Section, console: Console) -> None:
    page = section("widget")
    box(page, "颜色").fill("green")
    page.get_by_role("button", name="保存").click()
    expect(page.get_by_role("alert").filter(has_text="请写成 #0f766e 这样的颜色")).to_be_visible()
    box(page, "颜色").fill("#ffe066")
    expect(page.get_by_text("不够显眼")).to_be_visible()  # pale yellow on a white page
    box(page, "位置").select_option("left")
    box(page, "头像").fill("🦉")
    expect(page.locator(".sample-logo")).to_have_text("🦉")
    save(page)
    with console.server.client as client:
        script = client.get("/widget.js").text
        assert client.get("/api/bot").json()["avatar"] == "🦉"
    assert '"color":"#ffe066"' in script.replace(" ", "")
    assert '"position":"left"' in script.replace(" ", "")


def test_opening_hours_are_a_timetable(section: Section, console: Console) -> None:
    page = section("people")
    box(page, "按时间表").check()
    page.get_by_role("button", name="星期六：加一段时间").click()
    box(page, "星期六，从").fill("20:00")
    page.get_by_role("button", name="保存").click()
    expect(page.get_by_role("alert").filter(has_text="星期六：结束要晚于开始")).to_be_visible()
    box(page, "星期六，从").fill("10:00")
    box(page, "星期六，到").fill("16:00")
    box(page, "时区").fill("Asia/Nowhere")
    page.get_by_role("button", name="保存").click()
    expect(page.get_by_role("alert").filter(has_text="没有这个时区")).to_be_visible()
    box(page, "时区").fill("Asia/Shanghai")
    save(page)
    assert setting(console, "handoff.hours") == ["mon-fri 09:00-18:00", "sat 10:00-16:00"]
    expect(box(page, "星期六，到")).to_have_value("16:00")
    page.get_by_role("button", name="恢复默认：服务时间").click()
    save(page)
    assert setting(console, "handoff.hours") == []


def test_the_larger_model_is_tried_before_customers_do(section: Section, console: Console) -> None:
    page = section("model")
    page.get_by_role("button", name="试一下").click()
    expect(page.get_by_role("status").filter(has_text="还没有填接口地址")).to_be_visible()
    box(page, "接口地址").fill("http://127.0.0.1:9/v1")
    box(page, "密钥").fill("sk-secret")
    page.get_by_role("button", name="试一下").click()  # saves first
    expect(page.get_by_role("status").filter(has_text="cannot be reached")).to_be_visible()  # the first try failed too
    expect(box(page, "密钥")).to_have_value("")
    assert setting(console, "remote.api_key") is True
    box(page, "接口地址").fill(f"{console.server.url}/v1")  # this server speaks that protocol itself
    page.get_by_role("button", name="试一下").click()
    expect(page.get_by_role("status").filter(has_text="404")).to_be_visible()
    with console.server.client as client:
        box(page, "模型名称").fill(client.get("/v1/models").json()["data"][0]["id"])
    page.get_by_role("button", name="试一下").click()
    expect(page.get_by_role("status").filter(has_text="可以用")).to_be_visible()
    page.get_by_role("button", name="删除密钥").click()
    page.get_by_role("button", name="恢复默认：接口地址").click()
    save(page)
    assert (setting(console, "remote.api_key"), setting(console, "remote.base_url")) == (False, None)


def test_a_site_is_allowed_at_once(section: Section, console: Console) -> None:
    allow_sites(console)
    page = section("sites")
    page.get_by_role("button", name="添加网站").click()
    box(page, "第 1 个网站").fill("https://shop.example/some/page")
    page.get_by_role("button", name="添加网站").click()
    box(page, "第 2 个网站").fill("not a site")
    expect(box(page, "第 1 个网站")).to_have_value("https://shop.example")
    page.get_by_role("button", name="保存").click()
    expect(page.get_by_role("alert").filter(has_text="不是网站的地址")).to_be_visible()
    page.get_by_role("button", name=re.compile("去掉")).last.click()
    save(page)
    with console.server.client as client:
        allowed = client.get("/api/bot", headers={"Origin": "https://shop.example"}).headers
        assert allowed["access-control-allow-origin"] == "https://shop.example"


def test_a_widget_that_no_site_may_show_does_not_work_yet(section: Section, console: Console) -> None:
    allow_sites(console)
    page = section("channels")
    widget = page.get_by_role("listitem").filter(has_text="网站聊天窗口")
    expect(widget.locator(".light .warn")).to_be_visible()
    expect(widget).to_contain_text("还没有允许任何网站")
    widget.get_by_role("link", name="去添加网站").click()
    expect(page.get_by_role("button", name="添加网站")).to_be_visible()


def test_the_channels_say_what_works(section: Section, console: Console) -> None:
    allow_sites(console, "https://shop.example")
    page = section("channels")
    expect(page.get_by_text("可用", exact=True)).to_have_count(3)
    expect(page.get_by_text("一切正常，可以回答问题")).to_be_visible()
    page.get_by_role("button", name="再查一次").click()
    expect(page.get_by_text(re.compile(r"^13[89] 条$"))).to_be_visible()  # another test publishes one


def test_platforms_are_listed_with_what_they_lack_and_can_be_tested(home: Path, open_page: Open) -> None:
    away = 'api = "http://127.0.0.1:9"'
    keys = 'token = "t"\naes_key = "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG"'
    wecom = f'[channels.wecom]\ncorp_id = "ww1"\nagent_id = 1\nsecret = "s"\n{keys}\n{away}\n'
    robot = f'[people.wecom_robot]\nkey = "k"\n{away}\n'
    (home / "frontdesk.toml").write_text(f"{wecom}[channels.slack]\n[channels.rest]\n{robot}")
    with served(home, FRONTDESK_MODELS__CHAT="") as server:
        console = Console.begin(server)
        page = open_page(f"{console.url}#/settings/channels", session=console.session)
        expect(page.get_by_text("/channels/wecom/callback")).to_be_visible()
        expect(page.get_by_text("channels.slack.bot_token is missing").last).to_be_visible()
        for name, said in (("wecom", "不能用"), ("rest", "可用：/webhooks/rest/webhook"), ("wecom_robot", "不能用")):
            heading = page.get_by_role("heading", name=re.compile(f"^{name}( |$|还)"))
            row = page.get_by_role("listitem").filter(has=heading)
            row.get_by_role("button", name="测试").click()
            expect(row.get_by_role("status")).to_contain_text(said)


def test_an_owner_finds_exports_and_erases_a_customers_data(section: Section, console: Console) -> None:
    with console.server.client as client:
        token = client.post("/api/visitor", json={}).json()
        asked = {"question": "怎么退货？", "message_id": "erase-1"}
        client.post("/api/chat", json=asked, headers={"Authorization": f"Bearer {token['token']}"}).raise_for_status()
    page = section("customers")
    box(page, "客户").fill("nobody")
    page.get_by_role("button", name="查找").click()
    expect(page.get_by_text("没有保存这位客户的任何数据")).to_be_visible()
    box(page, "客户").fill(token["visitor"])
    page.get_by_role("button", name="查找").click()
    expect(page.get_by_role("heading", name="保存的数据")).to_be_visible()
    with page.expect_download() as download:
        page.get_by_role("button", name="导出 JSON").click()
    held = json.loads(download.value.path().read_text(encoding="utf-8"))
    assert [turn["question"] for turn in held["turns"]] == ["怎么退货？"]
    page.get_by_role("button", name="全部删除").click()
    page.get_by_role("dialog").get_by_role("button", name="全部删除").click()
    expect(page.get_by_text("已删除这位客户的全部数据")).to_be_visible()
    with console.api as api:
        assert api.get("/customers", params={"name": token["visitor"]}).status_code == 404

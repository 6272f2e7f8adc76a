"""A customer and an agent, each in a browser of their own, and the owner who watches over both."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, Route, expect

from tests.scenarios.conftest import served
from tests.scenarios.console import DESKTOP, PHONE, Console

pytestmark = pytest.mark.xdist_group("handoff")

Open = Callable[..., Page]
HOSTILE = "<img src=x onerror=alert(1)>"


@pytest.fixture(scope="module")
def console(shop_home: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Console]:
    home = Path(shutil.copytree(shop_home, tmp_path_factory.mktemp("handoff") / "shop"))
    with served(home) as server:
        yield Console.begin(server)


@pytest.fixture
def agent(open_page: Open, console: Console) -> Page:
    return open_page(f"{console.url}#/inbox", session=console.session)


@pytest.fixture
def customer(open_page: Open, console: Console) -> Page:
    return open_page(console.server.url)


def say(customer: Page, text: str) -> None:
    customer.get_by_test_id("question-input").fill(text)
    customer.get_by_test_id("send").click()
    expect(customer.get_by_test_id("send")).to_be_visible()


def call(customer: Page, want: str) -> None:
    say(customer, want)
    say(customer, "转人工")
    expect(customer.locator("#status-text")).to_have_text("正在等待人工客服")


def open_waiting(agent: Page, want: str) -> None:
    agent.get_by_role("link").filter(has_text="等待中").filter(has_text=want).click()
    agent.get_by_role("button", name="接管").click()
    expect(agent.locator(".conversation-head")).to_contain_text("我在处理")


def write(agent: Page, text: str) -> None:
    agent.get_by_role("textbox").fill(text)
    agent.keyboard.press("Enter")
    expect(agent.get_by_role("textbox")).to_have_value("")


def test_a_conversation_goes_to_a_person_and_back(agent: Page, customer: Page) -> None:
    call(customer, "沙发能分期吗")
    open_waiting(agent, "沙发能分期吗")
    expect(customer.locator("#status-text")).to_have_text("王主管 正在为您服务")
    expect(customer.get_by_text("王主管 已接入")).to_be_visible()
    write(agent, f"您好！\n请看 https://shop.example {HOSTILE}")
    reply = customer.get_by_test_id("bubble-person")
    expect(reply).to_contain_text(HOSTILE)
    expect(reply.get_by_role("link")).to_have_attribute("href", "https://shop.example")
    say(customer, f"我的电话 13812345678 {HOSTILE}")
    expect(agent.locator(".message.customer").last).to_contain_text(f"13812345678 {HOSTILE}")
    bubbles = customer.get_by_test_id("bubble-bot").filter(visible=True)
    before = bubbles.count()
    agent.get_by_role("button", name="写备注").click()
    write(agent, "老客户，别让他等")
    expect(agent.locator(".message.internal")).to_contain_text("老客户")
    agent.get_by_role("button", name="交还机器人").click()
    expect(customer.get_by_text("已转回机器人")).to_be_visible()
    assert bubbles.count() == before
    expect(customer.locator("body")).not_to_contain_text("老客户")
    say(customer, "退货运费谁出")
    expect(bubbles).to_have_count(before + 1)
    customer.reload()
    expect(customer.get_by_test_id("bubble-person")).to_have_count(1)
    for page in (agent, customer):
        assert page.locator("img").count() == 0


@pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["1440", "390"])
def test_a_conversation_opens_at_its_end_and_stays_there(
    open_page: Open, console: Console, size: dict[str, int]
) -> None:
    with console.server.client as client, console.api as api:

        def say(question: str, conversation: str | None = None) -> str:
            body = {"question": question, "conversation_id": conversation}
            return str(client.post("/api/chat", json=body).json()["conversation_id"])

        conversation = say("转人工")
        api.post(f"/inbox/{conversation}/take", json={})
        for number in range(12):
            api.post(f"/inbox/{conversation}/reply", json={"text": f"第 {number} 句"})
        agent = open_page(f"{console.url}#/inbox/{conversation}", session=console.session, viewport=size)
        last = agent.locator(".message").last
        expect(last).to_contain_text("第 11 句")
        expect(last.locator("time")).to_have_text(re.compile(r"^\d\d:\d\d$"))
        expect(last).to_be_in_viewport(ratio=1)
        say("在吗", conversation)
        expect(last).to_contain_text("在吗")
        expect(last).to_be_in_viewport(ratio=1)
        log = agent.get_by_role("log")
        log.evaluate("node => new Promise((done) => { node.onscroll = done; node.scrollTop = 0; })")
        say("还在吗", conversation)
        expect(last).to_contain_text("还在吗")
        assert log.evaluate("node => node.scrollTop") == 0


def test_the_inbox_comes_back_after_a_proxys_error(open_page: Open, console: Console, customer: Page) -> None:
    agent = open_page(f"{console.url}#/dashboard", session=console.session)
    agent.route("**/inbox/events", lambda route: route.fulfill(status=502, body="bad gateway"))
    agent.get_by_role("link", name="人工会话").click()
    expect(agent.get_by_text("连接断开了，正在重新连接…")).to_be_visible()
    agent.unroute("**/inbox/events")
    expect(agent.get_by_text("连接断开了，正在重新连接…")).to_be_hidden()
    call(customer, "窗帘能定做吗")
    waiting = agent.get_by_role("link").filter(has_text="等待中").filter(has_text="窗帘能定做吗")
    expect(waiting.locator("strong")).to_have_text("窗帘能定做吗")


def test_what_is_said_while_the_line_is_down_arrives_once(agent: Page, customer: Page) -> None:
    call(customer, "灯坏了怎么修")
    open_waiting(agent, "灯坏了怎么修")
    write(agent, "第一句")
    expect(customer.get_by_test_id("bubble-person")).to_have_count(1)
    customer.context.set_offline(True)
    write(agent, "第二句")
    customer.context.set_offline(False)
    expect(customer.get_by_test_id("bubble-person")).to_have_count(2)
    customer.reload()
    expect(customer.get_by_test_id("bubble-person")).to_have_count(2)
    expect(customer.get_by_test_id("bubble-person").last).to_contain_text("第二句")


def test_two_tabs_of_a_customer_hear_the_same_once(agent: Page, customer: Page, console: Console) -> None:
    call(customer, "床垫有味道")
    second = customer.context.new_page()
    second.goto(console.server.url)
    open_waiting(agent, "床垫有味道")
    write(agent, "请通风三天")
    for tab in (customer, second):
        expect(tab.get_by_test_id("bubble-person")).to_have_count(1)
        expect(tab.get_by_text("王主管 已接入")).to_have_count(1)


def test_of_two_agents_one_gets_it_and_the_other_may_step_in(
    agent: Page, customer: Page, open_page: Open, console: Console
) -> None:
    with console.api as api:
        api.post("/users", json={"name": HOSTILE, "password": "a password of mine", "role": "agent"})
    other = open_page(f"{console.url}#/inbox")
    other.get_by_label("用户名").fill(HOSTILE)
    other.get_by_label("密码", exact=True).fill("a password of mine")
    other.get_by_role("button", name="登录", exact=True).click()
    call(customer, "桌子晃")
    other.get_by_role("link").filter(has_text="桌子晃").click()
    expect(other.get_by_role("button", name="接管")).to_be_visible()
    open_waiting(agent, "桌子晃")
    expect(other.get_by_role("button", name="从 王主管 那里接手")).to_be_visible()
    other.get_by_role("button", name="从 王主管 那里接手").click()
    expect(customer.locator("#status-text")).to_have_text(f"{HOSTILE} 正在为您服务")
    expect(agent.locator(".conversation-head")).to_contain_text(f"{HOSTILE} 在处理")
    expect(agent.get_by_role("button", name="发送", exact=True)).to_be_disabled()
    for page in (agent, other, customer):
        assert page.locator("img").count() == 0


def test_an_answer_of_the_faq_is_offered_and_never_sent_by_itself(agent: Page, customer: Page) -> None:
    call(customer, "发票怎么开")
    open_waiting(agent, "发票怎么开")
    agent.get_by_role("textbox").fill("怎么开发票")
    agent.get_by_role("button", name="引用知识库").click()
    agent.locator(".offered button").first.click()
    expect(agent.get_by_role("textbox")).not_to_have_value("怎么开发票")
    expect(customer.get_by_test_id("bubble-person")).to_have_count(0)


def test_while_chinese_is_composed_enter_does_not_send(agent: Page, customer: Page) -> None:
    call(customer, "柜子多高")
    open_waiting(agent, "柜子多高")
    box = agent.get_by_role("textbox")
    box.fill("两米")
    box.dispatch_event("keydown", {"key": "Enter", "isComposing": True, "bubbles": True})
    expect(box).to_have_value("两米")
    expect(agent.locator(".message.agent")).to_have_count(0)


def test_who_waits_is_known_on_every_page_and_told_on_the_desktop(
    open_page: Open, console: Console, customer: Page
) -> None:
    agent = open_page(f"{console.url}#/inbox", session=console.session, permissions=["notifications"])
    agent.get_by_label("桌面提醒").check()
    expect(agent.get_by_label("桌面提醒")).to_be_checked()
    agent.evaluate(
        """() => {
            window.told = [];
            window.Notification = class extends EventTarget {
                static permission = "granted";
                constructor(title, { body }) { super(); window.told.push(`${title}: ${body}`); }
            };
            Object.defineProperty(document, "hidden", { value: true });
        }"""
    )
    with console.api as api:
        before = len(api.get("/inbox", params={"state": "waiting"}).json()["conversations"])
    call(customer, "镜子碎了")
    badge = agent.get_by_role("link", name="人工会话").locator(".count")
    expect(badge).to_have_text(str(before + 1))
    assert agent.evaluate("window.told") == ["有客户在等人工: 镜子碎了"]
    agent.get_by_role("link", name="数据").click()
    expect(agent.get_by_role("heading", name="数据", level=1)).to_be_visible()
    expect(badge).to_have_text(str(before + 1))
    expect(agent).to_have_title(f"({before + 1}) 数据 · FrontDesk")


def test_on_a_phone_list_and_conversation_are_two_screens(open_page: Open, console: Console, customer: Page) -> None:
    call(customer, "地毯能水洗吗")
    phone = open_page(f"{console.url}#/inbox", session=console.session, viewport=PHONE, has_touch=True)
    phone.get_by_role("link").filter(has_text="地毯能水洗吗").click()
    expect(phone.get_by_role("log")).to_be_visible()
    expect(phone.locator(".inbox-list")).to_be_hidden()
    assert phone.evaluate("document.querySelector('main').scrollWidth") <= PHONE["width"]
    phone.get_by_role("button", name="返回列表").click()
    expect(phone.locator(".inbox-list")).to_be_visible()


def test_what_went_unanswered_becomes_a_variant(open_page: Open, console: Console, customer: Page) -> None:
    say(customer, f"量子纠缠是什么{HOSTILE}")
    page = open_page(f"{console.url}#/review", session=console.session)
    cluster = page.locator(".cluster").filter(has_text="量子纠缠是什么")
    expect(cluster.get_by_text("量子纠缠是什么")).to_have_count(1)
    assert page.locator("img").count() == 0
    cluster.get_by_role("button", name="新建条目").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("答案").fill("我们只卖家具。")
    dialog.get_by_role("button", name="添加", exact=True).click()
    expect(page.get_by_text("已新建条目，发布后生效")).to_be_visible()
    expect(page.locator(".cluster").filter(has_text="量子纠缠是什么")).to_have_count(0)
    with console.api as api:
        assert api.get("/knowledge-bases/shop/entries", params={"search": "我们只卖家具"}).json()["total"] == 1


def test_a_long_review_begins_with_the_commonest(open_page: Open, console: Console, customer: Page) -> None:
    say(customer, "黑洞有多大")
    page = open_page(f"{console.url}#/dashboard", session=console.session)

    def multiply(route: Route) -> None:
        found = route.fetch().json()
        route.fulfill(json={**found, "clusters": (found["clusters"] * 30)[:30]})

    page.route("**/api/admin/review?*", multiply)
    page.get_by_role("link", name="待改进").click()
    expect(page.locator(".cluster")).to_have_count(20)
    page.get_by_role("button", name="再看 10 组").click()
    expect(page.locator(".cluster")).to_have_count(30)


def test_the_dashboard_counts_what_was_asked(open_page: Open, console: Console, customer: Page) -> None:
    say(customer, "退货运费谁出")
    page = open_page(f"{console.url}#/dashboard", session=console.session)
    expect(page.get_by_role("heading", name="自助解决率")).to_be_visible()
    expect(page.locator("svg.chart")).to_have_count(4)
    page.get_by_role("slider", name="怎样回答的").focus()
    page.keyboard.press("ArrowLeft")
    expect(page.locator(".readout").first).to_contain_text("原文回答0")
    page.get_by_role("button", name="看表格").first.click()
    expect(page.get_by_role("table").first).to_be_visible()
    page.get_by_role("button", name="今天").click()
    expect(page).to_have_url(re.compile("days=1"))
    with page.expect_download() as download:
        page.get_by_role("link", name="导出 CSV").click()
    assert download.value.path().read_bytes().startswith(b"\xef\xbb\xbfdate,")

"""A customer at the chat page: a real browser, the real server, the real model."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from tests.scenarios.conftest import ROOT, Served, served
from tests.scenarios.people import add_agents, agent, conversation_of

pytestmark = pytest.mark.xdist_group("shop")

DIRECT = [
    "刚买的不想要了可以取消吗 状态是待发货",
    "取消定单在哪操作",
    "两千多的沙发能用信用卡分几期还不 有没有利息",
    "发票开了好几天 想下载下来打印 入口在哪",
    "收货手机号填错了一位 现在是待发货",
]
WORDED = [
    "礼品卡有没有使用期限 一次花不完怎么办",
    "页面上写预售 那我到底哪天才能等到它寄出来",
    "买一双筷子和一个碗 要付多少邮费啊",
    "拒绝签收之后钱怎么退给我",
    "家具类的满多少钱可以不收运费",
]
UNSURE = [
    "想送套锅给外地的姐姐 直接填她的地址电话没问题吧",
    "付钱付到一半弹出来失败 试了三回都这样",
    "东西收到了 怎么开票啊 单位要报账",
    "我今天才注册的 第一笔订单有没有优惠",
    "不放心网购 能等送上门了再付现金吗",
]
UNKNOWN = [
    "破壁机能打冰块吗",
    "菜刀钝了你们提供磨刀服务不",
    "这款书架一层最多放多重",
    "挂烫机烫真丝衬衫会坏吗",
    "？？？",
]
FOR_A_HUMAN = ["转人工", "我要找人工客服", "帮我转一下人工", "人工服务", "talk to a human please"]


@pytest.fixture
def page(browser: Browser, shop: Served) -> Iterator[Page]:
    """Open the chat page as a new customer; outside hosts and errors in the page fail the test."""
    context = browser.new_context(viewport={"width": 1280, "height": 800}, locale="zh-CN")
    page = context.new_page()
    strangers: list[str] = []
    errors: list[str] = []
    page.on("request", lambda request: strangers.append(request.url) if not request.url.startswith(shop.url) else None)
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.goto(shop.url)
    yield page
    context.close()
    assert not strangers
    assert not errors


def ask(page: Page, question: str) -> Locator:
    """Type a question, wait for the whole answer, return its bubble."""
    before = page.get_by_test_id("bubble-bot").count()
    page.get_by_test_id("question-input").fill(question)
    page.get_by_test_id("question-input").press("Enter")
    bubble = page.get_by_test_id("bubble-bot").nth(before)
    expect(bubble).to_have_attribute("data-state", "done")
    return bubble


@pytest.mark.parametrize(
    ("questions", "outcomes"),
    [
        (DIRECT, {"direct"}),
        (WORDED, {"grounded", "direct"}),  # direct where a check preferred the entry's own words
        (UNSURE, {"clarify"}),
        (UNKNOWN, {"refused"}),
        (FOR_A_HUMAN, {"handoff"}),
    ],
    ids=["direct", "worded", "unsure", "unknown", "human"],
)
def test_five_questions_of_each_kind_get_their_outcome(page: Page, questions: list[str], outcomes: set[str]) -> None:
    seen = []
    for question in questions:
        seen.append(ask(page, question).get_attribute("data-outcome"))
        page.get_by_test_id("new-chat").click()  # each its own conversation, or misses would add up to a handoff
    assert set(seen) <= outcomes, dict(zip(questions, seen, strict=True))
    if questions is WORDED:
        assert seen.count("grounded") >= 3, seen


def test_an_answer_shows_the_entry_it_rests_on(page: Page) -> None:
    bubble = ask(page, "怎么开发票")
    bubble.get_by_test_id("citation").first.click()
    expect(bubble).to_contain_text("发票")


def test_customers_are_spared_how_an_answer_came_about(browser: Browser, shop: Served) -> None:
    address = shop.url.replace("127.0.0.1", "bot.localhost")  # a name that does not say that this is the server itself
    with browser.new_context(locale="zh-CN") as context:
        page = context.new_page()
        page.goto(address)
        ask(page, "怎么开发票")
        expect(page.get_by_test_id("confidence")).to_have_count(0)
        expect(page.get_by_text("原文回答")).to_have_count(0)
        page.goto(f"{address}/?inspect")
        expect(page.get_by_test_id("confidence")).to_be_visible()


def test_who_does_not_want_to_wait_for_a_person_has_the_bot_again(page: Page) -> None:
    ask(page, "转人工")
    expect(page.get_by_test_id("handoff")).to_be_disabled()
    expect(ask(page, "在吗")).to_contain_text("不用人工")
    ask(page, "不用人工了")
    expect(page.get_by_test_id("handoff")).to_be_enabled()
    assert ask(page, "怎么开发票").get_attribute("data-outcome") == "direct"


def test_a_suggestion_that_is_clicked_is_asked(page: Page) -> None:
    bubble = ask(page, UNSURE[0])
    suggestion = bubble.get_by_test_id("suggestion").first
    wanted = suggestion.inner_text()
    suggestion.click()
    answer = page.get_by_test_id("bubble-bot").nth(1)
    expect(answer).to_have_attribute("data-outcome", "direct")
    expect(page.get_by_test_id("bubble-user").nth(1)).to_contain_text(wanted)


def test_a_follow_up_is_understood_from_the_conversation(page: Page) -> None:
    ask(page, "七天无理由退货怎么申请？")
    bubble = ask(page, "那运费呢？")
    expect(bubble).to_contain_text("运费")


def test_thumbs_are_taken(page: Page, shop: Served) -> None:
    ask(page, "怎么开发票")
    with page.expect_response("**/api/feedback") as response:
        page.get_by_test_id("thumb-up").last.click()
    assert response.value.status == 204


def test_the_conversation_survives_a_reload(page: Page) -> None:
    ask(page, "怎么开发票")
    page.reload()
    expect(page.get_by_test_id("bubble-user")).to_have_count(1)
    expect(page.get_by_test_id("bubble-bot")).to_contain_text("发票")


def test_a_phone_shows_everything_without_scrolling_sideways(browser: Browser, shop: Served) -> None:
    context = browser.new_context(viewport={"width": 390, "height": 844}, locale="en-GB", has_touch=True)
    page = context.new_page()
    page.goto(shop.url)
    ask(page, "怎么退货")
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    expect(page.get_by_test_id("send")).to_be_in_viewport()
    context.close()


def test_the_human_button_hands_the_conversation_over(page: Page) -> None:
    ask(page, "怎么开发票")
    page.get_by_test_id("handoff").click()
    expect(page.get_by_test_id("handoff")).to_be_disabled()
    expect(page.locator("#status-text")).to_have_text("正在等待人工客服")
    assert ask(page, "在吗").get_attribute("data-outcome") == "handoff"


def test_a_person_answers_and_the_conversation_goes_back_to_the_bot(
    browser: Browser, shop_home: Path, tmp_path: Path
) -> None:
    home = tmp_path / "shop"
    shutil.copytree(shop_home, home, ignore=shutil.ignore_patterns("serve.log"))
    with served(home) as server:
        add_agents(server, "Anna")
        context = browser.new_context(locale="en-GB")
        tabs = [context.new_page(), context.new_page()]
        for tab in tabs:
            tab.goto(server.url)
        ask(tabs[0], "talk to a human please")
        conversation = conversation_of(tabs[0])
        with agent(server, "Anna") as anna:
            anna.take(conversation)
            anna.reply(conversation, "Good morning")
            for tab in tabs:
                expect(tab.locator("#status-text")).to_have_text("Anna is with you")
                expect(tab.get_by_test_id("bubble-person")).to_have_text("Good morning")
            tabs[1].reload()
            anna.release(conversation, "bot")
        for tab in tabs:
            expect(tab.get_by_test_id("notice")).to_have_text(["Anna has joined", "The bot is here again"])
            expect(tab.get_by_test_id("bubble-person")).to_have_count(1)
        context.close()


def test_the_words_to_translate_are_all_there(page: Page) -> None:
    texts = page.evaluate("import('/page/texts.js').then(({ TEXTS }) => JSON.parse(JSON.stringify(TEXTS.en)))")
    named = page.evaluate("import('/page/texts.js').then(({ TEXTS }) => Object.keys(TEXTS.en))")
    words = json.loads((ROOT / "docs" / "widget-words.json").read_text())
    english = (ROOT / "bot/http/widget/words.js").read_text().partition("  en: {")[2]
    of_the_widget = set(re.findall(r"^    (\w+):", english, re.MULTILINE))
    for_us = {"htmlLanguage"}
    assert words.keys() == set(named) - for_us | of_the_widget
    assert [
        key for key, text in texts.items() if isinstance(text, str) and key not in for_us and words[key] != text
    ] == []
    for group in ("status", "handoff", "people", "problem"):
        assert texts[group].items() <= words[group].items()

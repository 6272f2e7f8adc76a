"""The widget on a foreign site whose styles are hostile and whose Content-Security-Policy is strict."""

from __future__ import annotations

import hashlib
import hmac
import json
import re
import shutil
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Locator, Page, Route, expect

from tests.scenarios.conftest import Served, served
from tests.scenarios.people import HOSTILE as HOSTILE_WORDS
from tests.scenarios.people import Agent, add_agents, agent, conversation_of

pytestmark = pytest.mark.xdist_group("shop")

HOSTILE = """
* { all: unset !important; font-size: 40px !important; color: red !important; direction: rtl !important }
div, section, button, textarea { display: none !important }
body, h1 { display: block !important }
"""

ARABIC = {"placeholder": "اكتب سؤالك…", "open": "افتح المحادثة", "people": {"serving": "{0} معك الآن"}}


@dataclass
class Site:
    """A shop's site; `bot` is where its widget comes from, `attributes` what its script tag says."""

    server: ThreadingHTTPServer
    bot: str = ""
    attributes: str = 'data-locale="zh"'
    direction: str = "ltr"

    @property
    def origin(self) -> str:
        return f"http://127.0.0.1:{self.server.server_port}"

    def reply(self, path: str) -> tuple[str, str]:
        if path.endswith(".css"):
            return "text/css", HOSTILE
        if path.endswith(".json"):
            return "application/json", json.dumps(ARABIC)
        script = f'<script src="{self.bot}/widget.js" {self.attributes} defer></script>'
        head = f'<meta charset="utf-8"><link rel="stylesheet" href="/hostile.css">{script * 2}'  # twice, by mistake
        return (
            "text/html",
            f'<!doctype html><html dir="{self.direction}"><head>{head}</head><body><h1>青禾家居</h1></body></html>',
        )


@pytest.fixture(scope="module")
def site() -> Iterator[Site]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            kind, text = site.reply(self.path)
            self.send_response(200)
            self.send_header("Content-Type", kind)
            policy = f"default-src 'none'; style-src 'self'; script-src {site.bot}; connect-src 'self' {site.bot}"
            self.send_header("Content-Security-Policy", policy)
            self.end_headers()
            self.wfile.write(text.encode())

        def log_message(self, *_arguments: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        site = Site(server)
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield site
        server.shutdown()
        thread.join()


@pytest.fixture(scope="module")
def bot(shop_home: Path, site: Site, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """Run a bot that the site may use, with agents."""
    home = tmp_path_factory.mktemp("widget") / "shop"
    shutil.copytree(shop_home, home, ignore=shutil.ignore_patterns("serve.log"))
    settings = {
        "FRONTDESK_SERVER__ALLOWED_ORIGINS": f'["{site.origin}"]',
        "FRONTDESK_VISITORS__IDENTITY_SECRET": "shared",
    }
    with served(home, **settings) as server:
        add_agents(server, "Anna", HOSTILE_WORDS)
        yield server


@pytest.fixture
def anna(bot: Served) -> Iterator[Agent]:
    with agent(bot, "Anna") as anna:
        yield anna


@pytest.fixture
def context(browser: Browser, site: Site, bot: Served) -> Iterator[BrowserContext]:
    site.bot, site.attributes, site.direction = bot.url, 'data-locale="zh"', "ltr"
    context = browser.new_context(viewport={"width": 1280, "height": 800}, locale="zh-CN")
    yield context
    context.close()


@pytest.fixture
def page(context: BrowserContext, site: Site) -> Iterator[Page]:
    """Open the site; errors, broken policies and outside hosts fail the test."""
    page = context.new_page()
    complaints: list[str] = []
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("console", lambda message: complaints.append(message.text) if "Content Security" in message.text else None)
    page.on("request", lambda request: complaints.append(request.url) if "//127.0.0.1" not in request.url else None)
    page.goto(site.origin)
    yield page
    assert complaints == []


def ask(page: Page, question: str) -> Locator:
    before = page.get_by_test_id("bubble-bot").count()
    page.get_by_test_id("question-input").fill(question)
    page.get_by_test_id("question-input").press("Enter")
    bubble = page.get_by_test_id("bubble-bot").nth(before)
    expect(bubble).to_have_attribute("data-state", "done")
    return bubble


def open_panel(page: Page) -> None:
    page.get_by_test_id("launcher").click()
    expect(page.get_by_test_id("question-input")).to_be_focused()


def test_a_visitor_asks_reads_the_source_and_says_thanks(page: Page) -> None:
    open_panel(page)
    expect(page.get_by_test_id("starter").first).to_be_visible()
    bubble = ask(page, "怎么开发票")
    expect(bubble).to_have_css("font-size", "15px")
    bubble.get_by_test_id("citation").first.click()
    with page.expect_response("**/api/feedback") as response:
        page.get_by_test_id("thumb-up").last.click()
    assert response.value.status == 204


def test_nothing_is_asked_of_the_server_before_the_visitor_wants_something(page: Page, site: Site) -> None:
    requests: list[str] = []
    page.on("request", lambda request: requests.append(request.url))
    page.reload()
    expect(page.get_by_test_id("launcher")).to_be_visible()
    assert [url for url in requests if "/api/" in url] == []
    assert page.get_by_test_id("launcher").count() == 1


def test_the_conversation_outlives_a_change_of_page(page: Page, site: Site) -> None:
    open_panel(page)
    ask(page, "怎么开发票")
    page.goto(f"{site.origin}/another")
    expect(page.get_by_test_id("bubble-user")).to_have_text("怎么开发票")
    expect(ask(page, "那多久能收到？").locator(".understood")).to_contain_text("发票")


def test_another_tab_shows_the_same_conversation(page: Page, context: BrowserContext, site: Site) -> None:
    other = context.new_page()
    other.goto(site.origin)
    open_panel(other)
    open_panel(page)
    ask(page, "怎么开发票")
    expect(other.get_by_test_id("bubble-bot")).to_contain_text("发票")


def test_a_question_asked_without_a_network_is_answered_once_when_it_is_back(page: Page, bot: Served) -> None:
    open_panel(page)
    expect(page.get_by_test_id("starter").first).to_be_visible()
    page.context.set_offline(True)
    page.get_by_test_id("question-input").fill("怎么开发票")
    page.get_by_test_id("question-input").press("Enter")
    expect(page.locator(".reconnecting")).to_be_visible()
    page.context.set_offline(False)
    expect(page.get_by_test_id("bubble-bot")).to_have_attribute("data-state", "done")
    assert page.get_by_test_id("bubble-bot").count() == 1


def test_an_answer_that_comes_while_the_panel_is_closed_is_counted(page: Page) -> None:
    held: list[Route] = []
    page.route("**/api/chat/stream", lambda route: held.append(route))  # noqa: PLW0108 - Playwright looks into it
    open_panel(page)
    page.get_by_test_id("question-input").fill("怎么开发票")
    with page.expect_request("**/api/chat/stream"):
        page.get_by_test_id("question-input").press("Enter")
    page.keyboard.press("Escape")
    expect(page.get_by_test_id("panel")).to_be_hidden()
    expect(page.get_by_test_id("launcher")).to_be_focused()
    held[0].continue_()
    expect(page.get_by_test_id("unread")).to_have_text("1")
    page.get_by_test_id("launcher").click()
    expect(page.get_by_test_id("unread")).to_be_hidden()


def test_a_person_can_be_called(page: Page) -> None:
    open_panel(page)
    ask(page, "怎么开发票")
    page.get_by_test_id("handoff").click()
    expect(page.get_by_test_id("handoff")).to_have_text("等待人工")


def call_somebody(page: Page) -> str:
    """Open the panel and ask for a person; return the conversation."""
    open_panel(page)
    ask(page, "转人工")
    expect(page.locator("#status-text")).to_have_text("正在等待人工客服")
    return conversation_of(page)


def said_by_people(page: Page) -> Locator:
    return page.get_by_test_id("bubble-person")


def test_a_person_takes_over_answers_and_leaves(page: Page, anna: Agent) -> None:
    conversation = call_somebody(page)
    anna.take(conversation)
    expect(page.locator("#status-text")).to_have_text("Anna 正在为您服务")
    anna.reply(conversation, "您好\n请看 https://shop.example/returns。")
    reply = said_by_people(page)
    expect(reply).to_have_text(re.compile("^您好请看 https://shop.example/returns。$"))
    expect(reply.locator("a")).to_have_attribute("href", "https://shop.example/returns")
    expect(reply.locator("br")).to_have_count(1)
    expect(page.locator(".agent")).to_have_text("Anna")

    page.get_by_test_id("question-input").fill("好的，谢谢")
    page.get_by_test_id("question-input").press("Enter")
    expect(page.get_by_test_id("stop")).to_be_hidden()
    expect(page.get_by_test_id("bubble-user").last).to_have_text("好的，谢谢")
    expect(page.get_by_test_id("bubble-bot").last).to_be_hidden()  # the bot is silent
    expect(page.get_by_test_id("bubble-bot").last.locator("button")).to_have_count(0)

    anna.reply(conversation, "再见")
    anna.release(conversation, "closed")
    expect(page.get_by_test_id("notice")).to_have_text(["Anna 已接入", "会话已结束"])
    expect(said_by_people(page)).to_have_count(2)
    assert page.locator("#log > :nth-last-child(-n + 2)").all_inner_texts() == ["Anna\n再见", "会话已结束"]
    expect(page.locator("#status-text")).to_have_text("在线")
    expect(ask(page, "怎么开发票")).to_contain_text("发票")


def test_a_conversation_given_back_is_the_bots_again(page: Page, anna: Agent) -> None:
    conversation = call_somebody(page)
    anna.take(conversation)
    anna.release(conversation, "bot")
    expect(page.get_by_test_id("notice")).to_have_text(["Anna 已接入", "已转回机器人"])
    expect(page.get_by_test_id("handoff")).to_be_enabled()
    expect(ask(page, "怎么开发票")).to_contain_text("发票")


def test_a_person_who_takes_over_unasked_is_introduced_with_the_next_question(page: Page, anna: Agent) -> None:
    open_panel(page)
    ask(page, "怎么开发票")
    anna.take(conversation_of(page))
    ask(page, "在吗")
    expect(page.locator("#status-text")).to_have_text("Anna 正在为您服务")
    expect(page.get_by_test_id("bubble-bot").last).to_be_hidden()


def test_what_a_person_says_outlives_a_reload_and_is_downloaded(page: Page, site: Site, anna: Agent) -> None:
    conversation = call_somebody(page)
    anna.take(conversation)
    anna.reply(conversation, "第一句")
    expect(said_by_people(page)).to_have_count(1)
    page.goto(f"{site.origin}/hostile.css")  # away, to where no widget is
    anna.reply(conversation, "第二句")
    page.goto(site.origin)
    expect(said_by_people(page)).to_have_text(["第一句", "第二句"])
    expect(page.locator("#status-text")).to_have_text("Anna 正在为您服务")
    expect(page.get_by_test_id("notice")).to_have_count(1)
    with page.expect_download() as download:
        page.get_by_test_id("download").click()
    lines = Path(download.value.path()).read_text(encoding="utf-8").split("\n\n")
    assert lines[-3:] == ["* Anna 已接入", "Anna: 第一句", "Anna: 第二句"]


def test_what_a_person_says_while_the_panel_is_closed_is_counted(page: Page, anna: Agent) -> None:
    conversation = call_somebody(page)
    page.keyboard.press("Escape")
    anna.take(conversation)
    anna.reply(conversation, "您好")
    expect(page.get_by_test_id("unread")).to_have_text("1")
    page.reload()
    anna.reply(conversation, "还在吗")
    expect(page.get_by_test_id("unread")).to_have_text("1")
    page.get_by_test_id("launcher").click()
    expect(said_by_people(page)).to_have_text(["您好", "还在吗"])


def test_what_a_person_says_without_a_network_arrives_once_when_it_is_back(page: Page, anna: Agent) -> None:
    conversation = call_somebody(page)
    anna.take(conversation)
    anna.reply(conversation, "第一句")
    expect(said_by_people(page)).to_have_count(1)
    page.route("**/events", lambda route: route.abort())
    with page.expect_event("requestfailed", lambda request: request.url.endswith("/events")):
        page.reload()
    anna.reply(conversation, "第二句")
    anna.reply(conversation, "第三句")
    anna.release(conversation, "bot")
    page.unroute("**/events")
    expect(said_by_people(page)).to_have_text(["第一句", "第二句", "第三句"])
    expect(page.get_by_test_id("notice")).to_have_text(["Anna 已接入", "已转回机器人"])


def test_two_tabs_show_what_a_person_says_once_each(
    page: Page, context: BrowserContext, site: Site, anna: Agent
) -> None:
    conversation = call_somebody(page)
    other = context.new_page()
    other.goto(site.origin)
    open_panel(other)
    anna.take(conversation)
    anna.reply(conversation, "您好")
    anna.release(conversation, "closed")
    for tab in (page, other):
        expect(tab.get_by_test_id("notice")).to_have_text(["Anna 已接入", "会话已结束"])
        expect(said_by_people(tab)).to_have_text(["您好"])
    page.reload()
    expect(said_by_people(page)).to_have_text(["您好"])
    expect(page.get_by_test_id("notice")).to_have_count(2)


def test_an_agents_name_and_words_are_never_markup(page: Page, bot: Served) -> None:
    conversation = call_somebody(page)
    with agent(bot, HOSTILE_WORDS) as stranger:
        stranger.take(conversation)
        stranger.reply(conversation, f"{HOSTILE_WORDS} javascript:alert(1) **not bold** tel:+861234 hotel:9")
    reply = said_by_people(page)
    expect(reply).to_contain_text(f"{HOSTILE_WORDS} javascript:alert(1) **not bold**")
    expect(page.locator("#status-text")).to_have_text(f"{HOSTILE_WORDS} 正在为您服务")
    expect(page.locator("#log img")).to_have_count(0)
    assert [link.get_attribute("href") for link in reply.locator("a").all()] == ["tel:+861234"]


def test_from_right_to_left_the_panel_is_mirrored(page: Page, site: Site) -> None:
    site.direction = "rtl"
    page.reload()
    expect(page.get_by_test_id("launcher")).to_have_css("left", "20px")
    open_panel(page)
    ask(page, "怎么开发票")
    question, logo, send = page.get_by_test_id("bubble-user"), page.locator(".logo"), page.get_by_test_id("send")
    middle = middle_of(page.get_by_test_id("panel"))
    assert middle_of(question) < middle  # one's own words at the end of the line
    assert middle_of(logo) > middle
    assert middle_of(send) < middle
    page.get_by_test_id("question-input").fill("مرحبا")
    expect(page.get_by_test_id("question-input")).to_have_css("direction", "rtl")
    page.get_by_test_id("question-input").fill("hello")
    expect(page.get_by_test_id("question-input")).to_have_css("direction", "ltr")
    expect(question).to_have_css("direction", "ltr")  # Chinese stays as it is read


def middle_of(part: Locator) -> float:
    box = part.bounding_box()
    assert box is not None
    return box["x"] + box["width"] / 2


def test_a_site_brings_the_words_of_its_language(page: Page, site: Site) -> None:
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url) if request.url.endswith("words.json") else None)
    site.attributes, site.direction = 'data-locale="ar" data-words="/words.json"', "rtl"
    page.reload()
    expect(page.get_by_test_id("launcher")).to_be_visible()
    assert asked == []
    open_panel(page)
    expect(page.get_by_test_id("question-input")).to_have_attribute("placeholder", ARABIC["placeholder"])
    expect(page.locator(".app")).to_have_attribute("lang", "ar")
    expect(page.get_by_test_id("handoff")).to_have_text("Talk to a person")  # missing, so English
    ask(page, "怎么开发票")
    page.get_by_test_id("close").click()
    expect(page.get_by_test_id("launcher")).to_have_attribute("aria-label", ARABIC["open"])
    page.get_by_test_id("launcher").click()
    assert len(asked) == 1


def test_words_that_cannot_be_read_are_told_to_the_site_and_leave_english(page: Page, site: Site) -> None:
    site.attributes = 'data-locale="ar" data-words="/not-json.css"'
    page.reload()
    with page.expect_console_message(lambda message: "data-words" in message.text):
        open_panel(page)
    expect(page.get_by_test_id("question-input")).to_be_visible()


def test_the_conversation_can_be_downloaded(page: Page) -> None:
    open_panel(page)
    ask(page, "怎么开发票")
    with page.expect_download() as download:
        page.get_by_test_id("download").click()
    text = Path(download.value.path()).read_text(encoding="utf-8")
    assert text.startswith("您: 怎么开发票\n智能助手: ")
    assert "发票" in text.splitlines()[1]


def test_the_site_can_steer_it(page: Page) -> None:
    page.evaluate("FrontDesk.ask('怎么开发票')")
    expect(page.get_by_test_id("bubble-bot")).to_contain_text("发票")
    page.evaluate("FrontDesk.setLocale('en')")
    expect(page.get_by_test_id("handoff")).to_have_text("Talk to a person")
    page.evaluate("FrontDesk.close()")
    expect(page.get_by_test_id("panel")).to_be_hidden()
    page.evaluate("FrontDesk.open()")
    expect(page.get_by_test_id("panel")).to_be_visible()


def test_a_visitors_conversation_is_theirs_alone(page: Page, bot: Served) -> None:
    open_panel(page)
    ask(page, "怎么开发票")
    conversation = page.evaluate("JSON.parse(localStorage['frontdesk.conversation']).id")
    with bot.client as stranger:
        reply = stranger.post("/api/chat", json={"question": "怎么退货", "conversation_id": conversation})
    assert reply.status_code == 404


def test_what_one_user_said_is_put_away_when_another_signs_in(page: Page) -> None:
    sign_in(page, "42")
    open_panel(page)
    ask(page, "怎么开发票")
    sign_in(page, "42")
    expect(page.get_by_test_id("bubble-user")).to_have_count(1)
    sign_in(page, "43")
    expect(page.get_by_test_id("bubble-user")).to_have_count(0)
    ask(page, "怎么退货")


def sign_in(page: Page, user: str) -> None:
    signature = hmac.new(b"shared", user.encode(), hashlib.sha256).hexdigest()
    page.evaluate("user => FrontDesk.setUser(user)", {"id": user, "signature": signature})


def test_a_token_that_is_not_valid_any_more_is_renewed(page: Page) -> None:
    page.evaluate("localStorage['frontdesk.visitor'] = JSON.stringify({token: 'old'})")
    page.reload()
    open_panel(page)
    ask(page, "怎么开发票")


def test_the_site_hears_when_it_is_ready(page: Page) -> None:
    page.add_init_script("addEventListener('frontdesk:ready', () => (window.heard = typeof FrontDesk.open))")
    page.reload()
    expect(page.get_by_test_id("launcher")).to_be_visible()
    assert page.evaluate("window.heard") == "function"


def test_the_site_chooses_colour_and_side(page: Page, site: Site) -> None:
    site.attributes = 'data-color="#ffd400" data-position="left" data-locale="en"'
    page.reload()
    launcher = page.get_by_test_id("launcher")
    expect(launcher).to_have_css("background-color", "rgb(255, 212, 0)")
    expect(launcher).to_have_css("color", "rgb(16, 32, 29)")  # dark on yellow
    expect(launcher).to_have_css("left", "20px")
    expect(launcher).to_have_attribute("aria-label", "Open the chat")


def test_on_a_phone_it_fills_the_screen_and_keeps_the_focus(page: Page) -> None:
    page.set_viewport_size({"width": 390, "height": 844})
    open_panel(page)
    box = page.get_by_test_id("panel").bounding_box()
    assert box == {"x": 0, "y": 0, "width": 390, "height": 844}
    inside = "document.activeElement.localName === 'frontdesk-widget'"
    for _ in range(20):
        page.keyboard.press("Tab")
        assert page.evaluate(inside)


def test_a_site_that_is_not_allowed_is_told_what_to_set(browser: Browser, shop: Served, site: Site) -> None:
    site.bot = shop.url
    context = browser.new_context()
    page = context.new_page()
    page.goto(site.origin)
    with page.expect_console_message(lambda message: "server.allowed_origins" in message.text):
        page.get_by_test_id("launcher").click()
    expect(page.locator("#status")).to_have_attribute("data-status", "offline")
    context.close()

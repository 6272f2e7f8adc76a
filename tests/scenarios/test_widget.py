"""The widget on a foreign site whose styles are hostile and whose Content-Security-Policy is strict."""

from __future__ import annotations

import hashlib
import hmac
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Locator, Page, Route, expect

from tests.scenarios.conftest import Served, served

pytestmark = pytest.mark.xdist_group("shop")

HOSTILE = """
* { all: unset !important; font-size: 40px !important; color: red !important; direction: rtl !important }
div, section, button, textarea { display: none !important }
body, h1 { display: block !important }
"""


@dataclass
class Site:
    """A shop's site; `bot` is where its widget comes from, `attributes` what its script tag says."""

    server: ThreadingHTTPServer
    bot: str = ""
    attributes: str = 'data-locale="zh"'

    @property
    def origin(self) -> str:
        return f"http://127.0.0.1:{self.server.server_port}"

    def reply(self, path: str) -> tuple[str, str]:
        if path.endswith(".css"):
            return "text/css", HOSTILE
        script = f'<script src="{self.bot}/widget.js" {self.attributes} defer></script>'
        head = f'<meta charset="utf-8"><link rel="stylesheet" href="/hostile.css">{script * 2}'  # twice, by mistake
        return "text/html", f"<!doctype html><html><head>{head}</head><body><h1>青禾家居</h1></body></html>"


@pytest.fixture(scope="module")
def site() -> Iterator[Site]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            kind, text = site.reply(self.path)
            self.send_response(200)
            self.send_header("Content-Type", kind)
            policy = f"default-src 'none'; style-src 'self'; script-src {site.bot}; connect-src {site.bot}"
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
def bot(shop_home: Path, site: Site) -> Iterator[Served]:
    """Run a bot that the site may use."""
    settings = {
        "FRONTDESK_SERVER__ALLOWED_ORIGINS": f'["{site.origin}"]',
        "FRONTDESK_VISITORS__IDENTITY_SECRET": "shared",
    }
    with served(shop_home, **settings) as server:
        yield server


@pytest.fixture
def context(browser: Browser, site: Site, bot: Served) -> Iterator[BrowserContext]:
    site.bot, site.attributes = bot.url, 'data-locale="zh"'
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
    expect(bubble).to_have_attribute("data-state", "done", timeout=60_000)
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
    expect(page.get_by_test_id("bubble-bot")).to_have_attribute("data-state", "done", timeout=30_000)
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
    expect(page.get_by_test_id("unread")).to_have_text("1", timeout=30_000)
    page.get_by_test_id("launcher").click()
    expect(page.get_by_test_id("unread")).to_be_hidden()


def test_a_person_can_be_called(page: Page) -> None:
    open_panel(page)
    ask(page, "怎么开发票")
    page.get_by_test_id("handoff").click()
    expect(page.get_by_test_id("handoff")).to_have_text("等待人工")


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
    expect(page.get_by_test_id("bubble-bot")).to_contain_text("发票", timeout=30_000)
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

"""The widget in a site's hands: its tag, its scripts, its styles, its direction, its size."""

from __future__ import annotations

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from tests.scenarios.conftest import Served
from tests.scenarios.widget.customer import (
    ask,
    open_panel,
)
from tests.scenarios.widget.site import ARABIC, Site

pytestmark = pytest.mark.xdist_group("shop")

SCRAMBLED = """() => {
  const { shadowRoot } = document.querySelector("frontdesk-widget");
  const walker = document.createTreeWalker(shadowRoot.querySelector(".panel"), NodeFilter.SHOW_TEXT);
  const scrambled = [];
  while (walker.nextNode()) {
    const { data, parentElement } = walker.currentNode;
    const isChinese = /[\u4e00-\u9fff]/.test(data);
    if (isChinese && getComputedStyle(parentElement).direction === "rtl") scrambled.push(data);
  }
  return scrambled;
}"""

KEYBOARD = """
const visible = Object.assign(new EventTarget(), { height: innerHeight, offsetTop: 0, scale: 1 });
Object.defineProperty(window, "visualViewport", { value: visible });
window.showKeyboard = (height, offsetTop) => {
  Object.assign(visible, { height, offsetTop });
  visible.dispatchEvent(new Event("resize"));
};
"""


def test_nothing_is_asked_of_the_server_before_the_visitor_wants_something(page: Page, site: Site) -> None:
    requests: list[str] = []
    page.on("request", lambda request: requests.append(request.url))
    page.reload()
    expect(page.get_by_test_id("launcher")).to_be_visible()
    assert [url for url in requests if "/api/" in url] == []
    assert page.get_by_test_id("launcher").count() == 1


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


def test_the_site_can_steer_it(page: Page) -> None:
    page.evaluate("FrontDesk.ask('怎么开发票')")
    expect(page.get_by_test_id("bubble-bot")).to_contain_text("发票")
    page.evaluate("FrontDesk.setLocale('en')")
    expect(page.get_by_test_id("handoff")).to_have_text("Talk to a person")
    page.evaluate("FrontDesk.close()")
    expect(page.get_by_test_id("panel")).to_be_hidden()
    page.evaluate("FrontDesk.open()")
    expect(page.get_by_test_id("panel")).to_be_visible()


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


@pytest.mark.parametrize(
    "navigate",
    [
        "document.documentElement.replaceChild(document.createElement('body'), document.body)",
        "document.body.replaceChildren(document.createElement('main'))",
        "document.querySelector('frontdesk-widget').remove()",
        "document.documentElement.replaceChildren(document.head, document.createElement('body'))",
    ],
    ids=["body replaced", "body emptied", "widget removed", "page emptied"],
)
def test_it_outlives_a_change_of_page_in_a_single_page_application(page: Page, navigate: str) -> None:
    open_panel(page)
    ask(page, "怎么开发票")
    page.evaluate(f"history.pushState({{}}, '', '/next'); {navigate}")
    expect(page.get_by_test_id("launcher")).to_have_count(1)
    expect(page.get_by_test_id("panel")).to_be_visible()
    expect(page.get_by_test_id("bubble-user")).to_have_text(["怎么开发票"])
    ask(page, "怎么退货")


def test_a_site_that_moves_its_body_does_not_move_it(page: Page, site: Site) -> None:
    page.goto(f"{site.origin}/calm")
    page.evaluate("document.body.style.cssText = 'transform: translateZ(0); height: 3000px'")
    box = page.get_by_test_id("launcher").bounding_box()
    assert box is not None
    assert box["y"] + box["height"] == 780


def test_the_keyboard_of_a_phone_does_not_hide_what_is_written(page: Page) -> None:
    page.add_init_script(KEYBOARD)
    page.set_viewport_size({"width": 390, "height": 844})
    page.reload()
    open_panel(page)
    page.evaluate("showKeyboard(500, 20)")
    expect(page.get_by_test_id("panel")).to_have_css("height", "500px")
    box = page.get_by_test_id("panel").bounding_box()
    assert box == {"x": 0, "y": 20, "width": 390, "height": 500}
    page.set_viewport_size({"width": 1280, "height": 800})
    page.evaluate("showKeyboard(500, 20)")
    expect(page.get_by_test_id("panel")).to_have_css("height", "660px")


def test_on_a_mirrored_page_every_text_is_read_in_its_own_direction(page: Page, site: Site) -> None:
    site.direction = "rtl"
    page.reload()
    open_panel(page)
    expect(page.get_by_test_id("starter").first.locator("span")).to_have_css("direction", "ltr")
    bubble = ask(page, "买一双筷子和一个碗 要付多少邮费啊")
    bubble.get_by_test_id("citation").first.click()
    page.get_by_test_id("thumb-down").click()
    ask(page, "那多久能退款？")
    expect(page.get_by_test_id("comment-input")).to_be_visible()
    assert page.evaluate(SCRAMBLED) == []

"""Whose a conversation is, as the widget sees to it."""

from __future__ import annotations

import time

import pytest
from itsdangerous import TimestampSigner
from playwright.sync_api import BrowserContext, Page, expect

from bot.visitors import Visitors
from tests.scenarios.conftest import Served
from tests.scenarios.people import Agent, conversation_of
from tests.scenarios.widget.conftest import SECRET
from tests.scenarios.widget.customer import (
    ask,
    call_somebody,
    open_panel,
    refuse,
    said_by_people,
    send,
    sign_in,
    sign_out,
)
from tests.scenarios.widget.site import Site

pytestmark = pytest.mark.xdist_group("shop")


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


def test_a_token_that_is_not_valid_any_more_is_renewed(page: Page) -> None:
    page.evaluate("localStorage['frontdesk.visitor'] = JSON.stringify({token: 'old'})")
    page.reload()
    open_panel(page)
    ask(page, "怎么开发票")


def test_what_an_agent_wrote_overnight_is_there_in_the_morning(
    page: Page, site: Site, bot: Served, anna: Agent, monkeypatch: pytest.MonkeyPatch
) -> None:
    conversation = call_somebody(page)
    token = aged(token_of(page), monkeypatch)
    page.goto(f"{site.origin}/hostile.css")  # away, to where no widget is
    page.evaluate("token => (localStorage['frontdesk.visitor'] = JSON.stringify({ token }))", token)
    anna.take(conversation)
    anna.reply(conversation, "早上好")
    page.goto(site.origin)
    expect(said_by_people(page)).to_have_text(["早上好"])
    expect(page.locator("#status-text")).to_have_text("Anna 正在为您服务")


def aged(token: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """Return the token as it would be if it had been given yesterday."""
    visitors = Visitors(SECRET)
    visitor, yesterday = visitors.read(token), int(time.time()) - 86_400
    with monkeypatch.context() as patched:
        patched.setattr(TimestampSigner, "get_timestamp", lambda _self: yesterday)
        return visitors.issue(visitor)[1]


def token_of(page: Page) -> str:
    return str(page.evaluate("JSON.parse(localStorage['frontdesk.visitor']).token"))


def test_a_conversation_that_is_lost_is_told_and_not_waited_for(
    page: Page, context: BrowserContext, site: Site
) -> None:
    call_somebody(page)
    page.evaluate("localStorage['frontdesk.visitor'] = JSON.stringify({ token: 'of another secret' })")
    page.reload()
    other = context.new_page()
    other.goto(site.origin)
    open_panel(other)
    for tab in (page, other):
        expect(tab.get_by_test_id("notice")).to_have_text("这段对话已经打不开了，请重新提问")
        expect(tab.locator("#status-text")).to_have_text("在线")
    expect(ask(page, "怎么开发票")).to_contain_text("发票")


def test_who_signs_in_stays_with_the_agent(page: Page, site: Site, anna: Agent) -> None:
    conversation = call_somebody(page)
    anna.take(conversation)
    anna.reply(conversation, "请先登录")
    expect(said_by_people(page)).to_have_count(1)
    sign_in(page, "77")
    page.goto(site.origin)
    sign_in(page, "77")
    anna.reply(conversation, "登录好了吗")
    expect(said_by_people(page)).to_have_text(["请先登录", "登录好了吗"])
    with page.expect_response("**/api/chat/stream") as response:
        send(page, "登录好了")
    assert response.value.status == 200
    expect(page.get_by_test_id("stop")).to_be_hidden()
    assert conversation_of(page) == conversation


def test_who_signs_out_is_a_new_visitor_with_a_fresh_conversation(page: Page, bot: Served) -> None:
    open_panel(page)
    sign_in(page, "42")
    ask(page, "怎么开发票")
    token, conversation = token_of(page), conversation_of(page)
    sign_out(page)
    expect(page.get_by_test_id("bubble-user")).to_have_count(0)
    ask(page, "怎么退货")
    assert conversation_of(page) != conversation
    assert Visitors(SECRET).read(token_of(page)) != Visitors(SECRET).read(token)
    sign_out(page)  # again, as a site does on every page
    expect(page.get_by_test_id("bubble-user")).to_have_count(1)


@pytest.mark.parametrize(
    ("status", "sentence"), [(429, "现在咨询的人较多，请稍后再试。"), (500, "抱歉，系统出了点问题")]
)
def test_without_a_visitor_no_conversation_begins(page: Page, status: int, sentence: str) -> None:
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url) if "/api/chat" in request.url else None)
    refuse(page, "**/api/visitor", status, "no_token")
    open_panel(page)
    with page.expect_console_message(lambda message: f"refuses this visitor ({status})" in message.text):
        send(page, "怎么开发票")
    expect(page.get_by_test_id("bubble-bot")).to_contain_text(sentence)
    assert asked == []
    page.unroute("**/api/visitor")
    page.get_by_test_id("retry").click()
    expect(page.get_by_test_id("bubble-bot")).to_contain_text("发票")


def test_a_user_with_a_wrong_signature_cannot_chat_and_the_site_is_told(page: Page) -> None:
    page.evaluate("FrontDesk.setUser({ id: '9', signature: 'bad' })")
    open_panel(page)
    with page.expect_console_message(lambda message: "the signature does not belong to this user" in message.text):
        send(page, "怎么开发票")
    bubble = page.get_by_test_id("bubble-bot")
    expect(bubble).to_contain_text("抱歉，系统出了点问题")
    assert "signature" not in bubble.inner_text()
    sign_in(page, "9")
    page.get_by_test_id("retry").click()
    expect(bubble).to_contain_text("发票")

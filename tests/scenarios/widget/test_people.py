"""A person of the company takes over."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.scenarios.conftest import Served
from tests.scenarios.people import HOSTILE as HOSTILE_WORDS
from tests.scenarios.people import Agent, agent, conversation_of
from tests.scenarios.widget.customer import (
    ask,
    call_somebody,
    open_panel,
    said_by_people,
)
from tests.scenarios.widget.site import Site

pytestmark = pytest.mark.xdist_group("shop")


def test_a_person_can_be_called(page: Page) -> None:
    open_panel(page)
    ask(page, "怎么开发票")
    page.get_by_test_id("handoff").click()
    expect(page.get_by_test_id("handoff")).to_have_text("等待人工")


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

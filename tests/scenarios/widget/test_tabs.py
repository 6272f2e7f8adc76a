"""Several tabs of one browser."""

from __future__ import annotations

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from tests.scenarios.people import Agent
from tests.scenarios.widget.customer import (
    ask,
    call_somebody,
    hold,
    open_panel,
    said_by_people,
)
from tests.scenarios.widget.site import Site

pytestmark = pytest.mark.xdist_group("shop")


def test_another_tab_shows_the_same_conversation(page: Page, context: BrowserContext, site: Site) -> None:
    other = context.new_page()
    other.goto(site.origin)
    open_panel(other)
    open_panel(page)
    ask(page, "怎么开发票")
    expect(other.get_by_test_id("bubble-bot")).to_contain_text("发票")


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


@pytest.mark.parametrize("begun", [True, False], ids=["in a conversation", "in none yet"])
def test_two_tabs_that_ask_at_once_keep_both_questions(
    page: Page, context: BrowserContext, site: Site, *, begun: bool
) -> None:
    other = context.new_page()
    other.goto(site.origin)
    open_panel(other)
    open_panel(page)
    if begun:
        ask(page, "怎么退货")
    questions = [*(["怎么退货"] if begun else []), "怎么开发票", "官网能用银联卡吗"]
    held = hold(page, "怎么开发票")
    expect(other.get_by_test_id("bubble-user")).to_have_text(questions[:-1])
    ask(other, "官网能用银联卡吗")
    held[0].continue_()
    for tab in (page, other):
        expect(tab.get_by_test_id("bubble-user")).to_have_text(questions)
        expect(tab.locator("[data-testid=bubble-bot][data-state=done]")).to_have_count(len(questions))
    page.reload()
    expect(page.get_by_test_id("bubble-user")).to_have_text(questions)
    ask(page, "怎么退货")


def test_a_new_chat_in_one_tab_begins_one_in_the_other(page: Page, context: BrowserContext, site: Site) -> None:
    open_panel(page)
    ask(page, "怎么开发票")
    other = context.new_page()
    other.goto(site.origin)
    open_panel(other)
    held = hold(page, "怎么退货")
    other.get_by_test_id("new-chat").click()
    expect(page.get_by_test_id("bubble-user")).to_have_count(0)
    held[0].abort()
    ask(page, "官网能用银联卡吗")
    for tab in (page, other):
        expect(tab.get_by_test_id("bubble-user")).to_have_text(["官网能用银联卡吗"])

"""A customer asks: answers, sources, thumbs, closing and opening, the network."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.scenarios.conftest import Served
from tests.scenarios.widget.cable import Cable
from tests.scenarios.widget.customer import (
    ask,
    hold,
    open_panel,
    refuse,
    send,
)
from tests.scenarios.widget.site import Site

pytestmark = pytest.mark.xdist_group("shop")


def test_a_visitor_asks_reads_the_source_and_says_thanks(page: Page) -> None:
    open_panel(page)
    expect(page.get_by_test_id("starter").first).to_be_visible()
    bubble = ask(page, "买一双筷子和一个碗 要付多少邮费啊")
    expect(bubble).to_have_css("font-size", "15px")
    bubble.get_by_test_id("citation").first.click()
    with page.expect_response("**/api/feedback") as response:
        page.get_by_test_id("thumb-up").last.click()
    assert response.value.status == 204


def test_the_conversation_outlives_a_change_of_page(page: Page, site: Site) -> None:
    open_panel(page)
    ask(page, "怎么开发票")
    page.goto(f"{site.origin}/another")
    expect(page.get_by_test_id("bubble-user")).to_have_text("怎么开发票")
    expect(ask(page, "那多久能收到？").locator(".understood")).to_contain_text("发票")


def test_a_question_asked_without_a_network_is_answered_once_when_it_is_back(page: Page, bot: Served) -> None:
    open_panel(page)
    expect(page.get_by_test_id("starter").first).to_be_visible()
    page.context.set_offline(True)
    send(page, "怎么开发票")
    expect(page.locator(".reconnecting")).to_be_visible()
    page.context.set_offline(False)
    expect(page.get_by_test_id("bubble-bot")).to_have_attribute("data-state", "done")
    assert page.get_by_test_id("bubble-bot").count() == 1


def test_an_answer_that_comes_while_the_panel_is_closed_is_counted(page: Page) -> None:
    open_panel(page)
    held = hold(page, "怎么开发票")
    page.keyboard.press("Escape")
    expect(page.get_by_test_id("panel")).to_be_hidden()
    expect(page.get_by_test_id("launcher")).to_be_focused()
    held[0].continue_()
    expect(page.get_by_test_id("unread")).to_have_text("1")
    page.get_by_test_id("launcher").click()
    expect(page.get_by_test_id("unread")).to_be_hidden()


def test_the_conversation_can_be_downloaded(page: Page) -> None:
    open_panel(page)
    ask(page, "怎么开发票")
    with page.expect_download() as download:
        page.get_by_test_id("download").click()
    text = Path(download.value.path()).read_text(encoding="utf-8")
    assert text.startswith("您: 怎么开发票\n智能助手: ")
    assert "发票" in text.splitlines()[1]


def test_a_customer_is_spared_how_the_answer_came_about(page: Page) -> None:
    open_panel(page)
    ask(page, "买一双筷子和一个碗 要付多少邮费啊").get_by_test_id("citation").first.click()
    bubble = ask(page, "怎么开发票")
    expect(bubble.get_by_test_id("citation")).to_have_count(0)  # the answer is the source, word for word
    expect(page.locator(".badge, .confidence, .model")).to_have_count(0)
    shown = page.get_by_test_id("panel").inner_text()
    assert not re.search(r"shop · |SHOP-\d|\d 秒|原文回答|未用模型", shown)


def test_what_was_wrong_with_an_answer_can_be_said(page: Page) -> None:
    open_panel(page)
    ask(page, "怎么开发票")
    page.get_by_test_id("thumb-down").click()
    page.get_by_test_id("comment-input").fill("已经过时了")
    with page.expect_request("**/api/feedback") as request:
        page.get_by_test_id("comment-send").click()
    sent = request.value.post_data_json or {}
    assert (sent.get("rating"), sent.get("comment")) == ("down", "已经过时了")
    response = request.value.response()
    assert response is not None
    assert response.status == 204
    expect(page.locator(".said")).to_have_text("已收到，感谢您的意见")
    expect(page.get_by_test_id("comment-input")).to_be_hidden()


def test_an_answer_that_is_cut_off_in_the_middle_is_taken_up_again(page: Page, site: Site, bot: Served) -> None:
    with Cable(bot.url).plugged_in() as cable:
        site.bot = cable.url
        page.goto(site.origin)
        open_panel(page)
        asked: list[str] = []
        page.on("request", lambda request: asked.append(request.method) if "/api/chat/stream" in request.url else None)
        cable.stall_after_words()
        send(page, "支持哪些付款方式")
        bubble = page.get_by_test_id("bubble-bot")
        expect(bubble.locator(".body")).not_to_be_empty()
        cable.cut()
        expect(page.locator(".reconnecting")).to_be_visible()
        cable.mend()
        expect(bubble).to_have_attribute("data-state", "done")
        assert bubble.count() == 1
        assert bubble.inner_text().count("银联卡") == 1
        assert asked.count("POST") == 1
        assert "GET" in asked


def test_who_asks_too_often_is_told_so_kindly(page: Page) -> None:
    open_panel(page)
    refuse(page, "**/api/chat/stream", 429, "rate_limited")
    send(page, "怎么开发票")
    expect(page.get_by_test_id("bubble-bot")).to_contain_text("现在咨询的人较多，请稍后再试。")
    page.unroute("**/api/chat/stream")
    page.get_by_test_id("retry").click()  # as soon as the server's time has passed
    expect(page.get_by_test_id("bubble-bot")).to_contain_text("发票")


def test_what_the_site_asks_during_an_answer_waits_for_its_end(page: Page) -> None:
    open_panel(page)
    held = hold(page, "怎么开发票")
    page.evaluate("FrontDesk.ask('官网能用银联卡吗')")
    held[0].continue_()
    expect(page.get_by_test_id("bubble-user")).to_have_text(["怎么开发票", "官网能用银联卡吗"])
    expect(page.get_by_test_id("bubble-bot").last).to_contain_text("银联")

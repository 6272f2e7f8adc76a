"""The open widget as axe sees it, and as people see it: the screenshots are kept in test-results/screenshots."""

from __future__ import annotations

from typing import Literal

import pytest
from playwright.sync_api import Browser, ViewportSize, expect

from tests.scenarios.accessibility import serious, take_screenshot
from tests.scenarios.conftest import Served
from tests.scenarios.console import DESKTOP, PHONE
from tests.scenarios.widget.customer import ask, open_panel
from tests.scenarios.widget.site import Site

pytestmark = pytest.mark.xdist_group("shop")


@pytest.mark.parametrize(("scheme", "direction"), [("light", "ltr"), ("dark", "ltr"), ("light", "rtl")])
@pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["1440", "390"])
def test_the_open_widget_keeps_nobody_out(
    browser: Browser, site: Site, bot: Served, size: ViewportSize, scheme: Literal["light", "dark"], direction: str
) -> None:
    language = "zh" if scheme == "light" else "en"
    site.bot, site.attributes, site.direction = bot.url, f'data-locale="{language}"', direction
    context = browser.new_context(viewport=size, color_scheme=scheme, reduced_motion="reduce")
    page = context.new_page()
    page.goto(f"{site.origin}/calm")
    name = f"widget-{{}}-{size['width']}-{scheme}-{direction}"
    take_screenshot(page, name.format("closed"))
    open_panel(page)
    expect(page.get_by_test_id("starter").first).to_be_visible()
    take_screenshot(page, name.format("open"))
    complaints = serious(page, "frontdesk-widget")
    ask(page, "买一双筷子和一个碗 要付多少邮费啊").get_by_test_id("citation").first.click()
    page.get_by_test_id("thumb-down").click()
    expect(page.get_by_test_id("comment-input")).to_be_visible()
    take_screenshot(page, name.format("answer"))
    complaints += serious(page, "frontdesk-widget")
    ask(page, "东西收到了 怎么开票啊 单位要报账")
    ask(page, "转人工")
    take_screenshot(page, name.format("clarify"))
    assert complaints + serious(page, "frontdesk-widget") == []
    context.close()

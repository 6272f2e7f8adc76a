"""Every page as axe sees it, and as people see it: the screenshots are kept in test-results/screenshots."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.scenarios.accessibility import serious, take_screenshot
from tests.scenarios.conftest import served
from tests.scenarios.console import DESKTOP, PHONE, Console

pytestmark = pytest.mark.xdist_group("handoff")

PAGES = [
    "/",
    "/admin#/login",
    "/admin#/faq/shop",
    "/admin#/faq/shop?view=duplicates",
    "/admin#/faq/shop?search=none",
    "/admin#/entry/shop",
    "/admin#/entry/shop/SHOP-001",
    "/admin#/upload/shop",
    "/admin#/releases/shop",
    "/admin#/testset/shop",
    "/admin#/tryit",
    "/admin#/review",
    "/admin#/inbox",
    "/admin#/inbox/CONVERSATION",
    "/admin#/dashboard",
    *(f"/admin#/settings/{name}" for name in ("bot", "widget", "thresholds", "people", "model", "sites", "channels")),
    *(f"/admin#/settings/{name}" for name in ("users", "keys", "audit")),
    "/admin#/password",
]


@pytest.fixture(scope="module")
def console(shop_home: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Console]:
    """Run a server in which something has happened."""
    home = Path(shutil.copytree(shop_home, tmp_path_factory.mktemp("accessibility") / "shop"))
    with served(home) as server:
        console = Console.begin(server)
        with server.client as client, console.api as api:
            for question in ("退货运费谁出", "卖飞机吗", "量子力学", "怎么开发票"):
                turn = client.post("/api/chat", json={"question": question}).json()["turn_id"]
                client.post("/api/feedback", json={"turn_id": turn, "rating": "up"})
            console.conversation = client.post("/api/chat", json={"question": "转人工"}).json()["conversation_id"]
            api.post(f"/inbox/{console.conversation}/take", json={})
            api.post(f"/inbox/{console.conversation}/reply", json={"text": "您好，请问有什么可以帮您？"})
            api.post(f"/inbox/{console.conversation}/note", json={"text": "老客户"})
            duplicate = {"question": "无理由退货的运费谁出", "answer": "我们出。"}
            api.post("/knowledge-bases/shop/entries", json=duplicate)
            api.post("/knowledge-bases/shop/tests", json={"cases": [{"question": "邮费谁付", "key": "SHOP-059"}]})
            api.post("/keys", json={"name": "ERP", "scopes": ["knowledge:read"]})
        yield console


def show(page: Page, console: Console, address: str) -> None:
    page.goto("about:blank")
    page.goto(console.server.url + address.replace("CONVERSATION", console.conversation))
    expect(page.get_by_role("heading", level=1).or_(page.locator("#bot-name"))).to_be_visible()
    expect(page.locator("[aria-busy=true]")).to_have_count(0)
    page.evaluate("document.fonts.ready")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["1440", "390"])
def test_no_page_keeps_anybody_out(
    open_page: Callable[..., Page], console: Console, size: dict[str, int], scheme: str
) -> None:
    complaints: dict[str, list[str]] = {}
    locale = "zh-CN" if scheme == "light" else "en-US"
    options = {"viewport": size, "color_scheme": scheme, "locale": locale, "reduced_motion": "reduce"}
    page = open_page(console.url, session=console.session, **options)
    for address in PAGES:
        show(page, console, address)
        name = re.sub(r"\W+", "-", address).strip("-") or "chat"
        take_screenshot(page, f"{name}-{size['width']}-{scheme}")
        if found := serious(page):
            complaints[address] = found
        assert page.evaluate("document.documentElement.scrollWidth") <= size["width"], address
    assert complaints == {}

"""A site, the bot that its widget comes from, an agent, and a browser."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page

from tests.scenarios.conftest import Served, served
from tests.scenarios.people import HOSTILE as HOSTILE_WORDS
from tests.scenarios.people import Agent, add_agents, agent
from tests.scenarios.widget.site import Site

SECRET = "signs the tokens of visitors"


@pytest.fixture(scope="package")
def site() -> Iterator[Site]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            kind, text = shop.reply(self.path)
            self.send_response(200)
            self.send_header("Content-Type", kind)
            policy = f"default-src 'none'; style-src 'self'; script-src {shop.bot}; connect-src 'self' {shop.bot}"
            self.send_header("Content-Security-Policy", policy)
            self.end_headers()
            self.wfile.write(text.encode())

        def log_message(self, *_arguments: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        shop = Site(server)
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield shop
        server.shutdown()
        thread.join()


@pytest.fixture(scope="package")
def bot(shop_home: Path, site: Site, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """Run a bot that the site may use, with agents."""
    home = tmp_path_factory.mktemp("widget") / "shop"
    shutil.copytree(shop_home, home, ignore=shutil.ignore_patterns("serve.log"))
    settings = {
        "FRONTDESK_SERVER__ALLOWED_ORIGINS": f'["{site.origin}"]',
        "FRONTDESK_VISITORS__IDENTITY_SECRET": "shared",
        "FRONTDESK_VISITORS__SECRET": SECRET,
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

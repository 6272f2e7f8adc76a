"""Whole programs: `frontdesk serve` with the example FAQ and the real models, and a browser in front of it."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from knowledge.weights.catalogue import SMALL_EMBEDDING
from tests.conftest import MODELS
from tests.leaks import LEAKS
from tests.postgres import PostgresServer

ROOT = Path(__file__).parent.parent.parent
SHOP = ROOT / "examples" / "shop-zh" / "faq.csv"
COMMAND = [sys.executable, "-m", "bot.cli.main"]
CHROMIUM_FLAGS = ["--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"]

expect.set_options(timeout=60_000)  # how slow the machine is, is nothing that these tests are about


PATIENT = {
    "FRONTDESK_MODELS__EMBEDDING": SMALL_EMBEDDING,
    "FRONTDESK_MODELS__PREFIX_CACHE_MB": "8",
    "FRONTDESK_MODELS__PREFIX_DISK_MB": "0",
    "FRONTDESK_MODELS__PATIENCE_SECONDS": "600",
    "FRONTDESK_MODELS__ANSWER_SECONDS": "600",
}
"""Few prompts' beginnings are prepared, and no answer is given up on a machine that tests keep busy."""


class Databases:
    """With `--postgres`, a database there for every home; a home that was copied gets a copy of its database."""

    server: PostgresServer | None = None

    def variables(self, home: Path) -> dict[str, str]:
        """Return what names the database of a home; nothing for a file of SQLite's."""
        if self.server is None:
            return {}
        note = home / "database.json"
        known = json.loads(note.read_text()) if note.exists() else {"home": "", "name": self.server.template}
        if known["home"] != str(home):
            known = {"home": str(home), "name": self.server.create(known["name"])}
            note.write_text(json.dumps(known))
        return {"FRONTDESK_DATABASE_URL": self.server.url(known["name"])}


databases = Databases()


@pytest.fixture(scope="session", autouse=True)
def chosen_databases(request: pytest.FixtureRequest) -> None:
    """Use PostgreSQL if that is wanted."""
    if request.config.getoption("--postgres"):
        databases.server = request.getfixturevalue("postgres_server")


def environment(home: Path, **settings: str) -> dict[str, str]:
    """Return a newcomer's environment: an empty home, no settings but those given, the shared model files."""
    LEAKS.note_named(settings)
    kept = {name: os.environ[name] for name in ("PATH", "LANG", "SSL_CERT_FILE") if name in os.environ}
    unlimited = {f"FRONTDESK_VISITORS__PER_{whom}_PER_MINUTE": "0" for whom in ("VISITOR", "ADDRESS")}
    fixed = {"HOME": str(home), "FRONTDESK_MODELS_DIR": str(MODELS), "PYTHONUTF8": "1", "PYTHONPATH": str(ROOT)}
    return {**kept, **unlimited, **PATIENT, **fixed, **databases.variables(home), **settings}


def run(home: Path, *arguments: str, given: str = "", **settings: str) -> subprocess.CompletedProcess[str]:
    """Run a frontdesk command to its end, in the folder `home`, with something given on its standard input."""
    return subprocess.run(  # noqa: PLW1510 - the tests look at its status
        [*COMMAND, *arguments],
        cwd=home,
        env=environment(home, **settings),
        text=True,
        input=given,
        capture_output=True,
        timeout=300,
    )


@dataclass
class Served:
    """A running server."""

    process: subprocess.Popen[str]
    url: str
    home: Path

    @property
    def client(self) -> httpx.Client:
        return httpx.Client(base_url=self.url, timeout=120)

    def stop(self, how: signal.Signals = signal.SIGTERM) -> int:
        self.process.send_signal(how)
        return self.process.wait(timeout=60)


@contextmanager
def served(home: Path, *command: str, **settings: str) -> Iterator[Served]:
    """Run `frontdesk serve`, or another command, on a free port; its log goes to serve.log in `home`."""
    with (home / "serve.log").open("a") as log:
        start = log.tell()
        process = subprocess.Popen(
            [*COMMAND, *(command or ("serve",)), "--port", "0"],
            cwd=home,
            env=environment(home, **settings),
            stderr=log,
            text=True,
        )
    try:
        while process.poll() is None:
            written = (home / "serve.log").read_text()[start:]
            if found := re.search(r"answers (?:at|Rasa at) (http://[^\s/]+)", written):
                server = Served(process, found[1], home)
                break
            try:
                process.wait(0.1)
            except subprocess.TimeoutExpired:
                continue
        else:
            raise AssertionError((home / "serve.log").read_text())
        with server.client as client:
            while True:
                try:
                    client.get("/health")
                    break
                except httpx.TransportError:
                    continue
        yield server
    finally:
        if process.poll() is None:
            process.kill()
        process.wait()


@pytest.fixture(scope="session")
def shop_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make a folder in which the example FAQ is imported and indexed, to be copied."""
    home = tmp_path_factory.mktemp("shop")
    result = run(home, "models", "pull")
    assert result.returncode == 0, result.stderr
    result = run(home, "faq", "import", str(SHOP), "--kb", "shop")
    assert result.returncode == 0, result.stderr
    return home


@pytest.fixture
def home(shop_home: Path, tmp_path: Path) -> Path:
    """Give a copy of that folder."""
    return Path(shutil.copytree(shop_home, tmp_path / "shop"))


@pytest.fixture(scope="session")
def shop(shop_home: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """Run one server for all tests that only ask, in a copy too: the folder that is copied stays as it is."""
    home = Path(shutil.copytree(shop_home, tmp_path_factory.mktemp("asked") / "shop"))
    with served(home) as server:
        yield server


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Run Debian's Chromium; .ci/run installs it. Closed with its module: its event loop would disturb async tests."""
    executable = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if executable is None:
        pytest.fail("no Chromium is installed; run: apt-get install chromium")
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=executable, args=CHROMIUM_FLAGS, chromium_sandbox=False)
        yield chromium
        chromium.close()


@pytest.fixture
def open_page(browser: Browser) -> Iterator[Callable[..., Page]]:
    """Give a way to open a page; outside hosts, errors and breaches of the policy fail the test."""
    from tests.scenarios.console import DESKTOP, complains  # noqa: PLC0415 - it needs this module

    problems: list[str] = []

    def open_(url: str, *, session: str | None = None, **options: Any) -> Page:
        context = browser.new_context(**{"viewport": DESKTOP, "locale": "zh-CN", **options})
        origin = url.partition("/admin")[0]
        if session:
            context.add_cookies([{"name": "frontdesk_session", "value": session, "url": f"{origin}/api/admin/"}])
        page = context.new_page()
        page.on("pageerror", lambda error: problems.append(str(error)))
        page.on("dialog", lambda dialog: problems.append(f"dialog: {dialog.message}"))
        page.on("console", lambda message: problems.append(message.text) if complains(message) else None)
        page.on("request", lambda request: None if request.url.startswith(origin) else problems.append(request.url))
        page.goto(url)
        return page

    contexts_before = len(browser.contexts)
    yield open_
    for context in browser.contexts[contexts_before:]:
        context.close()
    assert not problems

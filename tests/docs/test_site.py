"""The documentation as a site: built strictly, asking no other host for anything, searched in both languages."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import unquote

import pytest
from playwright.sync_api import Browser, Page, Route, expect
from starlette.staticfiles import StaticFiles

from tests.bot.servers import serving
from tests.docs.pages import ROOT
from tests.scenarios.conftest import browser
from tests.scenarios.console import DESKTOP, PHONE

__all__ = ["browser"]

pytestmark = pytest.mark.xdist_group("docs-site")

LINKS = re.compile(r'(?:href|src)="([^"]*)"')
READY = re.compile("Type to start searching|键入以开始搜索")
IDS = re.compile(r'\bid="([^"]+)"')


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build the site; a warning of mkdocs is an error."""
    folder = tmp_path_factory.mktemp("docs") / "site"
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet", "--site-dir", str(folder)]
    environment = {**os.environ, "NO_MKDOCS_2_WARNING": "1"}
    built = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert (built.returncode, built.stdout + built.stderr) == (0, "")
    return folder


@pytest.fixture(scope="module")
def address(site: Path) -> Iterator[str]:
    """Serve it below a path, as GitHub Pages and many a company's server do."""
    from starlette.applications import Starlette  # noqa: PLC0415 - beside what it mounts
    from starlette.routing import Mount  # noqa: PLC0415

    with serving(Starlette(routes=[Mount("/docs", StaticFiles(directory=site, html=True))])) as address:
        yield f"{address}/docs"


@pytest.fixture
def page(browser: Browser, address: str) -> Iterator[Page]:
    """Give a page that reaches no other host; what goes wrong on it fails the test."""
    problems: list[str] = []

    def refuse_others(route: Route) -> None:
        if route.request.url.startswith(f"{address}/"):
            route.continue_()
        else:
            problems.append(f"asked for {route.request.url}")
            route.abort()

    context = browser.new_context(viewport=DESKTOP, base_url=f"{address}/")
    context.route("**/*", refuse_others)
    page = context.new_page()
    page.on("pageerror", lambda error: problems.append(str(error)))
    page.on("console", lambda message: problems.append(message.text) if message.type in ("error", "warning") else None)
    page.on("response", lambda response: problems.append(response.url) if response.status >= 400 else None)
    yield page
    context.close()
    assert problems == []


def test_every_link_leads_to_a_page_and_a_place_of_the_site(site: Path) -> None:
    pages = {path: path.read_text(encoding="utf-8") for path in site.rglob("*.html") if path.name != "404.html"}
    places = {path: set(IDS.findall(text)) for path, text in pages.items()}
    broken = []
    for path, text in pages.items():
        for link in LINKS.findall(text):
            place, _, anchor = unquote(link).partition("#")
            if re.match(r"\w+:|//", link):
                assert "localhost" in link or link.startswith(("https://", "data:")), link
                continue
            target = (path.parent / place).resolve() if place else path
            target = target / "index.html" if target.is_dir() else target
            if not target.is_file() or (anchor and anchor not in places.get(target, ())):
                broken.append((str(path.relative_to(site)), link))
    assert broken == []


def test_every_page_is_there_in_chinese_too(site: Path) -> None:
    english = {path.relative_to(site) for path in site.rglob("index.html") if "zh-CN" not in path.parts}
    chinese = {path.relative_to(site / "zh-CN") for path in (site / "zh-CN").rglob("index.html")}
    assert english == chinese
    assert len(english) > 20


def search(page: Page, words: str) -> list[str]:
    """Return where the results of a search lead."""
    page.locator(".md-search__input").click()
    expect(page.locator(".md-search-result__meta")).to_have_text(READY)  # what is typed before is not heard
    page.locator(".md-search__input").fill(words)
    page.locator(".md-search__input").press("End")  # the page listens to keys, of which filling in has none
    results = page.locator(".md-search-result__link")
    expect(results.first).to_be_visible()
    return [str(link.get_attribute("href")) for link in results.all()]


@pytest.mark.parametrize(
    ("path", "words", "found"),
    [
        ("start/", "people wecom", "/docs/channels/wecom"),
        ("", "threshold border", "/docs/thresholds/"),
        ("zh-CN/", "分界线", "/docs/zh-CN/thresholds/"),
        ("zh-CN/channels/wecom/", "相似问", "/docs/zh-CN/writing/"),
    ],
)
def test_a_search_finds_pages_in_the_readers_language(page: Page, path: str, words: str, found: str) -> None:
    page.goto(path)
    leads = search(page, words)
    assert any(found in link for link in leads)
    assert all(("/zh-CN/" in link) == path.startswith("zh-CN/") for link in leads)
    page.locator(".md-search-result__link").first.click()
    expect(page.locator("h1")).to_be_visible()


@pytest.mark.parametrize(("path", "translated"), [("", "zh-CN/"), ("thresholds/", "zh-CN/thresholds/")])
def test_the_language_is_switched_on_the_same_page(page: Page, address: str, path: str, translated: str) -> None:
    page.goto(path)
    for language, leads_to in (("中文", translated), ("English", path)):
        page.locator(".md-select button").hover()
        page.get_by_role("link", name=language, exact=True).click()
        expect(page).to_have_url(f"{address}/{leads_to}")


@pytest.mark.parametrize("language", ["", "zh-CN/"])
def test_pictures_are_shown(page: Page, language: str) -> None:
    for name in ("", "thresholds/"):
        page.goto(f"{language}{name}")
        for picture in page.locator("article img").all():
            assert picture.evaluate("image => image.decode().then(() => image.naturalWidth)") > 0


def test_a_phone_never_scrolls_sideways(page: Page) -> None:
    page.set_viewport_size(PHONE)
    for name in ("", "writing/", "thresholds/", "channels/wecom/", "channels/slack/", "api/", "settings/"):
        page.goto(f"zh-CN/{name}")
        assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"], name

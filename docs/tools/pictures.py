"""Takes the pictures of the README: a real server with the example FAQ, and a real browser in front of it.

python -m docs.tools.pictures
"""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

from playwright.sync_api import Browser, Page, expect, sync_playwright

from tests.scenarios.conftest import CHROMIUM_FLAGS, Served, run, served
from tests.scenarios.console import PASSWORD, setup_link

ROOT = Path(__file__).parent.parent.parent
IMAGES = ROOT / "docs" / "images"
FAQ = {"zh-CN": "shop-zh", "en": "bank-en"}
ASKED = {
    "zh-CN": ("质量问题退货，运费谁承担？", "想退掉，要怎么弄"),
    "en": ("What should I do if my card is stolen?", "how long will I have to wait for it"),
}
FOR_A_PERSON = {"zh-CN": "转人工", "en": "Talk to a person"}
AGENT = {"zh-CN": "王主管", "en": "Anna"}
TAKE = {"zh-CN": "接管", "en": "Take over"}
GIVE_BACK = {"zh-CN": "交还机器人", "en": "Back to the bot"}
SEND = {"zh-CN": "发送", "en": "Send"}
REPLY = {"zh-CN": "您好，我是客服小王，这就帮您看一下。", "en": "Hello, this is Anna. Let me look at that for you."}
MAX_BYTES = 150_000


def main() -> None:
    """Take all pictures, in both languages."""
    with sync_playwright() as playwright:
        chromium = shutil.which("chromium") or shutil.which("google-chrome")
        browser = playwright.chromium.launch(executable_path=chromium, args=CHROMIUM_FLAGS, chromium_sandbox=False)
        for language, name in FAQ.items():
            with tempfile.TemporaryDirectory() as folder:
                home = Path(folder)
                faq = ROOT / "examples" / name / "faq.csv"
                imported = run(home, "faq", "import", str(faq), "--kb", "faq", PYTHONPATH=str(ROOT))
                assert imported.returncode == 0, imported.stderr
                with served(home, FRONTDESK_BOT__LANGUAGE=language[:2], PYTHONPATH=str(ROOT)) as server:
                    _take(browser, server, language)
        browser.close()


def _take(browser: Browser, server: Served, language: str) -> None:
    chat = _open(browser, server.url, language, 760, 940)
    for question in ASKED[language]:
        _ask(chat, question)
    chat.locator("details summary").first.click()
    _save(chat, "chat", language)
    _ask(chat, FOR_A_PERSON[language])
    inbox = _open(browser, "", language, 1200, 700)
    with server.client as client:
        body = {"token": setup_link(server.home).rpartition("/")[2], "name": AGENT[language], "password": PASSWORD}
        client.post("/api/admin/setup", json=body).raise_for_status()
        cookie = {"name": "frontdesk_session", "value": client.cookies["frontdesk_session"]}
    inbox.context.add_cookies([{**cookie, "url": f"{server.url}/api/admin/"}])
    inbox.goto(f"{server.url}/admin#/inbox")
    inbox.locator(".inbox-list").get_by_role("link").first.click()
    inbox.get_by_role("button", name=TAKE[language]).click()
    expect(inbox.get_by_role("button", name=GIVE_BACK[language])).to_be_visible()
    inbox.get_by_role("textbox").fill(REPLY[language])
    inbox.get_by_role("button", name=SEND[language], exact=True).click()
    expect(inbox.get_by_role("textbox")).to_have_value("")
    _save(inbox, "inbox", language)


def _open(browser: Browser, url: str, language: str, width: int, height: int) -> Page:
    page = browser.new_context(viewport={"width": width, "height": height}, locale=language).new_page()
    if url:
        page.goto(url)
    return page


def _ask(page: Page, question: str) -> None:
    page.get_by_test_id("question-input").fill(question)
    page.get_by_test_id("send").click()
    expect(page.get_by_test_id("send")).to_be_visible()
    page.wait_for_timeout(2_000)  # until everything has come to rest


def _save(page: Page, name: str, language: str) -> None:
    page.wait_for_timeout(1_000)
    ending = "png" if language == "en" else f"{language}.png"
    path = IMAGES / f"{name}.{ending}"
    page.screenshot(path=path)
    assert path.stat().st_size < MAX_BYTES, f"{path.name} has {path.stat().st_size} bytes"


if __name__ == "__main__":
    main()

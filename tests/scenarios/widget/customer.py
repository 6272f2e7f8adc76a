"""What a customer does at the widget."""

from __future__ import annotations

import hashlib
import hmac

from playwright.sync_api import Locator, Page, Route, expect

from tests.scenarios.people import conversation_of


def ask(page: Page, question: str) -> Locator:
    before = page.get_by_test_id("bubble-bot").count()
    send(page, question)
    bubble = page.get_by_test_id("bubble-bot").nth(before)
    expect(bubble).to_have_attribute("data-state", "done")
    return bubble


def send(page: Page, question: str) -> None:
    """Send a question, and wait for nothing."""
    page.get_by_test_id("question-input").fill(question)
    page.get_by_test_id("question-input").press("Enter")


def open_panel(page: Page) -> None:
    page.get_by_test_id("launcher").click()
    expect(page.get_by_test_id("question-input")).to_be_focused()


def call_somebody(page: Page) -> str:
    """Open the panel and ask for a person; return the conversation."""
    open_panel(page)
    ask(page, "转人工")
    expect(page.locator("#status-text")).to_have_text("正在等待人工客服")
    return conversation_of(page)


def said_by_people(page: Page) -> Locator:
    return page.get_by_test_id("bubble-person")


def sign_in(page: Page, user: str) -> None:
    signature = hmac.new(b"shared", user.encode(), hashlib.sha256).hexdigest()
    page.evaluate("user => FrontDesk.setUser(user)", {"id": user, "signature": signature})


def sign_out(page: Page) -> None:
    page.evaluate("FrontDesk.setUser(null)")


def hold(page: Page, question: str) -> list[Route]:
    """Send a question that stays on its way, as no later one does; what is returned will hold it."""
    held: list[Route] = []

    def handle(route: Route) -> None:
        if held:
            route.continue_()
        else:
            held.append(route)

    page.route("**/api/chat/stream", handle)
    with page.expect_request("**/api/chat/stream"):
        send(page, question)
    return held


def refuse(page: Page, path: str, status: int, kind: str) -> None:
    """Have the server say no, as it says it to a page of another site."""
    headers = {
        "Access-Control-Allow-Origin": "*",
        "Access-Control-Expose-Headers": "Retry-After",
        "Retry-After": "1",
    }
    body = {"error": {"type": kind, "message": "no", "request_id": "r-1"}}
    page.route(path, lambda route: route.fulfill(status=status, headers=headers, json=body))

"""Several bots in one server."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from fastapi.testclient import TestClient

from tests.bot.fakes import HOURS, RETURNS, StubKnowledge
from tests.bot.http.conftest import Site
from tests.bot.http.shapes import assert_error_shape, read_events

BANK = {"X-FrontDesk-Bot": "bank"}
ASKED = {"question": "怎么退货？", "message_id": "m-1"}


@pytest.fixture
def client(site: Site, open_client: Callable[[], TestClient]) -> TestClient:
    site.settings = {
        "server": {"allowed_origins": ["https://shop.example"]},
        "bots": {"bank": {"name": "小银", "allowed_origins": ["https://bank.example"]}},
    }
    site.bots = {"bank": StubKnowledge(0.95, HOURS)}
    return open_client()


def test_each_answers_from_its_own_knowledge(client: TestClient) -> None:
    assert client.post("/api/chat", json={"question": "怎么退货？"}).json()["answer"] == RETURNS.answer
    assert client.post("/api/chat", json={"question": "怎么退货？"}, headers=BANK).json()["answer"] == HOURS.answer


def test_the_same_message_to_two_bots_is_streamed_by_each(client: TestClient) -> None:
    first = read_events(client.post("/api/chat/stream", json={"question": "a"}).text)[-1].data["answer"]
    second = read_events(client.post("/api/chat/stream", json={"question": "a"}, headers=BANK).text)[-1].data["answer"]
    assert (first, second) == (RETURNS.answer, HOURS.answer)


def test_each_has_its_own_name_also_by_address(client: TestClient) -> None:
    assert client.get("/api/bot", params={"bot": "bank"}).json()["name"] == "小银"
    assert client.get("/api/bot", headers=BANK).json()["name"] == "小银"
    assert client.get("/api/bot").json()["name"] == "FrontDesk"


def test_a_site_that_may_ask_one_may_not_ask_the_other(client: TestClient) -> None:
    shop, bank = {"Origin": "https://shop.example"}, {"Origin": "https://bank.example"}
    assert client.post("/api/chat", json=ASKED, headers=shop).status_code == 200
    assert client.post("/api/visitor", json={}, headers={**bank, **BANK}).status_code == 200
    message = assert_error_shape(
        client.post("/api/chat", json=ASKED, headers={**shop, **BANK}), 403, "origin_not_allowed"
    )
    assert "bots.bank.allowed_origins" in message
    assert_error_shape(client.post("/api/visitor", json={}, headers=bank), 403, "origin_not_allowed")


@pytest.mark.parametrize("path", ["/api/chat", "/api/visitor", "/api/chat/stream"])
def test_a_bot_that_is_not_there_is_named(client: TestClient, path: str) -> None:
    body = {} if path == "/api/visitor" else ASKED
    reply = client.post(path, json=body, headers={"X-FrontDesk-Bot": "nobody"})
    assert "'nobody'" in assert_error_shape(reply, 404, "unknown_bot")


def test_a_browser_may_name_the_bot_from_another_site(client: TestClient) -> None:
    headers = {
        "Origin": "https://bank.example",
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "content-type,x-frontdesk-bot",
    }
    reply = client.options("/api/chat", headers=headers)
    assert reply.status_code == 200
    assert reply.headers["Access-Control-Allow-Origin"] == "https://bank.example"

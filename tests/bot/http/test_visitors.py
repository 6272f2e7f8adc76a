"""Whose a conversation is, from where it may be held, and how fast."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable
from typing import Any

import pytest
from fastapi.testclient import TestClient

import bot.visitors
from tests.bot.http.conftest import Site
from tests.bot.http.shapes import assert_error_shape

Open = Callable[[], TestClient]
ASKED = {"question": "怎么退货？"}


def new_visitor(client: TestClient, **body: Any) -> dict[str, str]:
    """Return the header of a new visitor's token."""
    reply = client.post("/api/visitor", json=body)
    assert reply.status_code == 200, reply.text
    return {"Authorization": f"Bearer {reply.json()['token']}"}


def test_a_visitor_goes_on_with_their_own_conversation(client: TestClient) -> None:
    mine = new_visitor(client)
    conversation = client.post("/api/chat", json=ASKED, headers=mine).json()["conversation_id"]
    again = client.post("/api/chat", json={**ASKED, "conversation_id": conversation}, headers=mine)
    assert again.json()["conversation_id"] == conversation


def test_to_others_a_visitors_conversation_does_not_exist(client: TestClient) -> None:
    mine, others = new_visitor(client), new_visitor(client)
    asked = {**ASKED, "message_id": "m-1"}
    answer = client.post("/api/chat", json=asked, headers=mine).json()
    conversation, turn = answer["conversation_id"], answer["turn_id"]
    for headers in (others, {}):
        continued = client.post("/api/chat", json={**ASKED, "conversation_id": conversation}, headers=headers)
        assert_error_shape(continued, 404, "not_found")
        assert_error_shape(client.post("/api/chat", json=asked, headers=headers), 404, "not_found")
        assert_error_shape(client.get(f"/api/chat/stream/{turn}", headers=headers), 404, "not_found")
        rated = client.post("/api/feedback", json={"turn_id": turn, "rating": "up"}, headers=headers)
        assert_error_shape(rated, 404, "not_found")
        called = client.post("/api/handoff", json={"conversation_id": conversation}, headers=headers)
        assert_error_shape(called, 404, "not_found")
    assert client.get(f"/api/chat/stream/{turn}", headers=mine).status_code == 200
    assert client.post("/api/feedback", json={"turn_id": turn, "rating": "up"}, headers=mine).status_code == 204


def test_a_renewed_token_is_the_same_visitors(client: TestClient) -> None:
    first = client.post("/api/visitor", json={}).json()
    headers = {"Authorization": f"Bearer {first['token']}"}
    assert client.post("/api/visitor", json={}, headers=headers).json()["visitor"] == first["visitor"]


def test_an_expired_token_is_renewed_and_nothing_else(client: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    mine = new_visitor(client)
    conversation = client.post("/api/chat", json=ASKED, headers=mine).json()["conversation_id"]
    with monkeypatch.context() as later:
        later.setattr(bot.visitors, "TOKEN_SECONDS", -1)
        assert_error_shape(client.post("/api/chat", json=ASKED, headers=mine), 401, "invalid_token")
        renewed = client.post("/api/visitor", json={}, headers=mine).json()
    headers = {"Authorization": f"Bearer {renewed['token']}"}
    assert client.post("/api/chat", json={**ASKED, "conversation_id": conversation}, headers=headers).status_code == 200


def test_a_token_that_expired_long_ago_is_refused(client: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    mine = new_visitor(client)
    monkeypatch.setattr(bot.visitors, "RENEWAL_SECONDS", -1)
    assert_error_shape(client.post("/api/visitor", json={}, headers=mine), 401, "invalid_token")


@pytest.mark.parametrize("path", ["/api/chat", "/api/chat/stream", "/api/visitor"])
def test_a_forged_token_is_refused(client: TestClient, path: str) -> None:
    body = {} if path == "/api/visitor" else ASKED
    response = client.post(path, json=body, headers={"Authorization": "Bearer forged"})
    assert_error_shape(response, 401, "invalid_token")


def test_a_user_that_the_site_vouches_for_is_the_same_on_every_device(site: Site, open_client: Open) -> None:
    site.settings = {"visitors": {"identity_secret": "shared"}}
    client = open_client()
    user = user_of_the_site("42")
    visitors = [client.post("/api/visitor", json={"user": user}).json()["visitor"] for _ in range(2)]
    assert visitors[0] == visitors[1]
    forged = client.post("/api/visitor", json={"user": {"id": "43", "signature": user["signature"]}})
    assert_error_shape(forged, 403, "wrong_signature")


def user_of_the_site(name: str) -> dict[str, str]:
    return {"id": name, "signature": hmac.new(b"shared", name.encode(), hashlib.sha256).hexdigest()}


def test_a_stranger_who_signs_in_takes_the_conversation_along(site: Site, open_client: Open) -> None:
    site.settings = {"visitors": {"identity_secret": "shared"}}
    client = open_client()
    stranger = new_visitor(client)
    asked = {
        **ASKED,
        "conversation_id": client.post("/api/chat", json=ASKED, headers=stranger).json()["conversation_id"],
    }
    forged = client.post("/api/visitor", json={"user": {**user_of_the_site("42"), "id": "43"}}, headers=stranger)
    assert_error_shape(forged, 403, "wrong_signature")
    assert client.post("/api/chat", json=asked, headers=stranger).status_code == 200
    reply = client.post("/api/visitor", json={"user": user_of_the_site("42")}, headers=stranger)
    signed_in = {"Authorization": f"Bearer {reply.json()['token']}"}
    assert client.post("/api/chat", json=asked, headers=signed_in).status_code == 200
    assert_error_shape(client.post("/api/chat", json=asked, headers=stranger), 404, "not_found")


def test_a_user_takes_nothing_along_from_another_user(site: Site, open_client: Open) -> None:
    site.settings = {"visitors": {"identity_secret": "shared"}}
    client = open_client()
    first = new_visitor(client, user=user_of_the_site("42"))
    asked = {**ASKED, "conversation_id": client.post("/api/chat", json=ASKED, headers=first).json()["conversation_id"]}
    reply = client.post("/api/visitor", json={"user": user_of_the_site("43")}, headers=first)
    second = {"Authorization": f"Bearer {reply.json()['token']}"}
    assert_error_shape(client.post("/api/chat", json=asked, headers=second), 404, "not_found")
    assert client.post("/api/chat", json=asked, headers=first).status_code == 200


@pytest.mark.parametrize("path", ["/api/chat", "/api/chat/stream", "/api/visitor", "/api/feedback", "/api/handoff"])
def test_a_page_of_another_site_is_refused(client: TestClient, path: str) -> None:
    bodies = {
        "/api/visitor": {},
        "/api/feedback": {"turn_id": "t", "rating": "up"},
        "/api/handoff": {"conversation_id": "c"},
    }
    response = client.post(path, json=bodies.get(path, ASKED), headers={"Origin": "https://evil.example"})
    assert_error_shape(response, 403, "origin_not_allowed")


@pytest.mark.parametrize("origin", ["https://shop.example", "http://testserver"])
def test_the_bots_own_page_and_allowed_sites_pass(site: Site, open_client: Open, origin: str) -> None:
    site.settings = {"server": {"allowed_origins": ["https://shop.example"]}}
    assert open_client().post("/api/chat", json=ASKED, headers={"Origin": origin}).status_code == 200


def test_a_visitor_who_asks_too_often_is_asked_to_wait(site: Site, open_client: Open) -> None:
    site.settings = {"visitors": {"per_visitor_per_minute": 2}}
    client = open_client()
    hasty, calm = new_visitor(client), new_visitor(client)
    replies = [client.post("/api/chat", json=ASKED, headers=hasty) for _ in range(3)]
    assert [reply.status_code for reply in replies] == [200, 200, 429]
    message = assert_error_shape(replies[-1], 429, "rate_limited")
    seconds = replies[-1].headers["Retry-After"]
    assert 1 <= int(seconds) <= 30
    assert f"{seconds} 秒" in message
    assert client.post("/api/chat", json=ASKED, headers=calm).status_code == 200


def test_an_address_with_too_many_visitors_is_asked_to_wait(site: Site, open_client: Open) -> None:
    site.settings = {"visitors": {"per_address_per_minute": 2}}
    client = open_client()
    headers = {"Accept-Language": "en"}
    replies = [client.post("/api/visitor", json={}, headers=headers) for _ in range(3)]
    assert [reply.status_code for reply in replies] == [200, 200, 429]
    assert f"{replies[-1].headers['Retry-After']} s" in assert_error_shape(replies[-1], 429, "rate_limited")

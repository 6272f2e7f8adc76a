"""Two applications on one PostgreSQL, each with its own server; news comes from the other, not because one looked."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest

import bot.configuration
import bot.live
from tests.bot.fakes import StubKnowledge
from tests.bot.http.conftest import Site

SECONDS = 60.0
"""Far longer than anything takes here."""


@pytest.fixture(autouse=True)
def nobody_looks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bot.live, "RECHECK_SECONDS", 3_600.0)
    monkeypatch.setattr(bot.configuration, "FOLLOW_SECONDS", 3_600.0)


@pytest.fixture
def sites(postgres_url: str) -> tuple[Site, Site]:
    limit = {"visitors": {"per_address_per_minute": 6}}
    return Site(postgres_url, StubKnowledge(), settings=limit), Site(postgres_url, StubKnowledge(), settings=limit)


@pytest.fixture
def clients(sites: tuple[Site, Site]) -> Iterator[tuple[httpx.Client, httpx.Client]]:
    """Give clients of both; the first one's is logged in at both."""
    with sites[0].served() as one, sites[1].served() as other, sites[0].owner(one) as owner:
        with httpx.Client(base_url=other, timeout=SECONDS, headers=owner.headers, cookies=owner.cookies) as client:
            yield owner, client


def soon(happened: Callable[[], bool]) -> None:
    """Wait until something has happened."""
    end = time.monotonic() + SECONDS
    while not happened():
        assert time.monotonic() < end, "it never happened"
        time.sleep(0.05)


def test_a_setting_of_one_counts_at_the_other(clients: tuple[httpx.Client, httpx.Client]) -> None:
    one, other = clients
    assert one.patch("/api/admin/settings", json={"values": {"bot.name": "小青"}}).status_code == 200
    soon(lambda: other.get("/api/bot").json()["name"] == "小青")


def test_a_person_at_one_is_heard_at_the_other(clients: tuple[httpx.Client, httpx.Client]) -> None:
    one, other = clients
    conversation = one.post("/api/chat", json={"question": "转人工"}).json()["conversation_id"]

    def next_data(lines: Iterator[str]) -> Any:
        return next(json.loads(line[6:]) for line in lines if line.startswith("data: "))

    with other.stream("GET", f"/api/conversations/{conversation}/events") as reply:
        lines = reply.iter_lines()
        assert next_data(lines)["state"] == "waiting"
        assert one.post(f"/api/admin/inbox/{conversation}/take", json={}).status_code == 204
        assert next_data(lines)["state"] == "human"
        assert one.post(f"/api/admin/inbox/{conversation}/reply", json={"text": "我来帮您"}).status_code == 204
        assert next_data(lines)["text"] == "我来帮您"


def test_a_session_of_one_is_known_at_the_other(clients: tuple[httpx.Client, httpx.Client]) -> None:
    assert clients[1].get("/api/admin/me").json()["user"]["name"] == "Olga"


def test_a_visitor_of_one_is_known_at_the_other(clients: tuple[httpx.Client, httpx.Client]) -> None:
    one, other = clients
    token = {"Authorization": f"Bearer {one.post('/api/visitor', json={}).json()['token']}"}
    first = one.post("/api/chat", json={"question": "怎么退货？"}, headers=token).json()
    second = {"question": "要多久？", "conversation_id": first["conversation_id"]}
    assert other.post("/api/chat", json=second, headers=token).status_code == 200
    assert other.post("/api/chat", json=second).status_code == 404


def test_a_limit_counts_at_both(clients: tuple[httpx.Client, httpx.Client]) -> None:
    began = time.monotonic()
    statuses = [client.post("/api/chat", json={"question": "怎么退货？"}).status_code for client in clients * 6]
    came_back = (time.monotonic() - began) * 6 / 60
    assert 6 <= statuses.count(200) <= 6 + came_back + 1

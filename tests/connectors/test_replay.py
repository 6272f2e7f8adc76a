"""What a platform signed, sent once more by somebody who overheard it: soon after, and long after."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from types import ModuleType, SimpleNamespace
from typing import Any

import httpx
import pytest
from fastapi.testclient import TestClient
from slack_sdk.signature import SignatureVerifier

from connectors import webhook
from connectors.wecom import envelope
from tests.bot.http.conftest import Site
from tests.connectors.platforms import slack, wecom
from tests.connectors.platforms.wecom import FakeWecom
from tests.connectors.wecom.conftest import app_settings

NOWHERE = "http://127.0.0.1:9"
SECRET = "at least sixteen characters"
SIGNED = ("webhook", "wecom")
Send = Callable[[], httpx.Response]


@pytest.fixture
def client(site: Site, monkeypatch: pytest.MonkeyPatch) -> Iterator[TestClient]:
    """Give a client of a site that keeps messages and answers none."""

    async def rest(_dispatcher: Any) -> None:
        return

    monkeypatch.setattr("bot.channels.dispatch.Dispatcher.run", rest)
    site.settings = {
        "channels": {
            "webhook": {"secret": SECRET, "url": NOWHERE},
            "wecom": app_settings(NOWHERE),
            "slack": {"bot_token": slack.TOKEN, "signing_secret": slack.SECRET, "api": f"{NOWHERE}/"},
        }
    }
    with TestClient(site.app(), raise_server_exceptions=False) as client:
        yield client


def overheard(client: TestClient, channel: str) -> Send:
    """Return a way to send the very same request again and again."""
    if channel == "wecom":
        query, body = wecom.seal(FakeWecom().message("怎么退货？"))
        return lambda: client.post("/channels/wecom/callback", params=query, content=body)
    content, timestamp = b'{"id": "m1", "thread": "anna", "text": "?"}', str(int(time.time()))
    proof = {webhook.TIMESTAMP: timestamp, webhook.SIGNATURE: webhook.sign(SECRET, timestamp, content)}
    return lambda: client.post("/channels/webhook/messages", content=content, headers=proof)


def later(monkeypatch: pytest.MonkeyPatch, module: ModuleType, seconds: float) -> None:
    monkeypatch.setattr(module, "time", SimpleNamespace(time=lambda: time.time() + seconds))


def kept(client: TestClient) -> int:
    return sum(channel["waiting"] for channel in client.get("/api/admin/channels").json()["channels"])


@pytest.fixture
def owner(client: TestClient) -> TestClient:
    """Give the client, logged in, so that it sees what waits."""
    body = {"token": client.app.state.setup_token, "name": "Olga", "password": "correct horse battery"}  # type: ignore[attr-defined]
    client.headers["X-CSRF-Token"] = client.post("/api/admin/setup", json=body).json()["csrf"]
    return client


@pytest.mark.parametrize("channel", SIGNED)
def test_what_is_sent_again_in_time_is_answered_once(owner: TestClient, channel: str) -> None:
    send = overheard(owner, channel)
    assert [send().status_code < 300 for _ in range(3)] == [True, True, True]
    assert kept(owner) == 1


@pytest.mark.parametrize("channel", SIGNED)
def test_what_was_sent_long_ago_is_refused_though_its_signature_is_right(
    owner: TestClient, channel: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    send = overheard(owner, channel)
    later(monkeypatch, webhook, webhook.MAX_SKEW_SECONDS + 2)
    later(monkeypatch, envelope, envelope.CLOCK_SECONDS + 2)
    assert send().status_code in (401, 403)
    assert kept(owner) == 0


def test_slacks_are_refused_after_five_minutes(owner: TestClient) -> None:
    body, timestamp = b'{"type": "event_callback"}', str(int(time.time()) - 302)
    signature = SignatureVerifier(slack.SECRET).generate_signature(timestamp=timestamp, body=body)
    proof = {"X-Slack-Request-Timestamp": timestamp, "X-Slack-Signature": str(signature)}
    assert owner.post("/channels/slack/events", content=body, headers=proof).status_code == 401

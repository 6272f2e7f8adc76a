"""An agent at work: a second client, through the admin API."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import httpx
from playwright.sync_api import Page

from tests.scenarios.conftest import Served
from tests.scenarios.console import PASSWORD, Console

HOSTILE = "<img src=x onerror=alert(1)>"


class Agent:
    """Somebody of the company who answers customers."""

    def __init__(self, client: httpx.Client) -> None:
        self._client = client

    def take(self, conversation: str) -> None:
        self._post(conversation, "take", instead_of=None)

    def reply(self, conversation: str, text: str) -> None:
        self._post(conversation, "reply", text=text)

    def release(self, conversation: str, to: str) -> None:
        self._post(conversation, "release", to=to)

    def _post(self, conversation: str, what: str, **body: str | None) -> None:
        reply = self._client.post(f"/api/admin/inbox/{conversation}/{what}", json=body)
        assert reply.status_code == 204, reply.text


def add_agents(server: Served, *names: str) -> None:
    """Make the first owner, and agents of these names."""
    with Console.begin(server).api as api:
        for name in names:
            reply = api.post("users", json={"name": name, "password": PASSWORD, "role": "agent"})
            assert reply.status_code == 201, reply.text


@contextmanager
def agent(server: Served, name: str) -> Iterator[Agent]:
    """Log an agent in."""
    with server.client as client:
        reply = client.post("/api/admin/login", json={"name": name, "password": PASSWORD})
        assert reply.status_code == 200, reply.text
        client.headers["X-CSRF-Token"] = reply.json()["csrf"]
        yield Agent(client)


def conversation_of(page: Page) -> str:
    """Return the identifier of the conversation that a page shows."""
    return str(page.evaluate("JSON.parse(localStorage['frontdesk.conversation']).id"))

"""The application in process, around a desk of stand-ins."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from bot.assembly import Parts
from bot.http.app import create_app
from bot.http.connections import BoundedConnection
from bot.settings import Settings
from bot.store.database import Database
from bot.store.knowledge import KnowledgeStore
from tests.bot.fakes import ScriptedModel, StubKnowledge, make_desk
from tests.bot.servers import serving

OWNERS_PASSWORD = "a long enough password"


@dataclass
class Site:
    """What an application is made of; change it before the application starts."""

    url: str
    knowledge: StubKnowledge
    local: ScriptedModel | None = None
    remote: ScriptedModel | None = None
    settings: dict[str, Any] | None = None
    problems: tuple[str, ...] = ()
    served_app: FastAPI | None = None
    bots: dict[str, StubKnowledge] = field(default_factory=dict)

    async def open(self) -> Parts:
        database = Database(self.url)
        desk = make_desk(database, self.knowledge, local=self.local, remote=self.remote, settings=self.settings)
        desks = {"": desk}
        for name, knowledge in self.bots.items():
            desks[name] = make_desk(database, knowledge, settings=self.settings)
            desks[name].settings = desk.settings.for_bot(name)
        return Parts(desk.settings, database, KnowledgeStore(database), desks, list(self.problems))

    def app(self) -> FastAPI:
        return create_app(Settings(**(self.settings or {})), self.open)

    @contextmanager
    def served(self) -> Iterator[str]:
        self.served_app = self.app()
        with serving(self.served_app, http=BoundedConnection, ws="none") as address:
            yield address

    @contextmanager
    def owner(self, address: str) -> Iterator[httpx.Client]:
        """Give a client that is logged in to the console."""
        assert self.served_app is not None
        with httpx.Client(base_url=address, timeout=30) as client:
            body = {"token": self.served_app.state.setup_token, "name": "Olga", "password": OWNERS_PASSWORD}
            client.headers["X-CSRF-Token"] = client.post("/api/admin/setup", json=body).json()["csrf"]
            yield client


@pytest.fixture
def site(new_url: str) -> Site:
    """Give a site whose knowledge is certain."""
    return Site(new_url, StubKnowledge())


@pytest.fixture
def open_client(site: Site) -> Iterator[Callable[[], TestClient]]:
    """Give a way to start the site once it is as the test wants it."""
    with ExitStack() as stack:
        yield lambda: stack.enter_context(
            TestClient(site.app(), raise_server_exceptions=False, client=("127.0.0.1", 50_000))
        )


@pytest.fixture
def client(open_client: Callable[[], TestClient]) -> TestClient:
    """Give a client of the site as it is."""
    return open_client()

"""Clients of the admin API: one for each role, and one without a login."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from fastapi.testclient import TestClient

from bot.accounts import Role

PASSWORD = "correct horse battery"


def set_up(client: TestClient, name: str = "Olga") -> TestClient:
    """Make the first owner; the client is logged in as them afterwards."""
    token = client.app.state.setup_token  # type: ignore[attr-defined]
    reply = client.post("/api/admin/setup", json={"token": token, "name": name, "password": PASSWORD})
    assert reply.status_code == 200, reply.text
    client.headers["X-CSRF-Token"] = reply.json()["csrf"]
    return client


def log_in(client: TestClient, name: str, password: str = PASSWORD) -> TestClient:
    """Log a client in."""
    reply = client.post("/api/admin/login", json={"name": name, "password": password})
    assert reply.status_code == 200, reply.text
    client.headers["X-CSRF-Token"] = reply.json()["csrf"]
    return client


@pytest.fixture
def owner(client: TestClient) -> TestClient:
    """Give a client that is logged in as the first owner."""
    return set_up(client)


@pytest.fixture
def as_role(client: TestClient) -> Callable[[Role], TestClient]:
    """Give a way to get a client that is logged in with some role."""

    def login(role: Role) -> TestClient:
        set_up(client)
        if role != "owner":
            client.post("/api/admin/users", json={"name": "Vera", "password": PASSWORD, "role": role})
            log_in(client, "Vera")
        return client

    return login

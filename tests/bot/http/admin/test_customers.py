"""One customer's data, given out and erased."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from bot.accounts import Role
from bot.errors import NotFound
from tests.bot.http.shapes import assert_error_shape

WORDS = "我的订单 8801 怎么退货"


def asked(client: TestClient) -> dict[str, Any]:
    """Have a visitor ask something."""
    visitor = client.post("/api/visitor", json={}).json()
    headers = {"Authorization": f"Bearer {visitor['token']}"}
    body: dict[str, Any] = client.post("/api/chat", json={"question": WORDS}, headers=headers).json()
    return {**body, "visitor": visitor["visitor"]}


def test_an_owner_sees_gives_out_and_erases_all_that_is_kept_of_a_customer(owner: TestClient) -> None:
    customer = asked(owner)
    for name in (customer["visitor"], customer["conversation_id"]):
        found = owner.get("/api/admin/customers", params={"name": name}).json()
        assert (found["visitors"], found["turns"]) == ([customer["visitor"]], 1)
    held = owner.get("/api/admin/customers/export", params={"name": customer["visitor"]}).json()
    assert [turn["question"] for turn in held["turns"]] == [WORDS]
    erased = owner.post("/api/admin/customers/erase", json={"name": customer["visitor"]})
    assert (erased.status_code, erased.json()["turns"]) == (200, 1)
    gone = owner.get("/api/admin/customers", params={"name": customer["visitor"]})
    assert_error_shape(gone, 404, "not_found")
    audited = owner.get("/api/admin/audit").json()["entries"]
    assert [(entry["action"], entry["target"]) for entry in audited[:2]] == [
        ("customer.erased", "[erased]"),
        ("customer.exported", "[erased]"),
    ]


def test_whoever_is_erased_is_forgotten_in_memory_too(owner: TestClient) -> None:
    app = owner.app
    assert isinstance(app, FastAPI)
    customer = asked(owner)
    owner.get("/api/admin/review")
    desk = app.state.parts.desk
    assert app.state.running.find(customer["turn_id"], customer["visitor"])
    assert desk.knowledge.queries
    assert app.state.review
    owner.post("/api/admin/customers/erase", json={"name": customer["visitor"]})
    assert (desk.knowledge.queries, hasattr(app.state, "review")) == ([], False)
    with pytest.raises(NotFound):
        app.state.running.find(customer["turn_id"], customer["visitor"])


@pytest.mark.parametrize("role", ["viewer", "agent", "editor"])
def test_nobody_else_may(as_role: Callable[[Role], TestClient], role: Role) -> None:
    client = as_role(role)
    for reply in (
        client.get("/api/admin/customers", params={"name": "v-1"}),
        client.get("/api/admin/customers/export", params={"name": "v-1"}),
        client.post("/api/admin/customers/erase", json={"name": "v-1"}),
    ):
        assert_error_shape(reply, 403, "forbidden")


@pytest.mark.parametrize("name", ["", "  ", "x" * 501])
def test_nobody_has_no_name(owner: TestClient, name: str) -> None:
    assert_error_shape(owner.get("/api/admin/customers", params={"name": name}), 400, "invalid_request")
    assert_error_shape(owner.post("/api/admin/customers/erase", json={"name": name}), 400, "invalid_request")

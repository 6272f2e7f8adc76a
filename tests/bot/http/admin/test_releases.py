"""Publishing and going back over HTTP."""

from __future__ import annotations

import pytest
from fastapi.testclient import TestClient

from tests.bot.http.shapes import assert_error_shape

BASE = "/api/admin/knowledge-bases/shop"


@pytest.fixture
def shop(owner: TestClient) -> TestClient:
    owner.post("/api/admin/knowledge-bases", json={"name": "shop"})
    add(owner, "A", "one")
    return owner


def add(client: TestClient, key: str, answer: str) -> None:
    assert client.post(f"{BASE}/entries", json={"key": key, "question": key, "answer": answer}).status_code == 201


def test_the_draft_says_what_publishing_would_change(shop: TestClient) -> None:
    add(shop, "B", "two")
    assert shop.get(f"{BASE}/draft").json()["added_count"] == 2
    shop.post(f"{BASE}/releases", json={})
    shop.put(f"{BASE}/entries/A", json={"question": "A", "answer": "changed"})
    shop.delete(f"{BASE}/entries/B")
    add(shop, "C", "three")
    draft = shop.get(f"{BASE}/draft").json()
    assert [entry["key"] for entry in draft["added"]] == ["C"]
    assert [(change["before"]["answer"], change["after"]["answer"]) for change in draft["changed"]] == [
        ("one", "changed")
    ]
    assert [entry["key"] for entry in draft["removed"]] == ["B"]
    assert (draft["added_count"], draft["changed_count"], draft["removed_count"]) == (1, 1, 1)


def test_a_release_is_published_with_a_note_and_restored(shop: TestClient) -> None:
    first = shop.post(f"{BASE}/releases", json={"note": "Autumn"})
    assert first.status_code == 201
    assert (first.json()["number"], first.json()["created_by"]) == (1, "Olga")
    add(shop, "B", "two")
    shop.post(f"{BASE}/releases", json={})
    assert shop.post(f"{BASE}/releases/1/restore").json()["number"] == 1
    releases = shop.get(f"{BASE}/releases").json()["releases"]
    assert [(each["number"], each["entries"], each["current"], each["note"]) for each in releases] == [
        (2, 2, False, None),
        (1, 1, True, "Autumn"),
    ]
    assert shop.get("/api/admin/knowledge-bases").json()["knowledge_bases"][0]["changed"] is True
    actions = [entry["action"] for entry in shop.get("/api/admin/audit").json()["entries"]]
    assert actions[:1] == ["release.restored"]
    assert actions.count("release.published") == 2


@pytest.mark.parametrize("number", [7, 2**31 - 1])
def test_a_release_that_never_was_is_not_restored(shop: TestClient, number: int) -> None:
    assert_error_shape(shop.post(f"{BASE}/releases/{number}/restore"), 404, "not_found")


@pytest.mark.parametrize("path", ["releases", "draft"])
def test_of_an_unknown_knowledge_base_nothing_is_told(owner: TestClient, path: str) -> None:
    assert_error_shape(owner.get(f"/api/admin/knowledge-bases/absent/{path}"), 404, "not_found")

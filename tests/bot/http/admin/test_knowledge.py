"""Knowledge bases and entries over HTTP."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from fastapi.testclient import TestClient

from tests.bot.http.shapes import assert_error_shape

ENTRIES = "/api/admin/knowledge-bases/shop/entries"
RETURNS = {
    "key": "RET-1",
    "question": "怎么退货？",
    "answer": "7天内可以退。",
    "variants": ["我要退货"],
    "tags": ["售后"],
}
HOURS = {"key": "HRS-1", "question": "When are you open?", "answer": "9 to 5.", "status": "draft"}


@pytest.fixture
def shop(owner: TestClient) -> TestClient:
    """Give an owner's client, and a knowledge base with two entries."""
    owner.post("/api/admin/knowledge-bases", json={"name": "shop"})
    for entry in (RETURNS, HOURS):
        assert owner.post(ENTRIES, json=entry).status_code == 201
    return owner


def test_a_knowledge_base_is_made_once(owner: TestClient) -> None:
    assert owner.post("/api/admin/knowledge-bases", json={"name": "shop"}).status_code == 201
    assert_error_shape(owner.post("/api/admin/knowledge-bases", json={"name": "shop"}), 409, "name_taken")
    assert owner.get("/api/admin/knowledge-bases").json()["knowledge_bases"] == [
        {"name": "shop", "entries": 0, "changed": False, "release": None}
    ]


@pytest.mark.parametrize("name", ["", " ", "a/b", " a", "x" * 61])
def test_a_name_that_fits_no_address_is_refused(owner: TestClient, name: str) -> None:
    assert_error_shape(owner.post("/api/admin/knowledge-bases", json={"name": name}), 400, "invalid_request")


def test_entries_are_listed_and_counted(shop: TestClient) -> None:
    body = shop.get(ENTRIES).json()
    assert [entry["key"] for entry in body["entries"]] == ["HRS-1", "RET-1"]
    assert body["total"] == 2
    assert body["tags"] == [{"tag": "售后", "count": 1}]
    assert body["statuses"] == {"published": 1, "draft": 1}
    assert [entry["key"] for entry in shop.get(ENTRIES, params={"search": "退货"}).json()["entries"]] == ["RET-1"]
    assert shop.get(ENTRIES, params={"status": "draft", "tag": "售后"}).json()["total"] == 0


def test_of_what_does_not_exist_nothing_is_listed(shop: TestClient) -> None:
    assert_error_shape(shop.get("/api/admin/knowledge-bases/absent/entries"), 404, "not_found")
    assert_error_shape(shop.get(f"{ENTRIES}/NOPE"), 404, "not_found")
    assert_error_shape(shop.put(f"{ENTRIES}/NOPE", json={"question": "q", "answer": "a"}), 404, "not_found")


def test_an_entry_without_key_and_language_gets_both(shop: TestClient) -> None:
    made = shop.post(ENTRIES, json={"question": " 怎么开发票？ ", "answer": "在订单页。"}).json()
    assert made["key"].startswith("q-")
    assert (made["question"], made["language"], made["status"]) == ("怎么开发票？", "zh", "published")


def test_variants_that_say_nothing_new_are_dropped(shop: TestClient) -> None:
    variants = ["怎么退货", "退货！", "退货", "  ", "退钱"]
    made = shop.post(ENTRIES, json={"question": "怎么退货？", "answer": "a", "key": "R-2", "variants": variants}).json()
    assert made["variants"] == ["退货！", "退钱"]


def test_a_key_is_given_once(shop: TestClient) -> None:
    assert_error_shape(shop.post(ENTRIES, json=RETURNS), 409, "name_taken")


@pytest.mark.parametrize(
    "wrong",
    [
        {"question": "  "},
        {"answer": ""},
        {"question": "x" * 501},
        {"status": "secret"},
        {"valid_from": "2026-02-30"},
        {"valid_from": "2026-02-02", "valid_until": "2026-02-01"},
        {"key": "a/b"},
        {"unknown": 1},
    ],
)
def test_an_entry_of_no_use_is_refused(shop: TestClient, wrong: dict[str, Any]) -> None:
    reply = shop.post(ENTRIES, json={"key": "N-1", "question": "q", "answer": "a", **wrong})
    assert next(iter(wrong)).replace("valid_from", "valid_") in assert_error_shape(reply, 400, "invalid_request")


def test_an_entry_is_changed_unless_somebody_else_was_faster(shop: TestClient) -> None:
    seen = shop.get(f"{ENTRIES}/RET-1").json()
    change = {"question": seen["question"], "answer": "14天内可以退。"}
    headers = {"If-Match": f'"{seen["version"]}"'}
    changed = shop.put(f"{ENTRIES}/RET-1", json=change, headers=headers).json()
    assert (changed["answer"], changed["variants"]) == ("14天内可以退。", [])
    assert changed["version"] != seen["version"]
    assert_error_shape(shop.put(f"{ENTRIES}/RET-1", json=change, headers=headers), 412, "changed_meanwhile")


def test_the_history_names_who_did_what(shop: TestClient) -> None:
    shop.put(f"{ENTRIES}/RET-1", json={"question": "怎么退货？", "answer": "不能退。"})
    assert shop.delete(f"{ENTRIES}/RET-1").status_code == 204
    changes = shop.get(f"{ENTRIES}/RET-1/history").json()["changes"]
    assert [change["actor"] for change in changes] == ["Olga"] * 3
    assert [change["after"] and change["after"]["answer"] for change in changes] == [None, "不能退。", "7天内可以退。"]
    actions = [entry["action"] for entry in shop.get("/api/admin/audit").json()["entries"]]
    assert actions[:2] == ["entry.deleted", "entry.changed"]


@pytest.mark.parametrize(
    ("edit", "field", "values"),
    [
        ({"action": "draft"}, "status", ["draft", "draft"]),
        ({"action": "disable"}, "status", ["disabled", "disabled"]),
        ({"action": "add_tag", "tag": "新"}, "tags", [["新"], ["售后", "新"]]),
        ({"action": "remove_tag", "tag": "售后"}, "tags", [[], []]),
    ],
)
def test_many_entries_are_changed_alike(shop: TestClient, edit: dict[str, str], field: str, values: list[Any]) -> None:
    shop.post(f"{ENTRIES}/bulk", json={"keys": ["RET-1", "HRS-1"], **edit})
    entries = {entry["key"]: entry for entry in shop.get(ENTRIES).json()["entries"]}
    assert [entries[key][field] for key in ("HRS-1", "RET-1")] == values


def test_many_entries_are_deleted_or_none(shop: TestClient) -> None:
    some = {"keys": ["RET-1", "NOPE"], "action": "delete"}
    assert_error_shape(shop.post(f"{ENTRIES}/bulk", json=some), 404, "not_found")
    assert shop.post(f"{ENTRIES}/bulk", json={**some, "keys": ["RET-1", "HRS-1"]}).json() == {"changed": 2}
    assert shop.get(ENTRIES).json()["total"] == 0


def test_a_tag_must_be_named(shop: TestClient) -> None:
    reply = shop.post(f"{ENTRIES}/bulk", json={"keys": ["RET-1"], "action": "add_tag"})
    assert "tag" in assert_error_shape(reply, 400, "invalid_request")


def test_duplicates_are_listed_contradictions_first(shop: TestClient) -> None:
    shop.post(ENTRIES, json={"key": "A", "question": "When are you open", "answer": "9 to 5."})
    shop.post(ENTRIES, json={"key": "B", "question": "请问怎么退货？", "variants": ["我要退货"], "answer": "不能退。"})
    pairs = shop.get("/api/admin/knowledge-bases/shop/duplicates").json()["pairs"]
    assert [(pair["conflicting"], [entry["key"] for entry in pair["entries"]]) for pair in pairs] == [
        (True, ["RET-1", "B"]),
        (False, ["HRS-1", "A"]),
    ]


@pytest.mark.parametrize("role", ["viewer", "agent"])
def test_who_only_reads_changes_nothing(as_role: Callable[[str], TestClient], role: str) -> None:
    client = as_role(role)
    assert client.get("/api/admin/knowledge-bases").status_code == 200
    assert_error_shape(client.post("/api/admin/knowledge-bases", json={"name": "shop"}), 403, "forbidden")
    assert_error_shape(client.post(ENTRIES, json=RETURNS), 403, "forbidden")
    assert_error_shape(client.delete(f"{ENTRIES}/RET-1"), 403, "forbidden")


@pytest.mark.parametrize("kind", ["csv", "jsonl"])
def test_what_is_exported_comes_back_unchanged(shop: TestClient, kind: str) -> None:
    reply = shop.get("/api/admin/knowledge-bases/shop/export", params={"kind": kind})
    assert reply.headers["Content-Disposition"].endswith(f"shop.{kind}")
    query = {"knowledge_base": "shop", "name": f"shop.{kind}"}
    preview = shop.post("/api/admin/uploads", params=query, content=reply.content).json()
    assert (preview["unchanged"], preview["added_count"], preview["changed_count"]) == (2, 0, 0)


def test_what_does_not_exist_is_not_exported(shop: TestClient) -> None:
    assert_error_shape(shop.get("/api/admin/knowledge-bases/absent/export"), 404, "not_found")

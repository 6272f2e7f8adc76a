"""Users, keys and the audit log."""

from __future__ import annotations

import pytest
from fastapi.testclient import TestClient

from tests.bot.http.admin.conftest import PASSWORD, log_in
from tests.bot.http.shapes import assert_error_shape

ANNA = {"name": "Anna", "password": PASSWORD, "role": "editor"}


def test_a_new_user_may_log_in(owner: TestClient) -> None:
    made = owner.post("/api/admin/users", json=ANNA)
    assert made.status_code == 201
    assert "password" not in made.text
    log_in(owner, "Anna")
    assert owner.get("/api/admin/me").json()["user"]["role"] == "editor"


def test_a_name_is_given_once(owner: TestClient) -> None:
    owner.post("/api/admin/users", json=ANNA)
    assert_error_shape(owner.post("/api/admin/users", json=ANNA), 409, "name_taken")


def test_a_user_whose_access_ends_is_out_at_once(owner: TestClient) -> None:
    anna = owner.post("/api/admin/users", json=ANNA).json()["id"]
    mine = dict(owner.cookies), owner.headers["X-CSRF-Token"]
    log_in(owner, "Anna")
    hers = dict(owner.cookies)
    owner.cookies.clear()
    owner.cookies.update(mine[0])
    owner.headers["X-CSRF-Token"] = mine[1]
    assert owner.patch(f"/api/admin/users/{anna}", json={"active": False}).json()["active"] is False
    owner.cookies.clear()
    owner.cookies.update(hers)
    assert owner.get("/api/admin/me").status_code == 401
    assert owner.post("/api/admin/login", json={"name": "Anna", "password": PASSWORD}).status_code == 401


@pytest.mark.parametrize("change", [{"role": "editor"}, {"active": False}, None])
def test_the_last_owner_stays(owner: TestClient, change: dict[str, object] | None) -> None:
    olga = owner.get("/api/admin/users").json()["users"][0]["id"]
    path = f"/api/admin/users/{olga}"
    reply = owner.patch(path, json=change) if change else owner.delete(path)
    assert_error_shape(reply, 409, "last_owner")
    assert owner.get("/api/admin/me").json()["user"]["role"] == "owner"


def test_a_user_can_be_deleted(owner: TestClient) -> None:
    anna = owner.post("/api/admin/users", json=ANNA).json()["id"]
    assert owner.delete(f"/api/admin/users/{anna}").status_code == 204
    assert owner.get("/api/admin/audit").json()["entries"][0]["target"] == "Anna"
    assert_error_shape(owner.delete(f"/api/admin/users/{anna}"), 404, "not_found")


def test_a_key_may_do_what_its_scopes_say_and_needs_no_csrf_token(owner: TestClient) -> None:
    reader = owner.post("/api/admin/keys", json={"name": "export", "scopes": ["knowledge:read"]}).json()
    admin = owner.post("/api/admin/keys", json={"name": "ops", "scopes": ["admin"]}).json()
    owner.cookies.clear()
    del owner.headers["X-CSRF-Token"]
    assert_error_shape(owner.get("/api/admin/users", headers=bearer(reader)), 403, "forbidden")
    assert owner.post("/api/admin/users", headers=bearer(admin), json=ANNA).status_code == 201
    keys = owner.get("/api/admin/keys", headers=bearer(admin)).json()["keys"]
    assert [key["name"] for key in keys] == ["export", "ops"]
    assert all(key["last_used_at"] for key in keys)
    assert reader["key"] not in str(keys)


def test_a_deleted_key_is_of_no_use(owner: TestClient) -> None:
    key = owner.post("/api/admin/keys", json={"name": "ops", "scopes": ["admin"]}).json()
    assert owner.delete(f"/api/admin/keys/{key['id']}").status_code == 204
    assert_error_shape(owner.get("/api/admin/me", headers=bearer(key)), 401, "unauthenticated")


def test_what_owners_do_is_written_down_without_secrets(owner: TestClient) -> None:
    anna = owner.post("/api/admin/users", json=ANNA).json()["id"]
    owner.patch(f"/api/admin/users/{anna}", json={"password": "staple battery horse", "role": "agent"})
    log = owner.get("/api/admin/audit").json()["entries"]
    assert [entry["action"] for entry in log] == ["user.changed", "user.added", "login"]
    assert log[0]["details"] == {"password": "changed", "role": "agent"}
    assert {entry["actor"] for entry in log} == {"Olga"}
    assert log[0]["at"].endswith(("+00:00", "Z"))
    older = owner.get("/api/admin/audit", params={"before": log[0]["id"], "limit": 1}).json()["entries"]
    assert [entry["action"] for entry in older] == ["user.added"]


def bearer(key: dict[str, str]) -> dict[str, str]:
    return {"Authorization": f"Bearer {key['key']}"}

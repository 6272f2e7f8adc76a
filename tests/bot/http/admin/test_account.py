"""Logging in and out, and the first owner."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from fastapi.testclient import TestClient

from bot.http.admin import access
from bot.store.users import MAX_FAILURES
from tests.bot.http.admin.conftest import PASSWORD, log_in, set_up
from tests.bot.http.shapes import assert_error_shape


def test_the_set_up_link_makes_the_first_owner_once(client: TestClient) -> None:
    assert client.get("/api/admin/setup").json() == {"needed": True}
    set_up(client)
    assert client.get("/api/admin/me").json()["user"]["role"] == "owner"
    assert client.get("/api/admin/setup").json() == {"needed": False}
    token = client.app.state.setup_token  # type: ignore[attr-defined]
    again = client.post("/api/admin/setup", json={"token": token, "name": "Mallory", "password": PASSWORD})
    assert_error_shape(again, 409, "set_up_already")


def test_a_set_up_with_another_token_is_refused(client: TestClient) -> None:
    reply = client.post("/api/admin/setup", json={"token": "guess", "name": "Mallory", "password": PASSWORD})
    assert_error_shape(reply, 403, "wrong_token")
    assert client.get("/api/admin/setup").json() == {"needed": True}


def test_a_short_password_is_refused(client: TestClient) -> None:
    token = client.app.state.setup_token  # type: ignore[attr-defined]
    reply = client.post("/api/admin/setup", json={"token": token, "name": "Olga", "password": "short"})
    assert_error_shape(reply, 400, "weak_password")


def test_the_cookie_is_out_of_reach_of_scripts_and_other_sites(client: TestClient) -> None:
    set_up(client)
    cookie = client.post("/api/admin/login", json={"name": "Olga", "password": PASSWORD}).headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=strict" in cookie
    assert "Path=/api/admin" in cookie


def test_over_https_the_cookie_is_sent_over_https_only(client: TestClient) -> None:
    set_up(client)
    client.base_url = "https://testserver"
    reply = client.post("/api/admin/login", json={"name": "Olga", "password": PASSWORD})
    assert "Secure" in reply.headers["set-cookie"]


def test_logging_out_ends_the_session_for_good(owner: TestClient) -> None:
    cookie = owner.cookies[access.COOKIE]
    assert owner.post("/api/admin/logout").status_code == 204
    owner.cookies.set(access.COOKIE, cookie)
    assert_error_shape(owner.get("/api/admin/me"), 401, "unauthenticated")


def test_many_wrong_passwords_lock_the_account_even_for_the_right_one(owner: TestClient) -> None:
    owner.cookies.clear()
    for _ in range(MAX_FAILURES):
        wrong = owner.post("/api/admin/login", json={"name": "Olga", "password": "wrong horse battery"})
        assert_error_shape(wrong, 401, "wrong_login")
    locked = owner.post("/api/admin/login", json={"name": "Olga", "password": PASSWORD})
    assert_error_shape(locked, 429, "locked")
    assert 1 <= int(locked.headers["Retry-After"]) <= 301


def test_nobody_and_a_wrong_password_sound_the_same(owner: TestClient) -> None:
    replies = [
        owner.post("/api/admin/login", json={"name": name, "password": "wrong horse battery"})
        for name in ("Olga", "Nobody")
    ]
    assert assert_error_shape(replies[0], 401, "wrong_login") == assert_error_shape(replies[1], 401, "wrong_login")


def test_an_address_that_tries_many_names_is_stopped(owner: TestClient) -> None:
    for number in range(5 * access.LOGINS_PER_MINUTE):  # on a slow machine some come back meanwhile
        reply = owner.post("/api/admin/login", json={"name": f"user {number}", "password": "guess"})
        if reply.status_code == 429:
            break
    assert number >= access.LOGINS_PER_MINUTE - 1
    assert reply.status_code == 429
    assert "Retry-After" in reply.headers


@pytest.mark.parametrize("token", [None, "", "wrong", "ü"])
def test_without_the_csrf_token_nothing_is_changed(owner: TestClient, token: str | None) -> None:
    del owner.headers["X-CSRF-Token"]
    headers = {} if token is None else {"X-CSRF-Token": token.encode()}
    reply = owner.post("/api/admin/users", headers=headers, json={"name": "M", "password": PASSWORD, "role": "owner"})
    assert_error_shape(reply, 403, "csrf")
    assert [user["name"] for user in owner.get("/api/admin/users").json()["users"]] == ["Olga"]


def test_a_changed_password_ends_all_other_sessions(owner: TestClient) -> None:
    other = owner.cookies[access.COOKIE]
    log_in(owner, "Olga")
    reply = owner.post("/api/admin/me/password", json={"old": PASSWORD, "new": "staple battery horse"})
    assert reply.status_code == 204
    assert owner.get("/api/admin/me").status_code == 200
    owner.cookies.clear()
    owner.cookies.set(access.COOKIE, other)
    assert owner.get("/api/admin/me").status_code == 401
    owner.cookies.clear()
    assert owner.post("/api/admin/login", json={"name": "Olga", "password": PASSWORD}).status_code == 401
    log_in(owner, "Olga", "staple battery horse")


def test_the_old_password_must_be_known(owner: TestClient) -> None:
    reply = owner.post("/api/admin/me/password", json={"old": "guess", "new": "staple battery horse"})
    assert_error_shape(reply, 401, "wrong_login")


@pytest.mark.parametrize("path", ["me", "users", "keys", "audit"])
def test_nothing_is_told_without_a_login(client: TestClient, path: str) -> None:
    assert_error_shape(client.get(f"/api/admin/{path}"), 401, "unauthenticated")


@pytest.mark.parametrize("role", ["viewer", "agent", "editor"])
@pytest.mark.parametrize("path", ["users", "keys", "audit"])
def test_only_owners_see_people_and_keys(as_role: Callable[[str], TestClient], role: str, path: str) -> None:
    assert_error_shape(as_role(role).get(f"/api/admin/{path}"), 403, "forbidden")

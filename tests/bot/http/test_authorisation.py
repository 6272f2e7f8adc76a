"""Who may call what: every route of the application, for everybody who may come, and for objects of somebody else."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from bot.accounts import SCOPES, SCOPES_OF_ROLE
from tests.bot.fakes import StubKnowledge
from tests.bot.http.conftest import Site
from tests.bot.http.shapes import read_events

PASSWORD = "correct horse battery"
API_KEY = "sk-the-key-of-a-program"

PUBLIC, VISITOR, OWNED, KEY, LOGIN = "public", "visitor", "owned", "key", "login"
"""Anybody; a visitor, with a token or without; a visitor, for an object of their own; a program with a key of /v1;
anybody known to the console.
"""

KNOWLEDGE_READ, KNOWLEDGE_WRITE = "knowledge:read", "knowledge:write"
CONVERSATIONS_READ, CONVERSATIONS_WRITE = "conversations:read", "conversations:write"
ADMIN = "admin"

MATRIX = {
    "GET /": PUBLIC,
    "GET /admin": PUBLIC,
    "GET /docs": PUBLIC,
    "GET /openapi.json": PUBLIC,
    "GET /widget.js": PUBLIC,
    "GET /healthz": PUBLIC,
    "GET /readyz": PUBLIC,
    "GET /metrics": PUBLIC,
    "MOUNT /docs/static": PUBLIC,
    "MOUNT /page": PUBLIC,
    "MOUNT /admin/static": PUBLIC,
    "GET /api/bot": PUBLIC,
    "POST /api/visitor": VISITOR,
    "POST /api/chat": OWNED,
    "POST /api/chat/stream": OWNED,
    "GET /api/chat/stream/{turn_id}": OWNED,
    "POST /api/feedback": OWNED,
    "POST /api/handoff": OWNED,
    "GET /api/conversations/{conversation_id}/events": OWNED,
    "GET /v1/models": KEY,
    "POST /v1/chat/completions": KEY,
    "POST /v1/embeddings": KEY,
    "GET /api/admin/setup": PUBLIC,
    "POST /api/admin/setup": PUBLIC,
    "POST /api/admin/login": PUBLIC,
    "GET /api/admin/me": LOGIN,
    "POST /api/admin/me/password": LOGIN,
    "POST /api/admin/logout": LOGIN,
    "GET /api/admin/users": ADMIN,
    "POST /api/admin/users": ADMIN,
    "PATCH /api/admin/users/{user_id}": ADMIN,
    "DELETE /api/admin/users/{user_id}": ADMIN,
    "GET /api/admin/keys": ADMIN,
    "POST /api/admin/keys": ADMIN,
    "DELETE /api/admin/keys/{key_id}": ADMIN,
    "GET /api/admin/audit": ADMIN,
    "GET /api/admin/knowledge-bases": KNOWLEDGE_READ,
    "POST /api/admin/knowledge-bases": KNOWLEDGE_WRITE,
    "GET /api/admin/knowledge-bases/{base}/entries": KNOWLEDGE_READ,
    "POST /api/admin/knowledge-bases/{base}/entries": KNOWLEDGE_WRITE,
    "POST /api/admin/knowledge-bases/{base}/entries/bulk": KNOWLEDGE_WRITE,
    "GET /api/admin/knowledge-bases/{base}/entries/{key:path}/history": KNOWLEDGE_READ,
    "GET /api/admin/knowledge-bases/{base}/entries/{key:path}": KNOWLEDGE_READ,
    "PUT /api/admin/knowledge-bases/{base}/entries/{key:path}": KNOWLEDGE_WRITE,
    "DELETE /api/admin/knowledge-bases/{base}/entries/{key:path}": KNOWLEDGE_WRITE,
    "GET /api/admin/knowledge-bases/{base}/export": KNOWLEDGE_READ,
    "GET /api/admin/knowledge-bases/{base}/duplicates": KNOWLEDGE_READ,
    "POST /api/admin/uploads": KNOWLEDGE_WRITE,
    "POST /api/admin/uploads/url": KNOWLEDGE_WRITE,
    "GET /api/admin/uploads/{upload_id}": KNOWLEDGE_READ,
    "POST /api/admin/uploads/{upload_id}/apply": KNOWLEDGE_WRITE,
    "DELETE /api/admin/uploads/{upload_id}": KNOWLEDGE_WRITE,
    "GET /api/admin/knowledge-bases/{base}/releases": KNOWLEDGE_READ,
    "POST /api/admin/knowledge-bases/{base}/releases": KNOWLEDGE_WRITE,
    "POST /api/admin/knowledge-bases/{base}/releases/{number}/restore": KNOWLEDGE_WRITE,
    "GET /api/admin/knowledge-bases/{base}/draft": KNOWLEDGE_READ,
    "GET /api/admin/knowledge-bases/{base}/tests": KNOWLEDGE_READ,
    "POST /api/admin/knowledge-bases/{base}/tests": KNOWLEDGE_WRITE,
    "POST /api/admin/knowledge-bases/{base}/tests/delete": KNOWLEDGE_WRITE,
    "POST /api/admin/knowledge-bases/{base}/check": KNOWLEDGE_READ,
    "GET /api/admin/knowledge-bases/{base}/check": KNOWLEDGE_READ,
    "POST /api/admin/try": KNOWLEDGE_READ,
    "GET /api/admin/inbox": CONVERSATIONS_READ,
    "GET /api/admin/inbox/events": CONVERSATIONS_READ,
    "GET /api/admin/inbox/{conversation_id}": CONVERSATIONS_READ,
    "GET /api/admin/inbox/{conversation_id}/suggestions": CONVERSATIONS_READ,
    "POST /api/admin/inbox/{conversation_id}/take": CONVERSATIONS_WRITE,
    "POST /api/admin/inbox/{conversation_id}/reply": CONVERSATIONS_WRITE,
    "POST /api/admin/inbox/{conversation_id}/note": CONVERSATIONS_WRITE,
    "POST /api/admin/inbox/{conversation_id}/release": CONVERSATIONS_WRITE,
    "GET /api/admin/customers": ADMIN,
    "GET /api/admin/customers/export": ADMIN,
    "POST /api/admin/customers/erase": ADMIN,
    "GET /api/admin/channels": ADMIN,
    "POST /api/admin/channels/{name}/test": ADMIN,
    "POST /api/admin/people/{name}/test": ADMIN,
    "GET /api/admin/settings": ADMIN,
    "PATCH /api/admin/settings": ADMIN,
    "POST /api/admin/settings/remote/test": ADMIN,
    "GET /api/admin/settings/confidence": KNOWLEDGE_READ,
    "GET /api/admin/review": CONVERSATIONS_READ,
    "POST /api/admin/review/resolve": KNOWLEDGE_WRITE,
    "GET /api/admin/statistics": CONVERSATIONS_READ,
    "GET /api/admin/statistics.csv": CONVERSATIONS_READ,
}
"""A new route has a line here, or the first test fails."""

USERS = tuple(f"user who is {role}" for role in SCOPES_OF_ROLE)
KEYS = tuple(f"key with {scope}" for scope in SCOPES)
EVERYBODY = ("anonymous", "visitor", "program of /v1", "session that ended", *USERS, *KEYS)


def routes_of(application: FastAPI) -> list[str]:
    """Return the method and the path of everything that an application serves."""
    return [f"{method} {route.path}" for route in _flat(application.routes) for method in _methods(route)]


def _flat(routes: Sequence[Any]) -> Iterator[Any]:
    for route in routes:
        if hasattr(route, "effective_candidates"):  # a router that is part of another
            yield from _flat(route.effective_candidates())
        else:
            yield route


def _methods(route: Any) -> set[str]:
    methods = getattr(route, "methods", None)
    return {"MOUNT"} if methods is None else set(methods) - {"HEAD"}


def may(caller: str, need: str) -> bool:
    """Say whether somebody may call what needs something."""
    kind, _, rest = caller.partition(" ")
    scopes: Sequence[str] = ()
    if kind == "user":
        scopes = SCOPES_OF_ROLE[rest.removeprefix("who is ")]
    elif kind == "key":
        scopes = (rest.removeprefix("with "),)
    is_program = kind in ("key", "program")
    return {
        PUBLIC: True,
        VISITOR: not is_program,  # a key is no visitor's token
        OWNED: not is_program,
        KEY: caller == "program of /v1",
        LOGIN: kind in ("user", "key"),
    }.get(need, need in scopes)


@pytest.fixture
def callers(site: Site) -> Iterator[dict[str, httpx.Client]]:
    """Give everybody who may come, each with what proves who they are."""
    site.settings = {
        "server": {"api_keys": [API_KEY]},
        "visitors": {"per_visitor_per_minute": 0, "per_address_per_minute": 0},
        "bots": {"other": {}},
    }
    site.bots = {"other": StubKnowledge()}
    with ExitStack() as stack:
        address = stack.enter_context(site.served())

        def client(**headers: str) -> httpx.Client:
            return stack.enter_context(httpx.Client(base_url=address, timeout=30, headers=headers))

        def bearer(token: str) -> httpx.Client:
            return client(Authorization=f"Bearer {token}")

        def log_in(name: str) -> httpx.Client:
            user = client()
            reply = user.post("/api/admin/login", json={"name": name, "password": PASSWORD})
            user.headers["X-CSRF-Token"] = reply.json()["csrf"]
            return user

        owner = stack.enter_context(site.owner(address))
        found = {
            "anonymous": client(),
            "visitor": bearer(_new_visitor(address)),
            "other visitor": bearer(_new_visitor(address)),
            "program of /v1": bearer(API_KEY),
        }
        for role, caller in zip(SCOPES_OF_ROLE, USERS, strict=True):
            owner.post("/api/admin/users", json={"name": role, "password": PASSWORD, "role": role})
            found[caller] = log_in(role)
        for scope, caller in zip(SCOPES, KEYS, strict=True):
            found[caller] = bearer(owner.post("/api/admin/keys", json={"name": scope, "scopes": [scope]}).json()["key"])
        found["session that ended"] = log_in("owner")
        ended = found["session that ended"].cookies["frontdesk_session"]
        found["session that ended"].post("/api/admin/logout")
        found["session that ended"].cookies.set("frontdesk_session", ended)
        yield found


def _new_visitor(address: str) -> str:
    return str(httpx.post(f"{address}/api/visitor", json={}).json()["token"])


def test_every_route_has_its_line(site: Site) -> None:
    assert sorted(routes_of(site.app())) == sorted(MATRIX)


def test_everybody_may_do_what_is_theirs_and_nothing_else(callers: dict[str, httpx.Client]) -> None:
    last = "POST /api/admin/logout"
    lines = [*(line for line in MATRIX if line != last and not line.startswith("MOUNT")), last]
    wrong = []
    for line in lines:
        method, path = line.split(" ", 1)
        for caller in EVERYBODY:
            status = _status(callers[caller], method, _filled(path))
            allowed = may(caller, MATRIX[line])
            if status >= 500 or (status in (401, 403)) == allowed:
                wrong.append((line, caller, allowed, status))
    assert not wrong, "\n".join(map(str, wrong))


def _filled(path: str) -> str:
    """Return a path to what does not exist: whoever may call it is told so, after it was looked whether they may."""
    names = {"user_id": "999999", "key_id": "999999", "number": "999999"}
    parts = [part.strip("{}").partition(":")[0] if part.startswith("{") else None for part in path.split("/")]
    return "/".join(
        plain if name is None else names.get(name, "nothing")
        for plain, name in zip(path.split("/"), parts, strict=True)
    )


def _status(client: httpx.Client, method: str, path: str) -> int:
    with client.stream(method, path) as response:  # not read to its end: some never end
        if response.status_code == 403 and "json" in response.headers["Content-Type"]:
            response.read()
            assert response.json()["error"]["type"] in ("forbidden", "csrf")
        return response.status_code


def test_without_its_csrf_token_no_session_changes_anything(callers: dict[str, httpx.Client]) -> None:
    owner = callers["user who is owner"]
    del owner.headers["X-CSRF-Token"]
    unsafe = [
        line for line in MATRIX if "/api/admin/" in line and not line.startswith("GET") and MATRIX[line] != PUBLIC
    ]
    assert len(unsafe) > 25
    for line in unsafe:
        method, path = line.split(" ", 1)
        assert _status(owner, method, _filled(path)) == 403, line


ASKED = {"question": "怎么退货？"}


def _own_object(client: httpx.Client) -> tuple[str, str]:
    answer = client.post("/api/chat", json=ASKED).json()
    return answer["conversation_id"], answer["turn_id"]


def _uses(conversation: str, turn: str) -> dict[str, tuple[str, str, dict[str, str] | None]]:
    """Return how each route that is about somebody's object asks for it."""
    return {
        "POST /api/chat": ("POST", "/api/chat", {**ASKED, "conversation_id": conversation}),
        "POST /api/chat/stream": ("POST", "/api/chat/stream", {**ASKED, "conversation_id": conversation}),
        "GET /api/chat/stream/{turn_id}": ("GET", f"/api/chat/stream/{turn}", None),
        "POST /api/feedback": ("POST", "/api/feedback", {"turn_id": turn, "rating": "up"}),
        "POST /api/handoff": ("POST", "/api/handoff", {"conversation_id": conversation}),
        "GET /api/conversations/{conversation_id}/events": ("GET", f"/api/conversations/{conversation}/events", None),
    }


def test_to_everybody_else_a_visitors_object_does_not_exist(callers: dict[str, httpx.Client]) -> None:
    uses = _uses(*_own_object(callers["visitor"]))
    assert set(uses) == {line for line, need in MATRIX.items() if need == OWNED}
    for method, path, body in uses.values():
        for name in ("other visitor", "anonymous", "user who is owner"):
            with callers[name].stream(method, path, json=body) as response:
                assert response.status_code == 404, (name, path)
        with callers["visitor"].stream(method, path, json=body) as response:
            assert response.status_code < 300, path


def test_a_conversation_of_one_bot_is_none_of_anothers(callers: dict[str, httpx.Client]) -> None:
    conversation, _ = _own_object(callers["visitor"])
    asked = {**ASKED, "conversation_id": conversation}
    for path in ("/api/chat", "/api/chat/stream"):
        reply = callers["visitor"].post(path, json=asked, headers={"X-FrontDesk-Bot": "other"})
        assert reply.status_code == 404
    events = read_events(callers["visitor"].post("/api/chat/stream", json=asked).text)
    assert events[-1].name == "done"

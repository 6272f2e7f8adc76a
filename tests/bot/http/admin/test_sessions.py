"""What an intruder tries around a login, and what every answer carries."""

from __future__ import annotations

import pytest
from fastapi.testclient import TestClient

from bot.http.admin import access
from tests.bot.http.admin.conftest import PASSWORD
from tests.bot.http.shapes import assert_error_shape


def test_a_login_never_takes_up_the_session_that_was_sent_along(owner: TestClient) -> None:
    planted = "planted-by-somebody-else"
    owner.cookies.clear()
    owner.cookies.set(access.COOKIE, planted, path=access.COOKIE_PATH)
    reply = owner.post("/api/admin/login", json={"name": "Olga", "password": PASSWORD})
    assert reply.status_code == 200
    assert planted not in reply.headers["set-cookie"]
    owner.cookies.clear()
    owner.cookies.set(access.COOKIE, planted, path=access.COOKIE_PATH)
    assert_error_shape(owner.get("/api/admin/me"), 401, "unauthenticated")


@pytest.mark.parametrize("path", ["/", "/admin", "/docs", "/api/bot", "/api/admin/me", "/page/chat.js", "/nothing"])
def test_every_answer_has_its_safe_headers(client: TestClient, path: str) -> None:
    headers = client.get(path).headers
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "same-origin"
    assert headers["X-Frame-Options"] in ("SAMEORIGIN", "DENY")
    assert headers["X-Request-ID"]
    if path.startswith("/api/"):
        assert headers["Cache-Control"] == "no-store"


NAMES = ["../../etc/passwd.csv", "..\\..\\boot.csv", "a\r\nSet-Cookie: x=1.csv", "\x1b[2J.csv", "<img src=x>.csv"]


@pytest.mark.parametrize("name", NAMES)
def test_the_name_of_an_upload_leads_nowhere(owner: TestClient, name: str) -> None:
    owner.post("/api/admin/knowledge-bases", json={"name": "shop"})
    content = "问题,答案\n怎么退货？,七天\n".encode()
    reply = owner.post("/api/admin/uploads", params={"knowledge_base": "shop", "name": name}, content=content)
    assert reply.status_code in (201, 400)
    assert "set-cookie" not in reply.headers
    if reply.status_code == 201:
        assert reply.json()["name"] == name  # shown as it is, as text


def test_the_name_of_an_export_ends_no_header(owner: TestClient) -> None:
    owner.post("/api/admin/knowledge-bases", json={"name": 'a"; filename=evil.exe'})
    reply = owner.get('/api/admin/knowledge-bases/a"; filename=evil.exe/export')
    assert reply.status_code == 200
    assert '"' not in reply.headers["Content-Disposition"]
    assert reply.headers["Content-Disposition"].endswith("evil.exe.csv".replace("=", "%3D"))

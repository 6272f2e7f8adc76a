"""Uploading over HTTP: preview, apply, cancel."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from fastapi.testclient import TestClient

from bot.http import middleware
from tests.bot.http.shapes import assert_error_shape

UPLOADS = "/api/admin/uploads"
SHOP = {"knowledge_base": "shop", "name": "faq.csv"}
FILE = "question,answer,key,colour\n怎么退货？,7天内。,RET-1,red\n没有答案,,BAD-1,\n".encode()


def send(client: TestClient, content: bytes = FILE, **query: str) -> dict[str, object]:
    reply = client.post(UPLOADS, params={**SHOP, **query}, content=content)
    assert reply.status_code == 201, reply.text
    body: dict[str, object] = reply.json()
    return body


def test_a_preview_says_what_would_change_and_changes_nothing(owner: TestClient) -> None:
    preview = send(owner)
    assert (preview["added_count"], preview["changed_count"], preview["unchanged"]) == (1, 0, 0)
    assert preview["errors"] == [
        {
            "file": "faq.csv",
            "row": 3,
            "column": "answer",
            "text": "没有答案 · BAD-1",
            "code": "no_answer",
            "facts": {},
            "reason": "the answer is empty",
        }
    ]
    assert (preview["ignored_columns"], preview["drafts"], preview["conflicts"]) == (["colour"], False, [])
    assert owner.get("/api/admin/knowledge-bases").json()["knowledge_bases"] == []


def test_an_upload_is_applied_and_says_when_it_is_done(owner: TestClient) -> None:
    upload = f"{UPLOADS}/{send(owner)['id']}"
    assert owner.get(upload).json()["state"] == "preview"
    assert owner.post(f"{upload}/apply").status_code == 202
    while (state := owner.get(upload).json())["state"] == "applying":
        pass
    assert state == {"state": "done", "done": 2, "total": 2, "message": ""}
    assert owner.get("/api/admin/knowledge-bases/shop/entries").json()["total"] == 1
    assert owner.get("/api/admin/audit").json()["entries"][0]["details"] == {
        "file": "faq.csv",
        "added": 1,
        "changed": 0,
    }


def test_a_preview_can_be_dropped(owner: TestClient) -> None:
    upload = f"{UPLOADS}/{send(owner)['id']}"
    assert owner.delete(upload).status_code == 204
    assert_error_shape(owner.get(upload), 404, "not_found")


@pytest.mark.parametrize(("name", "content"), [("photo.png", b"\x89PNG"), ("faq.xlsx", b"no zip"), ("faq.csv", b"")])
def test_a_file_of_no_use_is_refused_by_name(owner: TestClient, name: str, content: bytes) -> None:
    reply = owner.post(UPLOADS, params={**SHOP, "name": name}, content=content)
    assert name in assert_error_shape(reply, 400, "unreadable_file")
    assert reply.json()["error"]["reason"]["facts"]["name"] == name


def test_a_file_may_be_larger_than_other_requests_but_not_endless(
    owner: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    large = FILE + b"%100s\n" % b" " * (middleware.MAX_BODY_BYTES // 100)
    assert send(owner, large)["added_count"] == 1
    monkeypatch.setattr(middleware, "MAX_BYTES", 1_000)
    assert_error_shape(owner.post(UPLOADS, params=SHOP, content=large), 413, "body_too_large")


def test_who_may_not_write_is_refused_before_the_file_is_read(as_role: Callable[[str], TestClient]) -> None:
    client = as_role("agent")
    reply = client.post(UPLOADS, params=SHOP, content=b"x" * (middleware.MAX_BYTES + 1))
    assert_error_shape(reply, 403, "forbidden")

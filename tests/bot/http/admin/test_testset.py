"""The test set over HTTP; what a check says is tested in tests/bot/test_checking.py."""

from __future__ import annotations

import pytest
from fastapi.testclient import TestClient

from tests.bot.http.shapes import assert_error_shape

BASE = "/api/admin/knowledge-bases/shop"
CASES = [{"question": "怎么退货", "key": "RET-1"}, {"question": "发票", "key": "INV-1"}]


@pytest.fixture
def shop(owner: TestClient) -> TestClient:
    owner.post("/api/admin/knowledge-bases", json={"name": "shop"})
    return owner


def test_questions_are_added_and_taken_out(shop: TestClient) -> None:
    assert shop.post(f"{BASE}/tests", json={"cases": CASES}).json() == {"cases": CASES}
    assert shop.post(f"{BASE}/tests/delete", json={"questions": ["发票"]}).status_code == 204
    assert shop.get(f"{BASE}/tests").json() == {"cases": CASES[:1]}


@pytest.mark.parametrize("cases", [[], [{"question": " ", "key": "A"}], [{"question": "x" * 501, "key": "A"}]])
def test_no_questions_are_refused(shop: TestClient, cases: list[dict[str, str]]) -> None:
    assert_error_shape(shop.post(f"{BASE}/tests", json={"cases": cases}), 400, "invalid_request")


def test_without_questions_there_is_nothing_to_check(shop: TestClient) -> None:
    assert_error_shape(shop.post(f"{BASE}/check"), 409, "no_tests")
    assert_error_shape(shop.get(f"{BASE}/check"), 404, "not_found")


def test_a_check_that_fails_says_so(shop: TestClient) -> None:
    shop.post(f"{BASE}/tests", json={"cases": CASES})
    assert shop.post(f"{BASE}/check").status_code == 202
    while (check := shop.get(f"{BASE}/check").json())["state"] == "running":
        pass
    assert (check["state"], check["message"], check["result"]) == ("failed", "see the server's log", None)

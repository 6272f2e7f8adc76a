"""Questions that went wrong, and dealing with them over HTTP."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from fastapi.testclient import TestClient

from bot.accounts import Role
from tests.bot.fakes import RETURNS
from tests.bot.http.conftest import Site
from tests.bot.http.shapes import assert_error_shape

REVIEW = "/api/admin/review"
BASE = "/api/admin/knowledge-bases/shop"


@pytest.fixture
def site(site: Site) -> Site:
    """Give a site that answers nothing."""
    site.knowledge.confidence = 0.01
    return site


@pytest.fixture
def shop(owner: TestClient) -> TestClient:
    """Give an owner with one entry, whose bot was asked two questions in three turns."""
    owner.post("/api/admin/knowledge-bases", json={"name": "shop"})
    owner.post(f"{BASE}/entries", json={"key": "TV-1", "question": "修电视吗？", "answer": "修。"})
    for question in ("怎么修电视", "怎么修电视？", "museum hours"):
        assert owner.post("/api/chat", json={"question": question}).json()["outcome"] == "refused"
    return owner


def questions(client: TestClient, query: str = "") -> list[str]:
    return [cluster["question"] for cluster in client.get(f"{REVIEW}?{query}").json()["clusters"]]


def resolve(client: TestClient, **body: Any) -> Any:
    return client.post(f"{REVIEW}/resolve", json=body)


def test_what_went_wrong_is_listed_with_its_nearest_entry(shop: TestClient) -> None:
    body = shop.get(REVIEW).json()
    assert body["total"] == 2
    first = body["clusters"][0]
    assert len(first.pop("id")) == 16
    assert first.pop("last_at").endswith(("Z", "+00:00"))
    assert first.pop("trend") == [0] * 29 + [2]
    assert first == {
        "question": "怎么修电视？",
        "count": 2,
        "kinds": {"refused": 2, "escalated": 0, "clarify": 0, "down": 0},
        "questions": ["怎么修电视？"],
        "nearest": {"knowledge_base": "default", "key": "RET-1", "question": RETURNS.question, "confidence": 0.01},
        "agent_answer": None,
    }


def test_days_and_kind_are_chosen(shop: TestClient) -> None:
    assert questions(shop, "kind=clarify") == []
    assert len(questions(shop, "kind=refused&days=1")) == 2


@pytest.mark.parametrize("query", ["days=0", "days=367", "days=x", "kind=direct"])
def test_what_cannot_be_listed_is_refused(owner: TestClient, query: str) -> None:
    assert_error_shape(owner.get(f"{REVIEW}?{query}"), 400, "invalid_request")


def test_what_is_ignored_is_gone_and_the_audit_log_knows(shop: TestClient) -> None:
    assert resolve(shop, questions=["怎么修电视？"], action="ignore").json() == {"changed": 1}
    assert questions(shop) == ["museum hours"]
    (entry, *_) = shop.get("/api/admin/audit").json()["entries"]
    assert (entry["actor"], entry["action"], entry["target"], entry["details"]) == (
        "Olga", "review.ignore", "怎么修电视？", {"questions": 1},
    )  # fmt: skip


def test_questions_become_variants_once(shop: TestClient) -> None:
    for _ in range(2):
        reply = resolve(
            shop, questions=["怎么修电视？", "修电视吗"], action="variant", knowledge_base="shop", key="TV-1"
        )
        assert reply.status_code == 200, reply.text
    assert shop.get(f"{BASE}/entries/TV-1").json()["variants"] == ["怎么修电视？"]
    changes = shop.get(f"{BASE}/entries/TV-1/history").json()["changes"]
    assert [change["actor"] for change in changes] == ["Olga", "Olga"]
    assert questions(shop) == ["museum hours"]


def test_questions_become_an_entry(shop: TestClient) -> None:
    asked = ["museum hours", "When is the museum open", "museum hours?"]
    reply = resolve(
        shop, questions=asked, action="entry", knowledge_base="shop", question="Opening hours?", answer=" Nine to six. "
    )
    assert reply.json() == {"changed": 2}
    entry = next(each for each in shop.get(f"{BASE}/entries").json()["entries"] if each["key"] != "TV-1")
    assert (entry["question"], entry["answer"], entry["language"]) == ("Opening hours?", "Nine to six.", "en")
    assert entry["variants"] == ["museum hours", "When is the museum open"]
    assert questions(shop) == ["怎么修电视？"]


def test_the_first_question_stands_for_a_new_entry(shop: TestClient) -> None:
    resolve(
        shop, questions=["怎么修电视？", "电视坏了"], action="entry", knowledge_base="shop", key="TV-2", answer="送来。"
    )
    entry = shop.get(f"{BASE}/entries/TV-2").json()
    assert (entry["question"], entry["variants"]) == ("怎么修电视？", ["电视坏了"])


@pytest.mark.parametrize(
    ("body", "status", "kind"),
    [
        ({"action": "ignore", "questions": []}, 400, "invalid_request"),
        ({"action": "forget"}, 400, "invalid_request"),
        ({"action": "variant", "key": "TV-1"}, 400, "invalid_request"),
        ({"action": "variant", "knowledge_base": "shop"}, 400, "invalid_request"),
        ({"action": "variant", "knowledge_base": "shop", "key": "TV-9"}, 404, "not_found"),
        ({"action": "variant", "knowledge_base": "none", "key": "TV-1"}, 404, "not_found"),
        ({"action": "entry", "knowledge_base": "shop", "answer": " "}, 400, "invalid_request"),
        ({"action": "entry", "knowledge_base": "shop", "answer": "x", "questions": [" "]}, 400, "invalid_request"),
        (
            {"action": "entry", "knowledge_base": "shop", "answer": "x", "questions": ["x" * 501]},
            400,
            "invalid_request",
        ),
        ({"action": "entry", "knowledge_base": "shop", "answer": "x", "key": "TV-1"}, 409, "name_taken"),
        ({"action": "entry", "knowledge_base": "none", "answer": "x"}, 404, "not_found"),
    ],
)
def test_what_cannot_be_done_changes_nothing(shop: TestClient, body: dict[str, Any], status: int, kind: str) -> None:
    before = shop.get(f"{BASE}/entries").json()
    assert_error_shape(resolve(shop, **{"questions": ["怎么修电视"], **body}), status, kind)
    assert shop.get(f"{BASE}/entries").json() == before
    assert len(questions(shop)) == 2


def test_a_question_too_long_for_an_entry_can_still_be_ignored(shop: TestClient) -> None:
    assert resolve(shop, questions=["很长" * 1_000], action="ignore").json() == {"changed": 1}


@pytest.mark.parametrize(("role", "status"), [("viewer", 403), ("agent", 403), ("editor", 200)])
def test_everybody_in_the_console_may_look_and_editors_act(
    as_role: Callable[[Role], TestClient], role: Role, status: int
) -> None:
    client = as_role(role)
    assert client.get(REVIEW).status_code == 200
    assert resolve(client, questions=["怎么修电视"], action="ignore").status_code == status


def test_a_stranger_sees_nothing(client: TestClient) -> None:
    assert_error_shape(client.get(REVIEW), 401, "unauthenticated")
    assert_error_shape(resolve(client, questions=["x"], action="ignore"), 401, "unauthenticated")


def test_what_is_refused_for_a_sensitive_word_is_no_gap_in_the_faq(site: Site, request: pytest.FixtureRequest) -> None:
    site.settings = {"bot": {"sensitive_words": ["博彩"]}}
    owner: TestClient = request.getfixturevalue("owner")
    for question in ("有没有博彩", "怎么修电视"):
        assert owner.post("/api/chat", json={"question": question}).json()["outcome"] == "refused"
    assert questions(owner) == ["怎么修电视"]
    unanswered = owner.get("/api/admin/statistics").json()["top_unanswered"]
    assert unanswered == [{"question": "怎么修电视", "count": 1}]

"""Trying a question out."""

from __future__ import annotations

from collections.abc import Callable

from fastapi.testclient import TestClient
from sqlalchemy import func, select

from bot.store.database import Database
from bot.store.tables import ConversationRow, TurnRow
from tests.bot.fakes import RETURNS, ScriptedModel
from tests.bot.http.admin.conftest import set_up
from tests.bot.http.conftest import Site
from tests.bot.http.shapes import assert_error_shape

Open = Callable[[], TestClient]
ASKED = {"question": "怎么退货？"}


def test_the_numbers_are_those_of_real_chat(owner: TestClient) -> None:
    tried = owner.post("/api/admin/try", json=ASKED).json()
    chatted = owner.post("/api/chat", json=ASKED).json()
    for name in ("outcome", "confidence", "answer", "candidates", "citations", "standalone"):
        assert tried[name] == chatted[name]
    assert tried["thresholds"] == {"direct": 0.85, "grounded": 0.5, "clarify": 0.25}
    assert (tried["prompt"], tried["generated"], tried["grounded"]) == ([], None, None)


def test_the_prompt_and_what_came_of_it_are_shown(site: Site, open_client: Open) -> None:
    site.knowledge.confidence, site.local = 0.6, ScriptedModel("签收后30天内可以申请退货。")
    tried = set_up(open_client()).post("/api/admin/try", json=ASKED).json()
    assert [message["role"] for message in tried["prompt"]] == ["system", "user"]
    assert RETURNS.answer in tried["prompt"][0]["content"]
    assert (tried["generated"], tried["grounded"]) == ("签收后30天内可以申请退货。", False)
    assert (tried["answer"], tried["degraded"]) == (RETURNS.answer, True)


def test_earlier_questions_are_the_context(owner: TestClient) -> None:
    tried = owner.post("/api/admin/try", json={"question": "那运费呢？", "earlier": ["怎么退货？"]}).json()
    assert tried["standalone"] == "怎么退货？ 那运费呢？"


async def test_nothing_is_logged_and_nobody_called(owner: TestClient, site: Site) -> None:
    assert owner.post("/api/admin/try", json={"question": "转人工"}).json()["outcome"] == "handoff"
    database = Database(site.url)
    async with database.transaction() as session:
        for table in (ConversationRow, TurnRow):
            assert await session.scalar(select(func.count()).select_from(table)) == 0
    await database.close()


def test_no_question_is_refused(owner: TestClient) -> None:
    assert_error_shape(owner.post("/api/admin/try", json={"question": " "}), 400, "empty_question")

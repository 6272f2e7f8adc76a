from __future__ import annotations

from pathlib import Path

import pytest

from bot.checking import Check, Checks, Comparison
from bot.published import PublishedKnowledge
from bot.sections import RoutingSettings
from bot.store.database import Database
from bot.store.knowledge import KnowledgeStore
from knowledge.embedding.absent import AbsentEmbedder
from knowledge.errors import ModelUnavailable
from knowledge.evaluation.cases import TestCase, Verdict
from tests.bot.fakes import HOURS, INVOICE, RETURNS

BANDS = RoutingSettings()
CASES = [TestCase("怎么退货", ("RET-1",)), TestCase("怎么开发票", ("INV-1",))]


@pytest.fixture
async def knowledge(database: Database, tmp_path: Path) -> PublishedKnowledge:
    store = KnowledgeStore(database)
    await store.upsert("kb", [RETURNS, HOURS])
    await store.publish("kb")
    knowledge = PublishedKnowledge(store, AbsentEmbedder(), tmp_path / "index")
    await knowledge.refresh()
    await store.upsert("kb", [INVOICE])
    return knowledge


async def ended(check: Check) -> Check:
    assert check.task is not None
    await check.task
    return check


async def test_what_is_published_is_held_against_what_is_edited(knowledge: PublishedKnowledge) -> None:
    checks = Checks(knowledge)
    check = checks.start("kb", CASES, BANDS)
    assert checks.start("kb", CASES, BANDS) is check
    await ended(check)
    assert (check.state, check.done, check.total) == ("done", 4, 4)
    assert check.comparison is not None
    assert [verdict.found for verdict in check.comparison.after] == ["RET-1", "INV-1"]
    result = check.comparison.to_dict()
    assert (result["before"]["right"], result["after"]["right"]) == (1, 2)
    assert [(change["question"], change["after"]["result"]) for change in result["changed"]] == [
        ("怎么开发票", "right")
    ]
    assert checks.find("kb") is check


async def test_before_the_first_release_there_is_no_before(database: Database, tmp_path: Path) -> None:
    store = KnowledgeStore(database)
    await store.upsert("kb", [RETURNS])
    checks = Checks(PublishedKnowledge(store, AbsentEmbedder(), tmp_path / "index"))
    check = await ended(checks.start("kb", CASES, BANDS))
    assert check.comparison is not None
    result = check.comparison.to_dict()
    assert (result["before"], result["total"], result["changed"]) == (None, 2, [])


async def test_a_failure_is_told(knowledge: PublishedKnowledge, monkeypatch: pytest.MonkeyPatch) -> None:
    async def fail(*_: object) -> None:
        raise ModelUnavailable("no model")

    monkeypatch.setattr(knowledge, "rehearse", fail)
    check = await ended(Checks(knowledge).start("kb", CASES, BANDS))
    assert (check.state, check.message) == ("failed", "no model")


async def test_closing_gives_up_what_is_running(knowledge: PublishedKnowledge) -> None:
    checks = Checks(knowledge)
    check = checks.start("kb", CASES, BANDS)
    await checks.close()
    assert check.task is not None
    assert check.task.cancelled()


@pytest.mark.parametrize(
    ("found", "confidence", "result"),
    [
        ("RET-1", 0.9, "right"),
        ("RET-1", 0.6, "right"),
        ("RET-1", 0.4, "unanswered"),
        ("OTHER", 0.9, "wrong"),
        ("OTHER", 0.1, "unanswered"),
        (None, 0.0, "unanswered"),
    ],
)
def test_a_result_is_what_the_customer_would_have_got(found: str | None, confidence: float, result: str) -> None:
    verdict = Verdict(CASES[0], (found,) if found else (), confidence)
    shown = Comparison([], [verdict], BANDS).to_dict()
    assert shown["after"] == {result: 1}
    assert len(shown["wrong"]) == (result == "wrong")

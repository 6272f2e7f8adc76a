from __future__ import annotations

from datetime import date
from pathlib import Path

from knowledge.confidence import calibration_for
from knowledge.embedding.absent import AbsentEmbedder
from knowledge.entries import Entry
from knowledge.evaluation.cases import TestCase, evaluate
from knowledge.index.snapshot import Located, open_snapshot
from knowledge.search import Searcher

ENTRIES = [
    Entry(key="RET", question="怎么退货？", answer="7天内可以退货。"),
    Entry(key="INV", question="怎么开发票？", answer="在订单页申请。", status="disabled"),
]


def searcher(folder: Path) -> Searcher:
    embedder = AbsentEmbedder()
    snapshot = open_snapshot(folder, [Located("shop", entry) for entry in ENTRIES], embedder)
    return Searcher(snapshot, embedder, calibration_for(embedder.name))


def test_each_question_is_judged_and_counted(tmp_path: Path) -> None:
    cases = [TestCase("怎么退货", ("RET",)), TestCase("怎么开发票", ("INV",)), TestCase("退货", ("OTHER",))]
    progress: list[tuple[int, int]] = []
    verdicts = evaluate(
        searcher(tmp_path),
        cases,
        today=date(2026, 1, 1),
        on_progress=lambda done, total: progress.append((done, total)),
    )
    assert [verdict.case for verdict in verdicts] == cases
    assert [(verdict.found, verdict.right) for verdict in verdicts] == [("RET", True), ("RET", False), ("RET", False)]
    assert verdicts[0].confidence == 1.0
    assert progress == [(1, 3), (2, 3), (3, 3)]


def test_where_nothing_is_live_nothing_is_found(tmp_path: Path) -> None:
    only_disabled = open_snapshot(tmp_path, [Located("shop", ENTRIES[1])], AbsentEmbedder())
    found = evaluate(
        Searcher(only_disabled, AbsentEmbedder(), calibration_for("none (words only)")),
        [TestCase("怎么开发票", ("INV",))],
        today=date(2026, 1, 1),
    )
    assert [(verdict.found, verdict.confidence) for verdict in found] == [(None, 0.0)]


def test_an_answer_holds_every_phrase_and_one_of_what_is_accepted() -> None:
    case = TestCase("几天", ("a",), phrases=("天",), accepted=("三天。", "3 天"))
    assert [case.is_answered_by(text) for text in ("要三天", "要3天", "要四天", "三日", "")] == [
        True, True, False, False, False,
    ]  # fmt: skip
    assert TestCase("几天", ("a",)).is_answered_by("")

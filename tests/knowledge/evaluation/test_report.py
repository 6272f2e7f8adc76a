from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from knowledge.errors import SuiteUnreadable
from knowledge.evaluation.cases import TestCase, Verdict
from knowledge.evaluation.page import to_html
from knowledge.evaluation.report import Judged, compare, read_report, summarise, to_report
from knowledge.evaluation.words import FIGURES, OUTCOMES, RESULTS, WORDS

ABOUT = {
    "at": "2026-11-25T10:00:00+00:00",
    "settings": None,
    "knowledge_base": "shop",
    "embedding": "e5",
    "chat": None,
    "bands": {"direct": 0.85},
}


def judged(keys: str, found: str, confidence: float, outcome: str, **more: Any) -> Judged:
    verdict = Verdict(TestCase(f"{keys}?{found}", tuple(keys.split())), tuple(found.split()), confidence, 10.0)
    return Judged(verdict, outcome, **more)


FIVE = [
    judged("A", "A B", 0.9, "direct"),
    judged("B", "A C B", 0.8, "grounded", grounded=False),
    judged("C", "A C", 0.2, "clarify"),
    judged("", "A", 0.7, "grounded", grounded=True),
    judged("", "B", 0.1, "refused"),
]


def test_the_figures_are_those_of_the_questions() -> None:
    figures = summarise(FIVE)
    expected = {
        "questions": 5,
        "unanswerable": 2,
        "hit1": 1 / 3,
        "hit3": 1.0,
        "mrr": (1 + 1 / 3 + 1 / 2) / 3,
        "answered": 3 / 5,
        "precision": 1 / 3,
        "false_answers": 1 / 2,
        "worded": 2,
        "not_borne_out": 1,
        "p50_ms": 10.0,
    }
    assert {name: figures[name] for name in expected} == pytest.approx(expected)
    assert figures.keys() == FIGURES.keys()


def test_what_cannot_be_counted_is_none() -> None:
    only_silent = summarise([judged("", "", 0.0, "refused")])
    assert [only_silent[name] for name in ("hit1", "precision", "auroc")] == [None, None, None]
    assert summarise([])["questions"] == 0


def test_an_answer_without_its_phrases_is_wrong() -> None:
    assert [each.result for each in FIVE] == ["right", "wrong", "missed", "wrong", "rightly silent"]
    assert judged("A", "A", 0.9, "direct", complete=False).result == "wrong"


def test_questions_whose_result_or_entry_is_another_are_the_changes() -> None:
    before = to_report("s", FIVE, ABOUT)
    after = to_report("s", [judged("A", "A B", 0.9, "clarify"), *FIVE[1:]], ABOUT)
    assert [(each["before"]["result"], each["after"]["result"]) for each in compare(before, after)] == [
        ("right", "missed"),
    ]
    assert compare(before, before) == []


def test_a_report_is_read_as_it_was_written(tmp_path: Path) -> None:
    report = to_report("s", FIVE, ABOUT)
    (tmp_path / "r.json").write_text(json.dumps(report), encoding="utf-8")
    assert read_report(tmp_path / "r.json") == json.loads(json.dumps(report))


@pytest.mark.parametrize("content", ["", "{", "[]", '{"figures": {}}'])
def test_what_is_no_report_is_refused(content: str, tmp_path: Path) -> None:
    (tmp_path / "r.json").write_text(content)
    with pytest.raises(SuiteUnreadable, match="is no report"):
        read_report(tmp_path / "r.json")


@pytest.mark.parametrize("language", ["zh", "en"])
def test_the_page_is_whole_and_needs_nothing_else(language: str) -> None:
    attack = judged("<script>alert(1)</script>", "<img/src=x>", 0.5, "direct")
    page = to_html(to_report("<s>", [*FIVE, attack], ABOUT), to_report("s", FIVE[::-1], ABOUT), language)
    assert WORDS[language]["reliability"] in page
    assert not re.search(r"<script|<img|https?://", page)
    for drawing in re.findall(r"<svg.*?</svg>", page, re.DOTALL):
        assert ElementTree.fromstring(drawing) is not None
    assert page.count("<svg") == 2


def test_every_word_is_there_in_both_languages() -> None:
    assert WORDS["zh"].keys() == WORDS["en"].keys()
    for labels in (*FIGURES.values(), *OUTCOMES.values(), *(each[:2] for each in RESULTS.values())):
        assert re.search(r"[\u4e00-\u9fff]", labels[0])
        assert not re.search(r"[\u4e00-\u9fff]", labels[1])

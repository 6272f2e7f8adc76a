"""The dialogues over the examples, by the real model: what a customer means in the middle of a conversation."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from bot.evaluating import judge_search
from bot.sections import RoutingSettings
from knowledge.embedding.gguf import GgufEmbedder
from knowledge.evaluation.report import summarise
from knowledge.evaluation.suites import read_suite
from knowledge.importing.files import read_faq_file
from knowledge.index.snapshot import Located
from knowledge.opening import open_searcher
from tests.knowledge.conftest import e5, e5_weights

__all__ = ["e5", "e5_weights"]

EXAMPLES = Path(__file__).parents[2] / "examples"


@pytest.mark.parametrize(("name", "dialogues", "hit1"), [("shop-zh", 93, 0.83), ("bank-en", 62, 0.79)])
def test_follow_ups_are_understood(name: str, dialogues: int, hit1: float, tmp_path: Path, e5: GgufEmbedder) -> None:
    cases = read_suite(EXAMPLES / name / "dialogues.jsonl").cases
    assert sum(not case.earlier for case in cases) == dialogues
    entries = [Located(name, entry) for entry in read_faq_file(EXAMPLES / name / "faq.csv").entries]
    searcher = open_searcher(tmp_path, entries, e5)
    figures = summarise(judge_search(searcher, cases, RoutingSettings(), today=date(2026, 1, 1)))
    assert (figures["hit1"] or 0) >= hit1
    assert (figures["hit3"] or 0) >= 0.92
    assert (figures["ece"] or 1) <= 0.16


@pytest.mark.parametrize(("name", "hit1"), [("shop-zh", 0.82), ("bank-en", 0.65)])
def test_a_second_question_that_moves_on_is_understood(
    name: str, hit1: float, tmp_path: Path, e5: GgufEmbedder
) -> None:
    cases = [case for case in read_suite(EXAMPLES / name / "questions.csv").cases if case.earlier]
    entries = [Located(name, entry) for entry in read_faq_file(EXAMPLES / name / "faq.csv").entries]
    searcher = open_searcher(tmp_path, entries, e5)
    figures = summarise(judge_search(searcher, cases, RoutingSettings(), today=date(2026, 1, 1)))
    assert (figures["hit1"] or 0) >= hit1

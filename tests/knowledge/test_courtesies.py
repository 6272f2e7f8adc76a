from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pytest

from knowledge.courtesies import MOST, Courtesies, vectors_of_examples
from knowledge.embedding.absent import AbsentEmbedder
from knowledge.embedding.gguf import GgufEmbedder
from knowledge.evaluation.suites import read_suite
from knowledge.importing.files import read_faq_file
from knowledge.index.snapshot import Located
from knowledge.opening import open_searcher
from knowledge.search import Query, Searcher
from tests.knowledge.fakes import HashEmbedder

pytestmark = pytest.mark.xdist_group("e5")

ROOT = Path(__file__).parents[2]
TODAY = date(2026, 5, 1)


@pytest.fixture(scope="module")
def bank(e5: GgufEmbedder, tmp_path_factory: pytest.TempPathFactory) -> Searcher:
    entries = read_faq_file(ROOT / "examples" / "bank-en" / "faq.csv").entries
    return open_searcher(tmp_path_factory.mktemp("index"), [Located("bank", entry) for entry in entries], e5)


@pytest.fixture(scope="module")
def courtesies(e5: GgufEmbedder, bank: Searcher) -> Courtesies:
    return Courtesies(e5, bank.snapshot, vectors_of_examples(e5))


@pytest.mark.parametrize(
    ("typed", "asked"),
    [
        ("您好，打扰一下，怎么退货？非常感谢！", "怎么退货"),
        ("您好，打擾一下，怎麼退貨？非常感謝！", "怎么退货"),
        ("怎么退货 谢谢啦 在线等", "怎么退货"),
        ("Hello there! How do I block my card? Many thanks.", "how do i block my card"),
        ("Hi, I paid £64.20 in May 2.5 times, why? thanks", "i paid £64.20 in may 2.5 times why"),
        ("😀 Good morning – what are your fees? Kind regards", "what are your fees"),
    ],
)
def test_what_is_said_around_a_question_is_left_out(courtesies: Courtesies, typed: str, asked: str) -> None:
    assert courtesies.without(typed) == asked


@pytest.mark.parametrize(
    "question",
    [
        "你好",
        "你好，在吗？",
        "Hello! Thanks.",
        "Thank you",
        "怎么退货？",
        "How do I say thank you?",
        "",
        "？！",
        "，" * 500,
    ],
)
def test_a_question_that_has_none_or_is_nothing_else_stays_as_it_is(courtesies: Courtesies, question: str) -> None:
    assert courtesies.without(question) == question


def test_long_clauses_are_what_is_asked(courtesies: Courtesies) -> None:
    story = "thank you for reading this long story about the card that your machine kept last night"
    assert courtesies.without(f"{story}, hello") == story


def test_without_a_model_nothing_is_known_of_them(bank: Searcher) -> None:
    absent, snapshot = AbsentEmbedder(), replace(bank.snapshot, center=np.zeros(1, dtype=np.float32))
    assert Courtesies(absent, snapshot, vectors_of_examples(absent)).without("Hi, why?") == "Hi, why?"


def test_the_examples_are_embedded_once() -> None:
    embedder = HashEmbedder()
    first = vectors_of_examples(embedder)
    embedder.embedded.clear()
    assert vectors_of_examples(embedder) is first
    assert embedder.embedded == []


def test_a_message_of_a_thousand_clauses_costs_few_embeddings(bank: Searcher) -> None:
    own = HashEmbedder()
    snapshot = replace(bank.snapshot, center=np.zeros(64, dtype=np.float32))
    courtesies = Courtesies(own, snapshot, vectors_of_examples(own))
    own.embedded.clear()
    courtesies.without("，".join(f"嗯{number}" for number in range(1_000)))
    assert len(own.embedded) == MOST


def test_a_word_of_the_knowledge_base_keeps_its_clause(courtesies: Courtesies) -> None:
    assert courtesies.without("Are you open? At the weekend?") == "Are you open? At the weekend?"


def test_an_entry_that_is_not_live_is_not_certain(bank: Searcher, e5: GgufEmbedder, tmp_path: Path) -> None:
    gone, *others = [located.entry for located in bank.snapshot.entries][:5]
    gone = replace(gone, valid_until=TODAY - timedelta(days=1))
    searcher = open_searcher(tmp_path, [Located("bank", entry) for entry in (gone, *others)], e5)
    evidence = searcher.search(Query(f"Hello! {gone.question} Thanks!"), today=TODAY)
    assert evidence.confidence < 1.0
    assert gone.key not in [candidate.entry.key for candidate in evidence.candidates]


def test_a_slip_that_is_put_right_is_still_only_likely(bank: Searcher) -> None:
    [entry] = [located.entry for located in bank.snapshot.entries if located.entry.key == "BANK-001"]
    evidence = bank.search(Query(entry.question.replace("card", "carrd")), today=TODAY)
    assert evidence.candidates[0].entry.key == entry.key
    assert evidence.confidence < 1.0


def test_with_them_an_entry_is_as_certain_as_without(bank: Searcher) -> None:
    [entry] = [located.entry for located in bank.snapshot.entries if located.entry.key == "BANK-001"]
    evidence = bank.search(Query(f"Good evening! {entry.question} Thank you so much"), today=TODAY)
    assert (evidence.confidence, evidence.candidates[0].entry.key) == (1.0, entry.key)


def test_who_greets_and_thanks_is_found_what_he_asks_for(bank: Searcher, e5: GgufEmbedder) -> None:
    plain = Searcher(bank.snapshot, e5, bank.calibration)
    cases = [case for case in read_suite(ROOT / "benchmarks/suites/courtesies_en_2.csv").cases if case.keys]

    def right(searcher: Searcher) -> int:
        found = [searcher.search(Query(case.question), today=TODAY).candidates[0].entry.key for case in cases]
        return sum(key in case.keys for key, case in zip(found, cases, strict=True))

    assert right(bank) > right(plain)

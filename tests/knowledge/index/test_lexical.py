from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from knowledge.index.lexical import LexicalIndex
from tests.knowledge.fakes import examples

DOCUMENTS = ["怎么退货？七天内可以退货。", "怎么开发票？", "How do I return the A8B kettle?", "？！"]


@pytest.fixture(scope="module")
def index() -> LexicalIndex:
    return LexicalIndex(DOCUMENTS)


@pytest.mark.parametrize(("question", "document"), [("我要退货", 0), ("发票", 1), ("A8B", 2), ("returning", 2)])
def test_the_document_with_the_word_scores_highest(index: LexicalIndex, question: str, document: int) -> None:
    assert np.argmax(index.scores(question)) == document


@pytest.mark.parametrize("question", ["", "？", "的", "zzz", "彩虹"])
def test_a_question_without_a_known_word_scores_nothing(index: LexicalIndex, question: str) -> None:
    assert not index.scores(question).any()


def test_there_is_one_score_for_each_document(index: LexicalIndex) -> None:
    assert index.scores("退货").shape == (len(DOCUMENTS),)


def test_a_document_that_holds_every_word_covers_the_question(index: LexicalIndex) -> None:
    assert index.coverage("退货", 0) == pytest.approx(1)


def test_a_document_that_holds_no_word_covers_nothing(index: LexicalIndex) -> None:
    assert index.coverage("退货", 1) == index.coverage("", 0) == 0


def test_a_rare_word_covers_more_than_a_common_one() -> None:
    index = LexicalIndex(["kettle blue", "kettle red", "kettle", "kettle green", "blue kettle", "lamp"])
    assert index.coverage("red kettle", 1) > index.coverage("red kettle", 2)
    assert index.coverage("lamp kettle", 5) > index.coverage("lamp kettle", 2)


@examples
@given(st.text(max_size=20), st.integers(0, len(DOCUMENTS) - 1))
def test_coverage_is_a_share(question: str, document: int) -> None:
    assert 0 <= LexicalIndex(DOCUMENTS).coverage(question, document) <= 1 + 1e-9


def test_documents_without_words_can_be_indexed() -> None:
    assert not LexicalIndex(["", "？"]).scores("退货").any()

from __future__ import annotations

from dataclasses import replace

import pytest

from knowledge.entries import Entry
from knowledge.errors import TooFewVariants
from knowledge.tuning.lines import FEWEST_EXAMINED, divide, to_pairs


def faq(count: int, variants: int = 3) -> list[Entry]:
    return [
        Entry(
            key=f"e{number}",
            question=f"Question {number}?",
            variants=tuple(f"way {way} of asking {number}" for way in range(variants)),
            answer=f"Answer {number}.",
        )
        for number in range(count)
    ]


def test_what_is_asked_later_is_not_learnt_from() -> None:
    lessons = divide(faq(30), seed=0)
    asked = {case.question for case in (*lessons.examination, *lessons.validation)}
    assert len(lessons.examination) == 30
    assert len(lessons.validation) == 10
    assert len(asked) == 40
    learnt = {line for entry in lessons.entries for line in entry.questions}
    assert asked & learnt == set()
    assert len(learnt) == 30 * 4 - 40


def test_every_question_asked_is_answered_by_its_own_entry() -> None:
    whole = {entry.key: entry for entry in faq(30)}
    lessons = divide(list(whole.values()), seed=0)
    for case in (*lessons.examination, *lessons.validation):
        assert case.question in whole[case.keys[0]].variants


def test_the_examination_searches_the_lines_of_validation() -> None:
    lessons = divide(faq(30), seed=0)
    searched = {line for entry in lessons.examined for line in entry.questions}
    assert {case.question for case in lessons.validation} <= searched
    assert searched.isdisjoint(case.question for case in lessons.examination)


def test_another_seed_holds_out_other_variants() -> None:
    assert divide(faq(30), seed=0) == divide(faq(30), seed=0)
    assert divide(faq(30), seed=0) != divide(faq(30), seed=1)


def test_entries_without_variants_are_learnt_from_but_not_asked() -> None:
    bare = replace(faq(31)[30], variants=())
    lessons = divide([*faq(30), bare], seed=0)
    assert bare in lessons.entries
    assert "e30" not in {key for case in lessons.examination for key in case.keys}


@pytest.mark.parametrize("entries", [[], faq(FEWEST_EXAMINED - 1), faq(200, variants=0)])
def test_too_little_to_ask_is_said(entries: list[Entry]) -> None:
    with pytest.raises(TooFewVariants, match="more ways of asking"):
        divide(entries, seed=0)


def test_a_variant_goes_with_its_question_and_that_with_its_answer() -> None:
    [entry] = faq(1, variants=1)
    pairs = to_pairs([entry], "query: ", "passage: ")
    assert pairs["questions"] == [("query: way 0 of asking 0", "query: question 0?")]
    assert pairs["answers"] == [("query: question 0?", "passage: Question 0?\nAnswer 0.")]

from __future__ import annotations

from dataclasses import replace
from itertools import combinations

from hypothesis import given
from hypothesis import strategies as st

from knowledge.duplicates import SIMILARITY, _pairs, find_duplicates
from knowledge.entries import Entry
from tests.knowledge.fakes import examples

FIRST = Entry(key="a", question="退货的运费由谁承担？", answer="由我们承担。")
SECOND = Entry(key="b", question="退货的运费由谁承担", answer="由您承担。")


def test_the_same_question_with_two_answers_is_a_conflict() -> None:
    [pair] = find_duplicates([FIRST, SECOND])
    assert (pair.first, pair.second, pair.conflicting) == (FIRST, SECOND, True)


def test_a_nearly_equal_question_counts() -> None:
    assert [
        pair.conflicting for pair in find_duplicates([FIRST, replace(SECOND, question="请问退货的运费由谁承担")])
    ] == [True]


def test_the_same_question_with_the_same_answer_is_a_duplicate_without_conflict() -> None:
    pairs = find_duplicates([FIRST, replace(SECOND, answer="由我们承担")])
    assert [pair.conflicting for pair in pairs] == [False]


def test_another_question_is_no_duplicate() -> None:
    assert not list(find_duplicates([FIRST, replace(SECOND, question="怎么开发票？")]))


def test_a_variant_counts_too_and_is_named() -> None:
    other = Entry(key="c", question="邮费谁出", variants=("退货的运费由谁承担",), answer="看情况。")
    [pair] = find_duplicates([FIRST, other])
    assert pair.second_question == "退货的运费由谁承担"


def test_two_entries_are_a_pair_once_however_many_variants_they_share() -> None:
    variants = ("怎么退货呢", "退货去哪里办理", "东西坏了怎么办")
    pairs = list(find_duplicates([replace(FIRST, variants=variants), replace(SECOND, variants=variants)]))
    assert len(pairs) == 1


def test_an_entry_is_no_duplicate_of_itself() -> None:
    assert not list(find_duplicates([replace(FIRST, variants=(FIRST.question, SECOND.question))]))


def test_three_answers_to_one_question_are_three_pairs() -> None:
    assert len(list(find_duplicates([FIRST, SECOND, replace(SECOND, key="c", answer="一人一半。")]))) == 3


def test_a_duplicate_among_many_alike_questions_is_found() -> None:
    crowd = [Entry(key=f"k{n}", question=f"请问型号{n:03}的保修期有多久", answer=f"{n} 个月。") for n in range(250)]
    found = find_duplicates([*crowd, Entry(key="twin", question="请问型号007的保修期有多久？", answer="不保修。")])
    assert ("k7", "twin") in {(pair.first.key, pair.second.key) for pair in found}


def test_questions_of_one_letter_or_none_are_compared_without_trouble() -> None:
    assert not list(find_duplicates([replace(FIRST, question="退"), replace(SECOND, question="？")]))


@examples
@given(st.lists(st.text("退货发票ab", min_size=1, max_size=8), min_size=2, max_size=12))
def test_no_pair_is_missed(questions: list[str]) -> None:
    entries = [Entry(key=str(number), question=text, answer="a") for number, text in enumerate(questions)]
    found = {(pair.first.key, pair.second.key) for pair in find_duplicates(entries)}
    for one, other in combinations(entries, 2):
        left, right = _pairs(one.question), _pairs(other.question)
        assert ((one.key, other.key) in found) == (len(left & right) >= SIMILARITY * len(left | right))

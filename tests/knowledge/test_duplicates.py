from __future__ import annotations

from dataclasses import replace

from knowledge.duplicates import find_conflicts
from knowledge.entries import Entry

FIRST = Entry(key="a", question="退货的运费由谁承担？", answer="由我们承担。")
SECOND = Entry(key="b", question="退货的运费由谁承担", answer="由您承担。")


def test_the_same_question_with_two_answers_is_a_conflict() -> None:
    [conflict] = find_conflicts([FIRST, SECOND])
    assert (conflict.first, conflict.second) == (FIRST, SECOND)


def test_a_nearly_equal_question_is_a_conflict() -> None:
    assert find_conflicts([FIRST, replace(SECOND, question="请问退货的运费由谁承担")])


def test_the_same_answer_is_no_conflict() -> None:
    assert find_conflicts([FIRST, replace(SECOND, answer="由我们承担")]) == []


def test_another_question_is_no_conflict() -> None:
    assert find_conflicts([FIRST, replace(SECOND, question="怎么开发票？")]) == []


def test_a_variant_conflicts_too_and_is_named() -> None:
    other = Entry(key="c", question="邮费谁出", variants=("退货的运费由谁承担",), answer="看情况。")
    [conflict] = find_conflicts([FIRST, other])
    assert conflict.second_question == "退货的运费由谁承担"


def test_two_entries_conflict_once_however_many_variants_they_share() -> None:
    variants = ("怎么退货呢", "退货去哪里办理", "东西坏了怎么办")
    conflicts = find_conflicts([replace(FIRST, variants=variants), replace(SECOND, variants=variants)])
    assert len(conflicts) == 1


def test_an_entry_does_not_conflict_with_itself() -> None:
    assert find_conflicts([replace(FIRST, variants=(FIRST.question, SECOND.question))]) == []


def test_three_answers_to_one_question_are_three_conflicts() -> None:
    assert len(find_conflicts([FIRST, SECOND, replace(SECOND, key="c", answer="一人一半。")])) == 3


def test_a_duplicate_among_many_alike_questions_is_found() -> None:
    crowd = [Entry(key=f"k{n}", question=f"请问型号{n:03}的保修期有多久", answer=f"{n} 个月。") for n in range(250)]
    found = find_conflicts([*crowd, Entry(key="twin", question="请问型号007的保修期有多久？", answer="不保修。")])
    assert ("k7", "twin") in {(conflict.first.key, conflict.second.key) for conflict in found}


def test_questions_of_one_letter_or_none_are_compared_without_trouble() -> None:
    assert find_conflicts([replace(FIRST, question="退"), replace(SECOND, question="？")]) == []

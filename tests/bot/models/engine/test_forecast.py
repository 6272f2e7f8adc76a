from __future__ import annotations

import pytest

from bot.models.base import Sampling
from bot.models.engine.composing import ROWS
from bot.models.engine.forecast import FIRST_WORDS, TURN, Load, left_to_compute, until_first_words
from bot.models.engine.request import Request

NOBODY = Load(prompt_tokens=0, answers=0, without_slot=0, slots=8)


def linear(rows: int) -> float:
    return rows / 100


def test_whoever_is_alone_waits_for_the_prompt_and_the_first_words() -> None:
    alone = Load(prompt_tokens=10 * ROWS, answers=0, without_slot=0, slots=8)
    assert until_first_words(NOBODY, linear) == pytest.approx(FIRST_WORDS / 100)
    assert until_first_words(alone, linear) == pytest.approx(10 * ROWS / 100 + FIRST_WORDS / 100)


def test_answers_beside_make_every_step_longer() -> None:
    beside = Load(prompt_tokens=ROWS - 4, answers=4, without_slot=-4, slots=8)
    assert until_first_words(beside, linear) == pytest.approx(ROWS / 100 + FIRST_WORDS * 5 / 100)


def test_no_more_answers_are_written_at_once_than_there_are_slots() -> None:
    many, full = (Load(prompt_tokens=480, answers=answers, without_slot=0, slots=8) for answers in (100, 7))
    assert until_first_words(many, linear) == until_first_words(full, linear)


def test_whoever_has_no_slot_waits_for_the_turns_of_others() -> None:
    first, ninth = (Load(prompt_tokens=0, answers=0, without_slot=place, slots=8) for place in (1, 9))
    turn = TURN * 8 / 100
    assert until_first_words(first, linear) == pytest.approx(turn / 8 + FIRST_WORDS / 100)
    assert until_first_words(ninth, linear) == pytest.approx(9 * turn / 8 + FIRST_WORDS / 100)


def test_what_is_known_of_a_prompt_need_not_be_waited_for() -> None:
    request = Request([7] * 300, anchor=280, sampling=Sampling())
    assert left_to_compute(request, set().__contains__) == 300
    assert left_to_compute(request, {request.beginning}.__contains__) == 20


def test_of_a_prompt_that_is_being_computed_the_rest_is_waited_for() -> None:
    request = Request([7] * 300, anchor=280, sampling=Sampling(), slot=2)
    request.computed = 290
    assert left_to_compute(request, set().__contains__) == 10

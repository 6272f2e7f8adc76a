"""How long a customer who comes now would wait, so that nobody is let in who would wait for too long."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from bot.models.engine.composing import ROWS
from bot.models.engine.prefixes import Key
from bot.models.engine.request import Request

TURN = 64
"""Tokens of an answer after which it makes room for a customer who has none yet."""

FIRST_WORDS = 12
"""Tokens of an answer before there is a clause to be checked: nobody reads anything earlier."""


@dataclass(frozen=True)
class Load:
    """What an engine with so many slots has to do before a request's first words, its own prompt included."""

    prompt_tokens: int
    answers: int
    without_slot: int
    slots: int


def left_to_compute(request: Request, is_known: Callable[[Key], bool]) -> int:
    """Count the tokens of a request's prompt whose state is not there: all, or what follows its anchor."""
    if request.slot >= 0:
        return request.left
    return request.goal - (request.anchor if is_known(request.beginning) else 0)


def until_first_words(load: Load, seconds: Callable[[int], float]) -> float:
    """Return the seconds until a request's first words; `seconds` is what a step of so many rows takes."""
    others = min(load.answers, load.slots - 1)
    prefill = load.prompt_tokens / (ROWS - others) * seconds(ROWS)
    queue = max(0, load.without_slot) / load.slots * TURN * seconds(load.slots)
    return queue + prefill + FIRST_WORDS * seconds(1 + others)

"""What a step computes: answers go on, prompts get what room there is, and guesses fill it up."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from bot.models.engine.drafting import FILLED, share_rows
from bot.models.engine.request import Request

ROWS = 48
"""Rows of a step at most: about 0.1 s on two cores, which whoever is being answered waits at most.

llama.cpp multiplies sixteen rows at a time, which makes 48 rows cheaper each than 60. From 64 rows on it takes another
attention kernel, whose sums depend on what else is in the step, so that even a prompt that is cut in other places would
give other answers.
"""

ROWS_WARMING = 32
"""Prompt tokens a step when nobody waits: a customer who comes waits for it."""

OUTPUTS = 32
"""Rows with logits a step at most: a row is 0.6 MB."""


@dataclass
class Part:
    """What a step does for one request: its next tokens, guesses after them, and how many rows give logits."""

    request: Request
    count: int
    outputs: int
    guesses: list[int] = field(default_factory=list)


def compose(running: Sequence[Request], seconds: Callable[[int], float], *, drafting: bool) -> list[Part]:
    """Choose what a step does for those that are running; `seconds` is what a step of so many rows takes."""
    answers = [Part(request, 1, 1) for request in running if request.is_answering]
    prompts = _slices(running, ROWS - len(answers), OUTPUTS - len(answers))
    if drafting:
        beside = sum(part.count for part in prompts)
        fixed = len(answers) + beside
        to_fill = -fixed % FILLED  # whoever waits for a first word is not to wait for guesses
        room = min(OUTPUTS - sum(part.outputs for part in answers + prompts), ROWS - fixed)
        _guess(answers, seconds, beside=beside, room=min(room, to_fill) if prompts else room)
    return answers + prompts


def _slices(running: Sequence[Request], room: int, outputs: int) -> list[Part]:
    """Share rows among prompts: whoever needs no more than one step goes first, others in the order they came."""
    parts = []
    for request in sorted((each for each in running if not each.is_answering), key=lambda request: request.left > ROWS):
        if room <= 0:
            break
        part = next_slice(request, room if request.channel else min(room, ROWS_WARMING), outputs)
        if part.count:
            room, outputs = room - part.count, outputs - part.outputs
            parts.append(part)
    return parts


def next_slice(request: Request, room: int, outputs: int) -> Part:
    """Return the next tokens of a prompt: up to its anchor, whose state is kept, with no more logits than `outputs`."""
    end = min(request.computed + room, request.goal)
    if request.computed < request.anchor:
        end = min(end, request.anchor)
    first = max(request.computed, request.goal - request.wanted)
    end = min(end, first + outputs)
    return Part(request, max(0, end - request.computed), max(0, end - first))


def _guess(answers: Sequence[Part], seconds: Callable[[int], float], *, beside: int, room: int) -> None:
    """Add guesses to the greedy answers, as many as are worth it."""
    parts = [part for part in answers if part.request.random is None]
    guesses = [part.request.guess() for part in parts]
    if not any(guesses):
        return
    offers = [(part.request.guesser.trust, len(some)) for part, some in zip(parts, guesses, strict=True)]
    shares = share_rows(offers, seconds, fixed=len(answers) + beside, room=room)
    for part, some, share in zip(parts, guesses, shares, strict=True):
        part.guesses = some[:share]
        part.outputs = 1 + share

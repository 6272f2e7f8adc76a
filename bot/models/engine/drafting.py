"""Guessing the next tokens of an answer from what was said before, and how many guesses a step is worth.

Prompt-lookup decoding: grounded answers copy from the entry, and the next answer from an entry says much of what the
last one said, so what followed the last tokens there is a good guess. Guesses are verified in one step with the token
before them; those that the model itself would have said are kept, so no answer can bring in another's words.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

NGRAMS = (4, 3, 2)
"""How many last tokens are looked up, the longest first."""

LONGEST = 15
"""Guesses a step at most: with the token before them, 16 rows."""

FILLED = 4
"""llama.cpp multiplies four rows at a time: a fifth row costs nearly what the sixth to eighth cost with it."""

LEARNING = 0.15
"""How fast the trust in guesses follows what becomes of them."""

HOPE = 0.02
"""How fast it returns to the usual while none are made: else it would never be tried again."""

USUAL = 0.7

ANSWERS = 256
"""So many beginnings of prompts have their last answer remembered: some 64 tokens each."""


class LastAnswers:
    """What was last answered to prompts of each beginning, with the last tokens before it."""

    def __init__(self) -> None:
        """Begin with none."""
        self._answers: OrderedDict[bytes, list[int]] = OrderedDict()

    def remember(self, beginning: bytes, tokens: Sequence[int], answer: int) -> None:
        """Remember the last `answer` tokens, and forget the beginning that was not asked for longest."""
        self._answers[beginning] = list(tokens[-answer - max(NGRAMS) :])
        self._answers.move_to_end(beginning)
        if len(self._answers) > ANSWERS:
            self._answers.popitem(last=False)

    def of(self, beginning: bytes) -> list[int]:
        """Return what `remember` was given last, or nothing."""
        return self._answers.get(beginning, [])


class Lookup:
    """Tokens in which is looked up what follows a few others; of several places the first counts."""

    def __init__(self, tokens: list[int]) -> None:
        """Look up in a list that may grow."""
        self._tokens = tokens
        self._places: dict[tuple[int, ...], int] = {}
        self._indexed = 1

    def after(self, last: tuple[int, ...], count: int) -> list[int]:
        """Return up to `count` tokens after the first place of some others."""
        for end in range(self._indexed, len(self._tokens)):
            for size in NGRAMS:
                if end >= size:
                    self._places.setdefault(tuple(self._tokens[end - size : end]), end)
        self._indexed = max(self._indexed, len(self._tokens))
        place = self._places.get(last)
        return [] if place is None else self._tokens[place : place + count]


@dataclass
class Guesser:
    """Looks up what followed before, in an earlier answer and in the own tokens, and how often that was right."""

    tokens: list[int]
    earlier: list[int] = field(default_factory=list)
    trust: float = USUAL

    def __post_init__(self) -> None:
        """Have both looked up: at the same length, what was said counts before what is in the prompt."""
        self._lookups = Lookup(self.earlier), Lookup(self.tokens)

    def guess(self, count: int) -> list[int]:
        """Return up to `count` tokens that may come next."""
        for size in NGRAMS:
            last = tuple(self.tokens[-size:])
            for lookup in self._lookups:
                if guesses := lookup.after(last, count):
                    return guesses
        return []

    def learn(self, guessed: int, accepted: int) -> None:
        """Note how many guesses of a step were right."""
        if not guessed:
            self.trust += HOPE * (USUAL - self.trust)
        for right in range(min(accepted + 1, guessed)):
            self.trust += LEARNING * ((right < accepted) - self.trust)


def share_rows(
    offers: Sequence[tuple[float, int]], seconds: Callable[[int], float], *, fixed: int, room: int
) -> list[int]:
    """Return how many guesses of each answer a step should verify, to give the most tokens a second.

    `offers` is, for each answer, how likely a guess is right and how many there are; an answer's nth guess counts only
    if those before it are right. `seconds` is what a step of so many rows takes, of which `fixed` are there anyway;
    `room` is how many more may be.
    """
    gains = sorted(
        ((trust**place, answer) for answer, (trust, count) in enumerate(offers) for place in range(1, count + 1)),
        reverse=True,
    )
    expected = float(len(offers))
    best, best_speed = 0, expected / seconds(fixed)
    for count, (gain, _) in enumerate(gains[: max(0, room)], 1):
        expected += gain
        is_filled = (fixed + count) % FILLED == 0 or count == len(gains)
        if is_filled and (speed := expected / seconds(fixed + count)) > best_speed:
            best, best_speed = count, speed
    shares = [0] * len(offers)
    for _, answer in gains[:best]:
        shares[answer] += 1
    return shares

"""Guessing the next tokens of an answer from its prompt, and how many guesses a step is worth.

Prompt-lookup decoding: grounded answers copy from the entry, so what followed the last tokens the last time they came
is a good guess. Guesses are verified in one step with the token before them; those that the model itself would have
said are kept.
"""

from __future__ import annotations

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


@dataclass
class Guesser:
    """Looks up what followed before, and remembers how often that was right."""

    tokens: list[int]
    trust: float = USUAL
    _places: dict[tuple[int, ...], int] = field(default_factory=dict)
    _indexed: int = 0

    def guess(self, count: int) -> list[int]:
        """Return up to `count` tokens that may come next."""
        self._index()
        for size in NGRAMS:
            place = self._places.get(tuple(self.tokens[-size:]))
            if place is not None:
                return self.tokens[place : place + count]
        return []

    def learn(self, guessed: int, accepted: int) -> None:
        """Note how many guesses of a step were right."""
        if not guessed:
            self.trust += HOPE * (USUAL - self.trust)
        for right in range(min(accepted + 1, guessed)):
            self.trust += LEARNING * ((right < accepted) - self.trust)

    def _index(self) -> None:
        """Note what follows every few tokens; of several places the first counts, which is the entry's."""
        for end in range(max(1, self._indexed), len(self.tokens)):
            for size in NGRAMS:
                if end >= size:
                    self._places.setdefault(tuple(self.tokens[end - size : end]), end)
        self._indexed = len(self.tokens)


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

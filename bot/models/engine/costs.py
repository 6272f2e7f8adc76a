"""What a step takes on this machine, learnt from the steps."""

from __future__ import annotations

from bisect import bisect_right

SIZES = (1, 2, 4, 8, 12, 16, 24, 32, 48, 64, 96, 128)
"""Rows of a step that are told apart; between them the cost is taken to be linear."""

RATIOS = (1.0, 1.8, 2.6, 4.2, 6.0, 6.8, 9.5, 12.0, 17.0, 22.0, 32.0, 42.0)
"""To begin with: measured on two AVX-512 cores, for a Q4_0 file, in steps of one row."""

TREND = 0.1
"""How much of a step's surprise is put down to the machine's speed at the moment, which is that of all sizes."""

SHAPE = 0.01
"""How much is put down to the size of the step, once it has been seen some times."""


class StepCosts:
    """The seconds that a step of so many rows takes.

    A size that comes seldom follows the speed of the others: what it took while the machine was busy with something
    else would be believed for ever, if nobody was let in for whom it would come again. Surprises count by their
    logarithm, so that a stall of seconds is no more than a slow step.
    """

    def __init__(self, one_row: float = 0.02) -> None:
        """Begin with the ratios of one machine, and how long a step of one row takes on this one."""
        self._one_row = one_row
        self._ratios = list(RATIOS)
        self._seen = [0] * len(SIZES)

    def learn(self, rows: int, seconds: float) -> None:
        """Note a step; the first sets the scale for all sizes."""
        surprise = seconds / self(rows)
        if not any(self._seen):
            self._one_row *= surprise
            surprise = 1.0
        place = min(range(len(SIZES)), key=lambda place: abs(SIZES[place] - rows))
        self._seen[place] += 1
        self._one_row *= surprise**TREND
        self._ratios[place] *= surprise ** max(SHAPE, (1 - TREND) / self._seen[place] ** 2)

    def __call__(self, rows: int) -> float:
        """Return the seconds that a step of so many rows is expected to take."""
        place = bisect_right(SIZES, rows) - 1
        if place + 1 == len(SIZES):
            return self._one_row * self._ratios[-1] * rows / SIZES[-1]
        low, high = SIZES[place], SIZES[place + 1]
        share = (rows - low) / (high - low)
        return self._one_row * (self._ratios[place] * (1 - share) + self._ratios[place + 1] * share)

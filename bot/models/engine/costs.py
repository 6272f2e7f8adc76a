"""What a step takes on this machine, learnt from the steps."""

from __future__ import annotations

from bisect import bisect_right

SIZES = (1, 2, 4, 8, 12, 16, 24, 32, 48, 64, 96, 128)
"""Rows of a step that are told apart; between them the cost is taken to be linear."""

RATIOS = (1.0, 1.8, 2.6, 4.2, 6.0, 6.8, 9.5, 12.0, 17.0, 22.0, 32.0, 42.0)
"""To begin with: measured on two AVX-512 cores, for a Q4_0 file, in steps of one row."""

LEARNING = 0.1


class StepCosts:
    """The seconds that a step of so many rows takes."""

    def __init__(self, one_row: float = 0.02) -> None:
        """Begin with the ratios of one machine, and how long a step of one row takes on this one."""
        self._seconds = [ratio * one_row for ratio in RATIOS]
        self._seen = [0] * len(SIZES)

    def learn(self, rows: int, seconds: float) -> None:
        """Note a step; the first sets the scale for all sizes."""
        ratio = seconds / self(rows)
        if not any(self._seen):
            self._seconds = [ratio * expected for expected in self._seconds]
            ratio = 1.0
        place = min(range(len(SIZES)), key=lambda place: abs(SIZES[place] - rows))
        self._seen[place] += 1
        self._seconds[place] *= 1 + max(LEARNING, 1 / self._seen[place]) * (ratio - 1)

    def __call__(self, rows: int) -> float:
        """Return the seconds that a step of so many rows is expected to take."""
        place = bisect_right(SIZES, rows) - 1
        if place + 1 == len(SIZES):
            return self._seconds[-1] * rows / SIZES[-1]
        low, high = SIZES[place], SIZES[place + 1]
        share = (rows - low) / (high - low)
        return self._seconds[place] * (1 - share) + self._seconds[place + 1] * share

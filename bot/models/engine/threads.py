"""How many threads compute a step: all there are, or fewer while other programs want some of the cores."""

from __future__ import annotations

WINDOW = 0.5
"""Seconds of computing that are judged together: what an answer without a model takes now and then is nothing."""

UNDISTURBED = 0.6
"""The thread that calls for steps runs for more of their time than this if nobody keeps a core busy. Measured with a
thread to a core: 0.95 alone, 0.5 beside one busy program."""

PATIENCE, MOST_PATIENCE = 2, 64
"""One thread more is tried after so many quiet windows, twice as many each time that a thread is given up again."""


class Threads:
    """The number of threads, from the share of each step in which the thread that calls for it ran.

    The threads of a step wait for each other hundreds of times, so that one whose core another program has makes all
    of them late; and who waits for long sleeps, the calling thread too. Two threads beside one busy program are slower
    than one (docs/engine.md).
    """

    def __init__(self, most: int) -> None:
        """Begin with the most."""
        self.count = self._most = most
        self._ran = self._passed = 0.0
        self._quiet, self._patience = 0, PATIENCE

    def learn(self, ran: float, passed: float) -> None:
        """Note a step that took `passed` seconds, in `ran` of which the calling thread ran."""
        self._ran += ran
        self._passed += passed
        if self._passed < WINDOW:
            return
        self._judge(self._ran / self._passed)
        self._ran = self._passed = 0.0

    def _judge(self, share: float) -> None:
        if share < UNDISTURBED:
            self._quiet = 0
            if self.count > 1:
                self.count -= 1
                self._patience = min(self._patience * 2, MOST_PATIENCE)
        elif self.count == self._most:
            self._patience = PATIENCE
        else:
            self._quiet += 1
            if self._quiet >= self._patience:
                self.count, self._quiet = self.count + 1, 0

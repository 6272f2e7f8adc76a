"""States of token sequences that were computed before, within a budget of bytes."""

from __future__ import annotations

from bisect import bisect_left, insort
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

Key = bytes
"""Tokens as big-endian numbers, so that keys sort as their tokens do."""

TOKEN_BYTES = 4


def to_key(tokens: Sequence[int]) -> Key:
    """Return the key of a token sequence."""
    return np.asarray(tokens, ">i4").tobytes()


def common_length(first: Key, second: Key) -> int:
    """Count the tokens that two sequences begin with in common."""
    size = min(len(first), len(second))
    if first[:size] == second[:size]:
        return size // TOKEN_BYTES
    left, right = np.frombuffer(first, ">i4", size // TOKEN_BYTES), np.frombuffer(second, ">i4", size // TOKEN_BYTES)
    return int((left != right).argmax())


@dataclass(frozen=True)
class Match:
    """A kept state, and how many of its first tokens are those that were looked for."""

    key: Key
    length: int


def nearest(keys: Sequence[Key], key: Key) -> Match | None:
    """Return which of the sorted keys has the longest beginning in common with `key`, None if none has any.

    Sorted keys are a tree of prefixes laid flat: the longest beginning is that of one of the two neighbours of the
    place where `key` would be inserted.
    """
    place = bisect_left(keys, key)
    matches = (Match(other, common_length(key, other)) for other in keys[max(0, place - 1) : place + 1])
    best = max(matches, key=lambda match: match.length, default=None)
    if best is None or not best.length:
        return None
    whole = key[: best.length * TOKEN_BYTES]
    place = bisect_left(keys, whole)  # the shortest of those that begin so comes first
    return Match(keys[place], best.length)


class PrefixStore:
    """The most recently used states, in memory."""

    def __init__(self, budget: int) -> None:
        """Start empty; `budget` is in bytes."""
        self._budget = budget
        self._states: OrderedDict[Key, bytes] = OrderedDict()
        self._sorted: list[Key] = []
        self.used = 0
        self.evicted = 0

    def __len__(self) -> int:
        """Count the states."""
        return len(self._states)

    def __contains__(self, key: Key) -> bool:
        """Say whether the state of exactly these tokens is here."""
        return key in self._states

    def find(self, key: Key) -> Match | None:
        """Return the state with the longest beginning in common, None if none has one."""
        return nearest(self._sorted, key)

    def get(self, key: Key) -> bytes:
        """Return the state of exactly these tokens, and count it as used; raises KeyError."""
        self._states.move_to_end(key)
        return self._states[key]

    def put(self, key: Key, state: bytes, *, displacing: bool = True) -> None:
        """Keep a state, at the cost of those unused for longest; without `displacing` only if there is room."""
        room = self._budget if displacing else self._budget - self.used
        if len(state) > room or key in self._states:
            return
        self._states[key] = state
        insort(self._sorted, key)
        self.used += len(state)
        while self.used > self._budget:
            self.drop(next(iter(self._states)))
            self.evicted += 1

    def drop(self, key: Key) -> None:
        """Forget a state, if it is here."""
        state = self._states.pop(key, None)
        if state is not None:
            del self._sorted[bisect_left(self._sorted, key)]
            self.used -= len(state)

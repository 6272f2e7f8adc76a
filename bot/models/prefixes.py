"""States of prompts that were computed before, kept by their tokens within a budget of bytes."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence


class PrefixStore:
    """The most recently used states; a state belongs to exactly the tokens it is stored under."""

    def __init__(self, budget: int) -> None:
        """Start empty; `budget` is in bytes."""
        self._budget = budget
        self._states: OrderedDict[tuple[int, ...], bytes] = OrderedDict()
        self.used = 0

    def __contains__(self, tokens: Sequence[int]) -> bool:
        """Say whether the state of these tokens is here."""
        return tuple(tokens) in self._states

    def get(self, tokens: Sequence[int]) -> bytes | None:
        """Return the state after these tokens, and count it as used."""
        key = tuple(tokens)
        if key in self._states:
            self._states.move_to_end(key)
        return self._states.get(key)

    def put(self, tokens: Sequence[int], state: bytes) -> None:
        """Keep a state, at the cost of those unused for longest."""
        key = tuple(tokens)
        if len(state) > self._budget or key in self._states:
            return
        self._states[key] = state
        self.used += len(state)
        while self.used > self._budget:
            _, dropped = self._states.popitem(last=False)
            self.used -= len(dropped)

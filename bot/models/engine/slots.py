"""Which sequence of the context a request gets, and how much of it is there already.

What was computed before is found in three places: a sequence that is at rest, one that is at work (its cells are
shared), and the store of saved states.
"""

from __future__ import annotations

from dataclasses import dataclass

from bot.models.engine.context import Context
from bot.models.engine.prefixes import TOKEN_BYTES, Key, common_length, to_key
from bot.models.engine.request import Request
from bot.models.engine.vault import Vault


@dataclass
class Slot:
    """A sequence: the tokens it holds, and who works on it."""

    number: int
    key: Key = b""
    request: Request | None = None
    used: int = 0

    def common(self, key: Key) -> int:
        """Count the first tokens that it has computed of another sequence."""
        if self.request is None:
            return common_length(self.key, key)
        return min(common_length(self.request.key, key), self.request.computed)


class Slots:
    """The sequences of a context, at work and at rest."""

    def __init__(self, context: Context, vault: Vault, count: int) -> None:
        """Start with all of them empty."""
        self._context, self._vault = context, vault
        self._slots = [Slot(number) for number in range(count)]
        self._clock = 0

    def __len__(self) -> int:
        """Count them."""
        return len(self._slots)

    @property
    def free(self) -> int:
        """Count those at rest."""
        return sum(slot.request is None for slot in self._slots)

    def open(self, request: Request) -> None:
        """Give a request a slot that is at rest, with the longest beginning that is known."""
        key = to_key(request.tokens)
        limit = request.goal - max(1, request.wanted)
        best = max(self._slots, key=lambda slot: slot.common(key))
        length = min(best.common(key), limit)
        saved = self._vault.find(key)
        resting = [slot for slot in self._slots if slot.request is None]
        target = min(resting, key=lambda slot: slot.used)
        if best in resting and 2 * length >= len(best.key) // TOKEN_BYTES:
            target = best
        if saved and min(saved.length, limit) > length and self._restore(target, saved.key):
            length = min(saved.length, limit)
        else:
            length = min(best.common(key), limit)  # what was there may have had to go for a state that did not fit
            if target is not best:
                self._context.share(best.number, target.number, length)
        self._context.cut(target.number, length)
        self._clock += 1
        target.request, target.used = request, self._clock
        request.key, request.slot, request.computed = key, target.number, length

    def close(self, request: Request) -> None:
        """Take a request's slot back.

        Where the store has its beginning, that is all anyone is likely to want again, and each cell that is taken
        costs every row of every step a look (docs/engine.md). Else, or if its question was scored, which comes again
        to be answered, what it computed stays until the slot is needed.
        """
        slot = self._slots[request.slot]
        is_kept = request.beginning in self._vault.memory and not request.scored
        computed = 0 if is_kept else request.computed
        slot.request = None
        slot.key = to_key(request.tokens[:computed])
        self._context.cut(slot.number, computed)
        request.slot = -1

    def empty_one(self) -> bool:
        """Free the cells of the slot that has been at rest for longest; say whether there was one."""
        resting = [slot for slot in self._slots if slot.request is None and slot.key]
        if not resting:
            return False
        slot = min(resting, key=lambda slot: slot.used)
        self._context.cut(slot.number, 0)
        slot.key = b""
        return True

    def empty_all(self) -> None:
        """Free all cells."""
        for slot in self._slots:
            self._context.cut(slot.number, 0)
            slot.key, slot.request = b"", None

    def _restore(self, slot: Slot, key: Key) -> bool:
        state = self._vault.get(key)
        if state is None:
            return False
        slot.key = b""
        self._context.cut(slot.number, 0)
        while not self._context.restore(slot.number, state):
            if not self.empty_one():
                return False
        if self._context.holds(slot.number) == len(key) // TOKEN_BYTES:
            return True
        self._vault.drop(key)
        return False

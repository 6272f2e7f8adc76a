"""What a request is told to have computed must be in its sequence."""

from __future__ import annotations

from typing import Any

from bot.models.base import Sampling
from bot.models.engine.prefixes import PrefixStore, to_key
from bot.models.engine.request import Request
from bot.models.engine.slots import Slots
from bot.models.engine.vault import Vault


class Cells:
    """A context that only remembers which tokens each sequence holds; no state fits into it."""

    def __init__(self) -> None:
        self.held: dict[int, int] = {}

    def cut(self, sequence: int, length: int) -> None:
        self.held[sequence] = min(self.held.get(sequence, 0), length)

    def share(self, source: int, target: int, length: int) -> None:
        self.cut(target, 0)
        self.held[target] = min(self.held.get(source, 0), length)

    def holds(self, sequence: int) -> int:
        return self.held.get(sequence, 0)

    def restore(self, sequence: int, state: bytes) -> bool:
        return False


def request(*tokens: int) -> Request:
    return Request(list(tokens), anchor=0, sampling=Sampling())


def test_a_state_that_does_not_fit_leaves_no_hole() -> None:
    cells: Any = Cells()
    vault = Vault(PrefixStore(1_000))
    slots = Slots(cells, vault, 2)
    first = request(1, 2, 3, 4)
    slots.open(first)
    first.computed = cells.held[first.slot] = 4
    slots.close(first)
    vault.put(to_key([1, 2, 3, 4, 5, 6, 7]), b"too large")

    second = request(1, 2, 3, 4, 5, 6, 8)
    slots.open(second)
    assert cells.held[second.slot] == second.computed


def test_what_the_store_has_leaves_no_cells_behind() -> None:
    cells: Any = Cells()
    vault = Vault(PrefixStore(1_000))
    slots = Slots(cells, vault, 2)
    asked, scored = (Request([1, 2, 3, 4], anchor=2, sampling=Sampling(), scored=number) for number in (0, 2))
    for request_ in (asked, scored):
        slots.open(request_)
        request_.computed = cells.held[request_.slot] = 4
    vault.put(to_key([1, 2]), b"state")
    left = asked.slot, scored.slot
    slots.close(asked)
    slots.close(scored)
    assert [cells.held[slot] for slot in left] == [0, 4]

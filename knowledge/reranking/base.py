"""What every reranker promises."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from knowledge.entries import Entry


class Reranker(Protocol):
    """Says of each entry how well it answers a question, by reading both together.

    Constructing one is light; `warm_up` loads what it needs. All methods may be called from any thread.
    """

    @property
    def name(self) -> str:
        """The model's name, for people."""
        ...

    @property
    def weight(self) -> float:
        """What one unit of its scores counts beside the fused score of the search, which is in standard deviations."""
        ...

    @property
    def count(self) -> int:
        """How many entries it reads at most, the best of the search."""
        ...

    def warm_up(self) -> None:
        """Load the model; raises ModelUnavailable."""
        ...

    def scores(self, question: str, entries: Sequence[Entry]) -> list[float]:
        """Return a score each, in any unit, more for a better answer; raises ModelError."""
        ...

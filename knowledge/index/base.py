"""What every index of vectors promises, and every place where indexes are kept."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from knowledge.embedding.base import OnProgress, Vectors
from knowledge.errors import IndexUnavailable

Rows = NDArray[np.int64]

FLAT_ROWS = 20_000
"""Up to here every row is compared: exact, and below 3 ms on one core."""

PATIENCE_SECONDS = 2
"""A search of another machine's index that takes longer is given up."""

BREAK_SECONDS = 5.0
"""Once it could not be reached it is left alone for so long, so that customers do not wait for it again and again."""

UNUSED_SECONDS = 600
"""An index that nobody has used for so long may be removed; those who use one say so every half a minute."""


class VectorIndex(Protocol):
    """Finds the rows whose inner product with a vector is largest; any number of threads may use it."""

    def search(self, vector: Vectors, count: int) -> tuple[Vectors, Rows]:
        """Return the scores and numbers of the best `count` rows, best first; `vector` has one dimension.

        Raises:
            ValueError: the vector is not as long as the rows.
            IndexUnavailable: the index cannot be reached.
        """
        ...


class VectorIndexes(Protocol):
    """Keeps the indexes of several releases side by side, each under the name of its snapshot."""

    def open(self, name: str, shape: tuple[int, ...]) -> VectorIndex:
        """Return the index of so many rows of such a length, and note that it is in use.

        Raises:
            IndexMissing: there is none, or not the whole of it.
            IndexUnavailable: that cannot be known now.
        """
        ...

    def build(self, name: str, vectors: Vectors, on_progress: OnProgress) -> VectorIndex:
        """Index unit vectors, a row each; it is there for others when it is complete, and never before.

        If several do so at once, one index is kept. Raises IndexUnavailable.
        """
        ...

    def remove_old(self, keep: int) -> None:
        """Delete all but the newest indexes, none that is in use; raises IndexUnavailable."""
        ...

    def check(self) -> str:
        """Say in a sentence what is there; raises IndexUnavailable."""
        ...

    def close(self) -> None:
        """Give connections back."""
        ...


class UnreachedIndex:
    """Stands in for an index that could not be opened, until it can."""

    def __init__(self, reason: str) -> None:
        """Remember why."""
        self._reason = reason

    def search(self, vector: Vectors, count: int) -> tuple[Vectors, Rows]:  # noqa: ARG002
        """Raise IndexUnavailable."""
        raise IndexUnavailable(self._reason)


class Reach:
    """Whether another machine can be reached: after a failure it is not asked again for a while."""

    def __init__(
        self, place: str, failures: tuple[type[Exception], ...], describe: Callable[[Exception], str] = str
    ) -> None:
        """Translate these exceptions; `place` is named in the message, of which only the first line is kept."""
        self._place, self._failures, self._describe = place, failures, describe
        self._away_until, self._reason = 0.0, ""

    @contextmanager
    def patiently(self) -> Iterator[None]:
        """Ask it, if it has not just failed; raises IndexUnavailable."""
        if time.monotonic() < self._away_until:
            raise IndexUnavailable(self._reason)
        with self.translated():
            yield

    @contextmanager
    def translated(self) -> Iterator[None]:
        """Ask it in any case; raises IndexUnavailable."""
        try:
            yield
        except self._failures as error:
            first = next(iter(self._describe(error).strip().splitlines()), type(error).__name__)
            self._reason = f"{self._place} does not answer: {first}"
            self._away_until = time.monotonic() + BREAK_SECONDS
            raise IndexUnavailable(self._reason) from error
        self._away_until = 0.0


def check_length(vector: Vectors, dimensions: int) -> None:
    """Raise ValueError if a vector is not as long as the rows it is to be compared with."""
    if vector.shape != (dimensions,):
        raise ValueError(f"a vector of shape {vector.shape} cannot be compared with rows of {dimensions} numbers")

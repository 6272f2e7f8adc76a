"""What every embedder promises."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

Vectors = NDArray[np.float32]
OnProgress = Callable[[int, int], None]


def no_progress(_done: int, _total: int) -> None:
    """Show nothing."""


class Embedder(Protocol):
    """Maps text to unit vectors whose inner product is their similarity.

    Constructing one is light; `warm_up` loads what it needs. All methods may be called from any thread.
    """

    @property
    def fingerprint(self) -> str:
        """A text that differs whenever the vectors would: it keys every saved vector."""
        ...

    @property
    def name(self) -> str:
        """The model's name, for people."""
        ...

    def warm_up(self) -> None:
        """Load the model; raises ModelUnavailable."""
        ...

    def embed_queries(self, texts: Sequence[str]) -> Vectors:
        """Embed questions; float32, one unit row a text."""
        ...

    def embed_passages(self, texts: Sequence[str]) -> Vectors:
        """Embed what is searched; float32, one unit row a text."""
        ...


def to_unit(vectors: Vectors) -> Vectors:
    """Scale each row to length 1, leaving rows of zeros as they are; no rows at all are fine too."""
    if vectors.size == 0:
        return np.zeros((len(vectors), 0), dtype=np.float32)
    lengths = np.sqrt(np.einsum("ij,ij->i", vectors, vectors))[:, None]  # without a copy for the squares
    return np.ascontiguousarray(vectors / np.where(lengths == 0, 1, lengths), dtype=np.float32)

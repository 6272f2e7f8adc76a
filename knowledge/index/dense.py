"""Nearest neighbours among vectors: exact while they are few, by cells when they are many."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Protocol

import faiss
import numpy as np
from numpy.typing import NDArray

from knowledge.embedding.base import Vectors
from knowledge.errors import IndexUnavailable

FLAT_ROWS = 20_000
"""Up to here every row is compared: exact, and below 3 ms on one core."""

CELLS_OF_ROOT = 4
"""Cells for each of the square root of the rows: 4,000 for a million."""

CELL_SAMPLE = 32
"""Rows a cell that its place is learnt from; in so many rounds:"""

CELL_ROUNDS = 6

SEARCHED_CELLS = 256
"""Of a million rows' 4,000: two runs of benchmarks/scale.py found 98.0 and 98.6 % of the ten nearest in them."""

ADDED_ROWS = 50_000

Rows = NDArray[np.int64]


class VectorIndex(Protocol):
    """Finds the rows whose inner product with a vector is largest."""

    def search(self, vector: Vectors, count: int) -> tuple[Vectors, Rows]:
        """Return the scores and numbers of the best `count` rows, best first; `vector` has one dimension."""
        ...

    def save(self, path: Path) -> None:
        """Write the index to a file."""
        ...


class FaissIndex:
    """The default index, in memory."""

    def __init__(self, index: faiss.Index) -> None:
        """Wrap a FAISS index."""
        self._index = index
        self._all: Vectors | None = None
        if isinstance(index, faiss.IndexFlat):
            rows = faiss.rev_swig_ptr(index.get_xb(), index.ntotal * index.d)
            self._all = rows.reshape(index.ntotal, index.d)

    @classmethod
    def build(cls, vectors: Vectors) -> FaissIndex:
        """Index unit vectors, a row each."""
        return cls(_flat(vectors) if len(vectors) <= FLAT_ROWS else _cells(vectors))

    @classmethod
    def load(cls, path: Path) -> FaissIndex:
        """Read a saved index; raises IndexUnavailable if the file is damaged."""
        try:
            return cls(faiss.read_index(str(path)))
        except RuntimeError as error:
            raise IndexUnavailable(f"{path} is damaged") from error

    def save(self, path: Path) -> None:
        """Write the index to a file."""
        faiss.write_index(self._index, str(path))

    def search(self, vector: Vectors, count: int) -> tuple[Vectors, Rows]:
        """Return the best rows."""
        count = min(count, self._index.ntotal)
        if self._all is not None:
            return _best(self._all @ vector, count)
        scores, rows = self._index.search(vector[None, :], count)
        found = rows[0] >= 0
        return scores[0][found], rows[0][found]


def _best(scores: Vectors, count: int) -> tuple[Vectors, Rows]:
    """Return the best scores and their numbers."""
    rows = np.argsort(-scores, kind="stable")[:count]
    return scores[rows], rows


def _flat(vectors: Vectors) -> faiss.Index:
    index = faiss.IndexFlatIP(vectors.shape[1])
    index.add(vectors)
    return index


def _cells(vectors: Vectors) -> faiss.Index:
    """Return an index that looks only into the cells near a question; numbers are kept in a byte each."""
    dimensions, count = vectors.shape[1], min(round(CELLS_OF_ROOT * math.sqrt(len(vectors))), len(vectors))
    index = faiss.IndexIVFScalarQuantizer(
        faiss.IndexFlatIP(dimensions),
        dimensions,
        count,
        faiss.ScalarQuantizer.QT_8bit,
        faiss.METRIC_INNER_PRODUCT,
        False,  # noqa: FBT003 - the rows themselves, not their distance from the cell's middle: faster to compare
    )
    index.cp.niter, index.cp.max_points_per_centroid, index.cp.spherical = CELL_ROUNDS, CELL_SAMPLE, True
    sample = np.random.default_rng(0).choice(len(vectors), min(len(vectors), count * CELL_SAMPLE), replace=False)
    index.train(vectors[sample])
    for start in range(0, len(vectors), ADDED_ROWS):
        index.add(vectors[start : start + ADDED_ROWS])
    index.nprobe = min(SEARCHED_CELLS, count)
    return index

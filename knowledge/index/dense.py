"""Nearest neighbours among vectors: exact while they are few, a graph when they are many."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

import faiss
import numpy as np
from numpy.typing import NDArray

from knowledge.embedding.base import Vectors
from knowledge.errors import IndexUnavailable

FLAT_ROWS = 20_000
"""Up to here every row is compared: exact, and below 3 ms on one core."""

HNSW_NEIGHBOURS = 32
HNSW_BUILD_EFFORT = 80
HNSW_SEARCH_EFFORT = 128

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

    @classmethod
    def build(cls, vectors: Vectors) -> FaissIndex:
        """Index unit vectors, a row each."""
        count, dimensions = vectors.shape
        if count <= FLAT_ROWS:
            index: faiss.Index = faiss.IndexFlatIP(dimensions)
        else:
            graph = faiss.IndexHNSWFlat(dimensions, HNSW_NEIGHBOURS, faiss.METRIC_INNER_PRODUCT)
            graph.hnsw.efConstruction = HNSW_BUILD_EFFORT
            graph.hnsw.efSearch = HNSW_SEARCH_EFFORT
            index = graph
        index.add(vectors)
        return cls(index)

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
        scores, rows = self._index.search(vector[None, :], min(count, self._index.ntotal))
        found = rows[0] >= 0
        return scores[0][found], rows[0][found]

"""Nearest neighbours among vectors in memory: exact while they are few, by cells when they are many."""

from __future__ import annotations

import math
import tempfile
from pathlib import Path

import faiss
import numpy as np

from knowledge.embedding.base import OnProgress, Vectors
from knowledge.errors import IndexMissing, IndexUnavailable
from knowledge.index import base
from knowledge.index.base import Rows, check_length

CELLS_OF_ROOT = 4
"""Cells for each of the square root of the rows: 4,000 for a million."""

CELL_SAMPLE = 32
"""Rows a cell that its place is learnt from; in so many rounds:"""

CELL_ROUNDS = 6

SEARCHED_CELLS = 320
"""Of a million rows' 4,000: benchmarks/scale.py found 98.2 % of the ten nearest in them, and 97.8 to 98.6 in 256."""

ADDED_ROWS = 50_000

FILE = "dense.faiss"


class FaissIndex:
    """An index in memory."""

    def __init__(self, index: faiss.Index) -> None:
        """Wrap a FAISS index."""
        self._index = index
        self._all: Vectors | None = None
        if isinstance(index, faiss.IndexFlat) and index.ntotal:
            rows = faiss.rev_swig_ptr(index.get_xb(), index.ntotal * index.d)
            self._all = rows.reshape(index.ntotal, index.d)

    @classmethod
    def build(cls, vectors: Vectors) -> FaissIndex:
        """Index unit vectors, a row each."""
        return cls(_flat(vectors) if len(vectors) <= base.FLAT_ROWS else _cells(vectors))

    @classmethod
    def load(cls, path: Path) -> FaissIndex:
        """Read a saved index; raises IndexUnavailable if the file is damaged."""
        try:
            return cls(faiss.read_index(str(path)))
        except RuntimeError as error:
            raise IndexUnavailable(f"{path} is damaged") from error

    @property
    def shape(self) -> tuple[int, int]:
        """How many rows there are, and how many numbers each has."""
        return self._index.ntotal, self._index.d

    def save(self, path: Path) -> None:
        """Write the index to a file."""
        faiss.write_index(self._index, str(path))

    def search(self, vector: Vectors, count: int) -> tuple[Vectors, Rows]:
        """Return the best rows."""
        check_length(vector, self._index.d)
        count = min(count, self._index.ntotal)
        if count == 0:
            return np.zeros(0, dtype=np.float32), np.zeros(0, dtype=np.int64)
        if self._all is not None:
            return _best(self._all @ vector, count)
        scores, rows = self._index.search(vector[None, :], count)
        found = rows[0] >= 0
        return scores[0][found], rows[0][found]


class FaissIndexes:
    """The default: a file in the folder of each snapshot."""

    def __init__(self, folder: Path) -> None:
        """Keep them in the folders of this folder."""
        self._folder = folder

    def open(self, name: str, shape: tuple[int, ...]) -> FaissIndex:
        """Read the index of a snapshot."""
        path = self._folder / name / FILE
        try:
            index = FaissIndex.load(path)
        except IndexUnavailable as error:
            raise IndexMissing(str(error)) from error
        if index.shape != shape:
            raise IndexMissing(f"{path} is of other rows")
        return index

    def build(self, name: str, vectors: Vectors, on_progress: OnProgress) -> FaissIndex:  # noqa: ARG002 - seconds
        """Index unit vectors, a row each, and write the index to its file."""
        index = FaissIndex.build(vectors)
        folder = self._folder / name
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder, prefix=".") as own:  # two may build the same at once
            index.save(Path(own) / FILE)
            (Path(own) / FILE).replace(folder / FILE)
        return index

    def remove_old(self, keep: int) -> None:
        """Leave it to those who remove the folders."""

    def check(self) -> str:
        """Say where they are."""
        return f"in memory, kept in {self._folder}"

    def close(self) -> None:
        """Do nothing."""


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
    index.cp.min_points_per_centroid = 1  # else it warns on stderr of what was chosen
    sample = np.random.default_rng(0).choice(len(vectors), min(len(vectors), count * CELL_SAMPLE), replace=False)
    index.train(vectors[sample])
    for start in range(0, len(vectors), ADDED_ROWS):
        index.add(vectors[start : start + ADDED_ROWS])
    index.nprobe = min(SEARCHED_CELLS, count)
    return index

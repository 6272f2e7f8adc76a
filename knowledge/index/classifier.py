"""A light classifier over vectors, trained on the ways in which customers ask: seconds at publishing.

Two steps, both from the FAQ alone. First a metric: the directions in which the lines of one entry differ say nothing
about which entry is asked for, so they are shrunk (within-class covariance normalisation; Hatch, Kajarekar and
Stolcke, 2006). Then a softmax regression with an L2 penalty over the vectors in that metric, by accelerated gradient
descent (Nesterov, 1983).
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from knowledge.embedding.base import Vectors, to_unit
from knowledge.errors import IndexUnavailable

Rows = NDArray[np.int64]

SHRINKAGE = 0.8
"""How far the covariance within entries is drawn towards a sphere; on BANKING77 all is alike from 0.7 to 0.9."""

PENALTY = 0.03
STEPS = 150
"""Enough: more steps gained nothing on BANKING77, fewer lost up to three points of hit@1."""

MAX_CELLS = 12_000_000
"""Lines times entries that a regression takes a minute for; beyond, an entry's weights are the mean of its lines."""

MEAN_SCALE = 8.0
"""Brings the scores of such means to the size of a regression's."""


@dataclass(frozen=True)
class Classifier:
    """Gives each entry a score for a question: `(vector @ metric, at unit length) @ weights`.

    There is no bias: an entry is not likelier for being written down in more ways.
    """

    metric: Vectors
    weights: Vectors

    @classmethod
    def train(cls, vectors: Vectors, entries: Rows, count: int) -> Classifier:
        """Train on centred unit vectors, a row each, of `entries[row]` among `count` entries."""
        regress = _regress if len(vectors) * count <= MAX_CELLS else _average
        # With two threads each waits for the other whenever the machine is busy with customers: 2.4 s instead of 0.4.
        with threadpool_limits(1, user_api="blas"):
            metric = _metric(vectors, entries, count)
            weights = regress(to_unit(vectors @ metric), entries, count)
        return cls(metric, np.asfortranarray(weights))  # an entry's weights side by side, also once they are loaded

    @classmethod
    def load(cls, path: Path) -> Classifier:
        """Read a saved classifier; raises IndexUnavailable if the file is damaged."""
        try:
            columns = np.load(path)
            return cls(columns[:, : len(columns)], np.asfortranarray(columns[:, len(columns) :]))
        except (OSError, ValueError, EOFError, IndexError) as error:
            raise IndexUnavailable(f"{path} is damaged") from error

    def save(self, path: Path) -> None:
        """Write it to a file: the metric, which is square, and the weights beside it."""
        np.save(path, np.hstack([self.metric, self.weights]))

    def scores(self, vector: Vectors, entries: Rows | None = None) -> Vectors:
        """Return one score an entry for a centred unit vector: the logarithm of its odds, but for a constant.

        With `entries`, only those of these.
        """
        placed = to_unit(vector[None, :] @ self.metric)[0]
        scores: Vectors = placed @ (self.weights if entries is None else self.weights[:, entries])
        return scores


def _metric(vectors: Vectors, entries: Rows, count: int) -> Vectors:
    """Return the matrix that makes the spread within entries alike in all directions."""
    within = _means(vectors, entries, count)[entries]
    np.subtract(vectors, within, out=within)
    covariance = (within.T @ within / len(within)).astype(np.float64)
    variance = float(np.trace(covariance)) / len(covariance) or 1.0
    shrunk = (1 - SHRINKAGE) * covariance + SHRINKAGE * variance * np.eye(len(covariance))
    values, directions = np.linalg.eigh(shrunk)
    return np.asarray(directions.real / np.sqrt(values.real), dtype=np.float32)


def _means(vectors: Vectors, entries: Rows, count: int) -> Vectors:
    sums = np.zeros((count, vectors.shape[1]), dtype=np.float32)
    np.add.at(sums, entries, vectors)
    sizes = np.maximum(np.bincount(entries, minlength=count), 1)
    return np.asarray(sums / sizes[:, None], dtype=np.float32)


def _average(vectors: Vectors, entries: Rows, count: int) -> Vectors:
    """Return each entry's mean as its weights, a column each."""
    return np.asarray(MEAN_SCALE * to_unit(_means(vectors, entries, count)).T, dtype=np.float32)


def _regress(vectors: Vectors, entries: Rows, count: int) -> Vectors:
    """Return the weights, a column an entry, of least penalised log loss."""
    steepest = 0.5 * float(np.linalg.eigvalsh(vectors.T @ vectors)[-1]) + PENALTY
    weights: Vectors = np.zeros((vectors.shape[1], count), dtype=np.float32)
    ahead, numbers = weights, np.arange(len(vectors))
    for step in range(STEPS):
        excess = softmax(vectors @ ahead)
        excess[numbers, entries] -= 1
        gradient = vectors.T @ excess + PENALTY * ahead
        following = np.asarray(ahead - gradient / steepest, dtype=np.float32)
        ahead = np.asarray(following + step / (step + 3) * (following - weights), dtype=np.float32)
        weights = following
    return weights


def softmax(scores: Vectors) -> Vectors:
    """Return scores as shares of one, along the last axis."""
    grown = np.exp(scores - scores.max(axis=-1, keepdims=True))
    shares: Vectors = grown / grown.sum(axis=-1, keepdims=True)
    return shares

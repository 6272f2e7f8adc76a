"""Grouping texts that mean the same, by their vectors."""

from __future__ import annotations

import numpy as np

from knowledge.embedding.base import Vectors

_NONE = -2.0
"""Less than any similarity: of a row to itself, or to one that went into another."""


def cluster(vectors: Vectors, similarity: float) -> list[list[int]]:
    """Group unit vectors so long as the mean similarity between two groups reaches `similarity`.

    This is average linkage. All pairs that are each other's nearest are joined at once, which gives the same groups as
    joining one pair after the other: no join brings a third group nearer than its nearer part was.
    """
    groups = [[number] for number in range(len(vectors))]
    if len(groups) < 2:
        return groups
    similarities = vectors @ vectors.T
    similarities = np.maximum(similarities, similarities.T)
    np.fill_diagonal(similarities, _NONE)
    while pairs := _mutually_nearest(similarities, similarity):
        for kept, joined in pairs:
            sizes = len(groups[kept]), len(groups[joined])
            mean = np.average(similarities[[kept, joined]], axis=0, weights=sizes).astype(np.float32)
            mean[kept] = _NONE
            similarities[kept], similarities[:, kept] = mean, mean
            similarities[joined], similarities[:, joined] = _NONE, _NONE
            groups[kept] += groups[joined]
            groups[joined] = []
    return [group for group in groups if group]


def _mutually_nearest(similarities: Vectors, least: float) -> list[tuple[int, int]]:
    nearest = similarities.argmax(axis=1)
    numbers = np.arange(len(nearest))
    near = similarities[numbers, nearest] >= least
    chosen = numbers[near & (nearest[nearest] == numbers) & (numbers < nearest)]
    return list(zip(chosen.tolist(), nearest[chosen].tolist(), strict=True))

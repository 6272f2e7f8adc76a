"""The figures of an evaluation, each from two arrays: how sure the search was, and whether it was right.

`confidence` is a probability in [0, 1] each, `right` a truth value each; both have one dimension and the same length.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from knowledge.text import bare

Numbers = NDArray[np.float64]
Truths = NDArray[np.bool_]

BINS = 10
"""Of a reliability diagram, each with the same number of questions."""


@dataclass(frozen=True)
class Bin:
    """Questions of like confidence: how many, the mean of their confidence, and the share that was right."""

    count: float
    confidence: float
    right: float


@dataclass(frozen=True)
class RiskPoint:
    """If only the surest share `coverage` of the questions were answered, this share of them would be wrong."""

    coverage: float
    risk: float


def hit_at(ranks: Sequence[int | None], count: int) -> float:
    """Return the share of questions whose right entry is among the first `count`; ranks begin at 1, None is missing."""
    return float(np.mean([rank is not None and rank <= count for rank in ranks])) if ranks else 0.0


def mean_reciprocal_rank(ranks: Sequence[int | None]) -> float:
    """Return the mean of 1/rank, 0 where the right entry is missing."""
    return float(np.mean([1 / rank if rank else 0.0 for rank in ranks])) if ranks else 0.0


def auroc(scores: Numbers, positive: Truths) -> float:
    """Return the probability that a positive scores higher than a negative; a tie counts half, one class alone 1/2.

    The Mann-Whitney statistic, from mean ranks.
    """
    count = int(positive.sum())
    others = len(positive) - count
    if not count or not others:
        return 0.5
    values, places, sizes = np.unique(scores, return_inverse=True, return_counts=True)
    mean_ranks = np.cumsum(sizes) - (sizes - 1) / 2
    ranks = mean_ranks[places]
    assert len(values) == len(sizes)
    return float((ranks[positive].sum() - count * (count + 1) / 2) / (count * others))


def overlap(answer: str, accepted: str) -> float:
    """Return the F1 of the characters that two texts share, each as often as both have it, without punctuation."""
    said, wanted = Counter(bare(answer)), Counter(bare(accepted))
    return 2 * (said & wanted).total() / (said.total() + wanted.total()) if said or wanted else 0.0


def reliability(confidence: Numbers, right: Truths, bins: int = BINS, weights: Numbers | None = None) -> list[Bin]:
    """Return bins of equal size, least sure first; `weights` say for how many each question stands."""
    weights = np.ones(len(confidence)) if weights is None else weights
    order = np.argsort(confidence, kind="stable")
    passed = np.cumsum(weights[order])
    ends = np.searchsorted(passed, passed[-1:] * np.arange(1, bins) / bins, side="right")
    parts = [part for part in np.split(order, ends) if len(part)]
    return [
        Bin(
            float(weights[part].sum()),
            float(np.average(confidence[part], weights=weights[part])),
            float(np.average(right[part], weights=weights[part])),
        )
        for part in parts
    ]


def calibration_error(confidence: Numbers, right: Truths, bins: int = BINS, weights: Numbers | None = None) -> float:
    """Return the expected calibration error over bins of equal size.

    Equal sizes, since with equal widths the one that holds most questions decides alone (Nixon et al., "Measuring
    Calibration in Deep Learning", 2019).
    """
    if not len(confidence):
        return 0.0
    parts = reliability(confidence, right, bins, weights)
    return sum(part.count * abs(part.confidence - part.right) for part in parts) / sum(part.count for part in parts)


def risk_coverage(confidence: Numbers, right: Truths) -> list[RiskPoint]:
    """Return the risk at each coverage that a threshold can reach, the surest questions first."""
    if not len(confidence):
        return []
    order = np.argsort(-confidence, kind="stable")
    sorted_confidence = confidence[order]
    wrong = np.cumsum(~right[order])
    answered = np.arange(1, len(order) + 1)
    ends = np.append(sorted_confidence[1:] != sorted_confidence[:-1], True)
    return [
        RiskPoint(float(count / len(order)), float(errors / count))
        for count, errors in zip(answered[ends], wrong[ends], strict=True)
    ]


def area_under_risk(confidence: Numbers, right: Truths) -> float:
    """Return the area under the risk-coverage curve (AURC; Geifman and El-Yaniv, 2017): less is better, 0 is best."""
    points = risk_coverage(confidence, right)
    before, area = 0.0, 0.0
    for point in points:
        area += (point.coverage - before) * point.risk
        before = point.coverage
    return area


def threshold_for(confidence: Numbers, right: Truths, weights: Numbers, precision: float) -> float:
    """Return the least confidence from which on answers are right in `precision` of the cases; above 1 if never.

    `weights` say how often each question stands for others.
    """
    order = np.argsort(-confidence, kind="stable")
    share = np.cumsum(weights[order] * right[order]) / np.cumsum(weights[order])
    ends = np.append(confidence[order][1:] != confidence[order][:-1], True)
    reached = np.flatnonzero((share >= precision) & ends)
    return float(confidence[order[reached[-1]]]) if len(reached) else 1.01

"""The probability that the first candidate answers the question, from the scores that found it."""

from __future__ import annotations

import math
from dataclasses import astuple, dataclass

from knowledge.weights.catalogue import DEFAULT_EMBEDDING


@dataclass(frozen=True)
class Features:
    """What confidence is computed from, all of the first candidate.

    The cosines of its best lines and of its answer (centred), the share of the question's words that it holds
    (weighted by rarity), and how far the fused score is ahead of the second candidate's.
    """

    question_score: float
    answer_score: float
    coverage: float
    fused_margin: float


@dataclass(frozen=True)
class Calibration:
    """A logistic regression over the features, one weight each, fitted for one embedding model."""

    weights: tuple[float, float, float, float]
    bias: float

    def probability(self, features: Features) -> float:
        """Return a probability in [0, 1]."""
        score = self.bias + sum(w * x for w, x in zip(self.weights, astuple(features), strict=True))
        return 1 / (1 + math.exp(-max(-30.0, min(30.0, score))))


CALIBRATIONS = {
    "multilingual-e5-small-zh-en-q4_0": Calibration(weights=(7.4, 0.78, 3.2, 0.24), bias=-4.2),
    "none (words only)": Calibration(weights=(0.0, 0.0, 3.22, 0.97), bias=-2.41),
}
"""Fitted by `python benchmarks/search.py --fit` on the questions of the two examples."""


def calibration_for(embedder: str) -> Calibration:
    """Return the calibration of an embedder; one that was never measured gets the default model's."""
    return CALIBRATIONS.get(embedder, CALIBRATIONS[DEFAULT_EMBEDDING])

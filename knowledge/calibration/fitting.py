"""A knowledge base calibrates itself: each entry's own variants are asked, one left out at a time.

What nothing answers is learnt from the same questions with their entry left out (near the subject), and from questions
that no company's FAQ answers (far from it).
"""

from __future__ import annotations

import random
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import astuple, dataclass, replace

import numpy as np
from numpy.typing import NDArray

from knowledge.calibration.questions import out_of_scope
from knowledge.confidence import Calibration, Numbers, calibration_for, fit
from knowledge.embedding.base import Embedder
from knowledge.evaluation.metrics import reliability
from knowledge.index.snapshot import IndexRow, Snapshot
from knowledge.search import Searcher
from knowledge.text import Language, detect_language, normalise

MIN_QUESTIONS = 60
"""With fewer variants to ask, the calibration that was shipped for the embedder is better than one fitted."""

MAX_QUESTIONS = 400
FOLDS = 3
OUT_OF_SCOPE = 120
"""Questions, of those shipped for a language."""

UNANSWERED = 0.15
"""The share of customers' questions that is taken to have no answer in the FAQ, half of them near its subject."""


@dataclass(frozen=True)
class Fitted:
    """A calibration, and the questions that it was fitted on; `confidence` is what it makes of them.

    `weights` say for how many of a customer's questions each stands.
    """

    calibration: Calibration
    confidence: Numbers
    right: NDArray[np.bool_]
    weights: Numbers

    @property
    def questions(self) -> int:
        """How many questions it was fitted on, 0 if it is the one shipped."""
        return len(self.right)


@dataclass
class _Asked:
    """Features a row a question, whether the first candidate was right, and the kind of question."""

    features: list[tuple[float, ...]]
    right: list[bool]
    kinds: list[str]

    def add(self, features: tuple[float, ...], kind: str, *, right: bool = False) -> None:
        self.features.append(features)
        self.right.append(right)
        self.kinds.append(kind)


def calibrate(snapshot: Snapshot, embedder: Embedder) -> Fitted:
    """Fit the confidence of a snapshot; with too few variants it is the one shipped for the embedder.

    Takes a few seconds: three indexes are built, from vectors that are known.
    """
    start = calibration_for(embedder.name)
    asked = _Asked([], [], [])
    for held in _folds(snapshot):
        searcher = Searcher(snapshot.without_variants([snapshot.rows[row] for row in held]), embedder, start)
        for row in held:
            line = snapshot.rows[row]
            found, best = searcher.features(line.text, snapshot.vectors[row])
            asked.add(astuple(found), "variant", right=best == line.entry)
            if len(snapshot.entries) > 1:
                without, _ = searcher.features(line.text, snapshot.vectors[row], without=line.entry)
                asked.add(astuple(without), "near")
    if asked.kinds.count("variant") < MIN_QUESTIONS:
        nothing = np.zeros(0)
        return Fitted(start, nothing, np.zeros(0, dtype=np.bool_), nothing)
    searcher = Searcher(snapshot, embedder, start)
    far = [text for language in _languages(snapshot) for text in out_of_scope(language)[:OUT_OF_SCOPE]]
    for text, vector in zip(far, embedder.embed_queries([normalise(text) for text in far]), strict=True):
        asked.add(astuple(searcher.features(text, vector)[0]), "far")
    return _fit(asked, start)


def _fit(asked: _Asked, start: Calibration) -> Fitted:
    counts = Counter(asked.kinds)
    unanswered = counts["variant"] * UNANSWERED / (1 - UNANSWERED) / 2
    share = {"variant": 1.0, "near": unanswered / max(1, counts["near"]), "far": unanswered / max(1, counts["far"])}
    features, right = np.array(asked.features), np.array(asked.right)
    weights = np.array([share[kind] for kind in asked.kinds])
    calibration = fit(features, right, weights, start)
    confidence = 1 / (1 + np.exp(-(features @ np.array(calibration.weights) + calibration.bias)))
    curve = tuple((part.confidence, part.right) for part in reliability(confidence, right, weights=weights))
    return Fitted(replace(calibration, curve=curve), confidence, right, weights)


def _folds(snapshot: Snapshot) -> Iterator[list[int]]:
    """Yield rows of variants, at most one of each entry at a time."""
    variants: dict[int, list[int]] = defaultdict(list)
    for number, row in enumerate(snapshot.rows):
        if row.kind == "question" and not _is_first(snapshot, number, row):
            variants[row.entry].append(number)
    chance = random.Random(0)  # noqa: S311 - the same choice each time  # nosec B311
    for rows in variants.values():
        chance.shuffle(rows)
    left = MAX_QUESTIONS
    for fold in range(FOLDS):
        held = [rows[fold] for rows in variants.values() if len(rows) > fold]
        held = chance.sample(held, min(len(held), left))
        left -= len(held)
        if held:
            yield held


def _is_first(snapshot: Snapshot, number: int, row: IndexRow) -> bool:
    return number == 0 or snapshot.rows[number - 1].entry != row.entry


def _languages(snapshot: Snapshot) -> list[Language]:
    """Return the languages that more than a tenth of the entries are in."""
    counts = Counter(detect_language(located.entry.question) for located in snapshot.entries)
    return [language for language, count in counts.items() if count * 10 > len(snapshot.entries)]

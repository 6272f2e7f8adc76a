"""From a question to evidence: vectors and words find the entries, a confidence says how far to trust them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from knowledge.confidence import Calibration, Features
from knowledge.courtesies import Courtesies
from knowledge.embedding.base import Embedder, Vectors
from knowledge.embedding.recent import RecentQueries
from knowledge.entries import Entry
from knowledge.errors import IndexUnavailable
from knowledge.index.base import Rows
from knowledge.index.snapshot import Snapshot, centred
from knowledge.reranking.patient import PatientReranking
from knowledge.spelling import Spelling
from knowledge.stages import stage
from knowledge.synonyms import Synonyms
from knowledge.text import bare, normalise

Mask = NDArray[np.bool_]

POOL_ROWS = 4_096
"""Rows that are looked at for each question: all of them in most FAQs, since scores are compared with the average."""

CLASSIFIED = 20_000
"""Entries that the classifier scores all of, in 2 ms; of more, those that the vectors found."""

SORTED = 10_000
"""Entries that are sorted as a whole; of more, the best are picked first."""

SUPPORT = 2
"""An entry's question score is the mean of so many of its best lines: one variant alone may match by accident."""

WEIGHTS = {"classifier": 2.0, "by_question": 0.5, "by_answer": 0.75, "bm25": 0.75}
"""Of the scores that entries are ranked by, each standardised over the entries; measured by benchmarks/search.py.

That of the answer is shared by the lines that an entry has on average: what an answer says is little beside ten ways of
asking, and much where there is only one.
"""

FEWEST_RIVALS = 50
"""To be the best of three entries means little: a share is taken as if there were so many."""

MOVING_ON = 0.75
"""What the entry that was found before loses for each point of BM25 by which another has more of a follow-up's words.

Fitted on the follow-ups of one example and tried on the other's: 0.8 on shop-zh, 0.7 on bank-en, each better for both.
"""

SHARE_TEMPERATURE = 2.0
"""Divides fused scores before they are turned into shares."""

UNCERTAIN = (0.1, 0.9)
"""The confidence between which a reranker is asked."""


@dataclass(frozen=True)
class Query:
    """A question, the earlier one that it may lean on, and the question of the entry which that one was `about`."""

    text: str
    topic: str | None = None
    about: str | None = None

    @property
    def standalone(self) -> str:
        """The question as it reads without the conversation."""
        return f"{self.topic} {self.text}" if self.topic else self.text

    @property
    def readings(self) -> list[str]:
        """What is searched for, each counting alike: the question alone, and with what it may lean on."""
        return [self.text, *(f"{leant_on} {self.text}" for leant_on in (self.topic, self.about) if leant_on)]


@dataclass(frozen=True)
class Candidate:
    """An entry that may answer, with every score that led to it."""

    knowledge_base: str
    entry: Entry
    matched: str
    question_score: float
    answer_score: float
    bm25_score: float
    classifier_score: float
    fused_score: float

    def to_dict(self) -> dict[str, Any]:
        """Return the candidate as it is logged and shown."""
        return {
            "knowledge_base": self.knowledge_base,
            "key": self.entry.key,
            "question": self.entry.question,
            "matched": self.matched,
            "question_score": round(self.question_score, 4),
            "answer_score": round(self.answer_score, 4),
            "bm25_score": round(self.bm25_score, 4),
            "classifier_score": round(self.classifier_score, 4),
            "fused_score": round(self.fused_score, 4),
        }


@dataclass(frozen=True)
class Evidence:
    """The candidates for a question, best first, and the probability that the first of them answers it.

    Without `features` it is not an estimate: the question is in the words of an entry, or there is no entry. It is not
    `whole` where the index of vectors could not be reached: words and the classifier found what there is.
    """

    candidates: list[Candidate]
    confidence: float
    features: Features | None = None
    whole: bool = True

    @property
    def best(self) -> Candidate | None:
        """The first candidate."""
        return self.candidates[0] if self.candidates else None


class Searcher:
    """Searches one snapshot; it never changes, so any number of threads may use it."""

    def __init__(
        self,
        snapshot: Snapshot,
        embedder: Embedder,
        calibration: Calibration,
        *,
        spelling: Spelling | None = None,
        synonyms: Synonyms | None = None,
        courtesies: Courtesies | None = None,
        reranking: PatientReranking | None = None,
    ) -> None:
        """Put the parts together; questions are read as they were typed unless spelling and courtesies are minded."""
        self.snapshot = snapshot
        self._reranking = reranking
        self._embedder = embedder
        self.calibration = calibration
        lines = float(snapshot.is_question.sum()) / len(snapshot.entries)
        self._weights = {**WEIGHTS, "by_answer": WEIGHTS["by_answer"] / lines}
        self._spelling, self._synonyms, self._courtesies = spelling, synonyms, courtesies
        self._living: tuple[date | None, Mask] = (None, np.zeros(0, dtype=np.bool_))
        self._exact: dict[str, list[int]] = {}
        for number, located in enumerate(snapshot.entries):
            for question in located.entry.questions:
                self._exact.setdefault(bare(question), []).append(number)

    def with_synonyms(self, lines: Sequence[str]) -> Searcher:
        """Return one that searches the same and takes some words, a line of them each, to mean what the FAQ's do."""
        synonyms = Synonyms(lines, "\n".join(normalise(located.entry.text) for located in self.snapshot.entries))
        return Searcher(
            self.snapshot,
            self._embedder,
            self.calibration,
            spelling=self._spelling,
            synonyms=synonyms,
            courtesies=self._courtesies,
            reranking=self._reranking,
        )

    def forget(self) -> None:
        """Forget which questions were asked; they are embedded again when they come again."""
        if isinstance(self._embedder, RecentQueries):
            self._embedder.forget()

    def search(self, query: Query, *, today: date, count: int = 5) -> Evidence:
        """Return the best `count` entries that are live today, with their confidence."""
        asked = query.text
        exact = self._same(asked, today)
        if not exact and self._courtesies:
            asked = self._courtesies.without(asked)
            exact = self._same(asked, today)
        readings = [asked] if exact else self._as_meant(query, asked).readings
        parts = self._score(readings)
        scores = _Scores.mean(parts, self._handicaps(query, parts[0]))
        live = self._live(today)
        if not live.any():
            return Evidence([], 0.0)
        first = scores.first(count, live)
        if exact:
            order = [exact[0], *(number for number in first if number != exact[0])]
            return Evidence([self._candidate(number, scores) for number in order[:count]], 1.0, whole=scores.whole)
        features = self._features(first[0], live, scores, readings)
        confidence = self.calibration.probability(features)
        if self._reranking and UNCERTAIN[0] <= confidence < UNCERTAIN[1]:
            scores = self._reranked(self._reranking, query, scores.first(self._reranking.count, live), scores)
            first = scores.first(count, live)
            features = self._features(first[0], live, scores, readings)
            confidence = self.calibration.probability(features)
        return Evidence([self._candidate(number, scores) for number in first], confidence, features, scores.whole)

    def features(self, question: str, vector: Vectors, without: int | None = None) -> tuple[Features, int]:
        """Return what confidence is computed from, and the number of the first candidate: for calibration.

        The question's vector is the embedder's own. With one entry left out, nothing answers what that entry would.
        """
        scores = self._score_reading(centred(vector[None, :], self.snapshot.center)[0], question)
        others = np.ones(len(self.snapshot.entries), dtype=np.bool_)
        if without is not None:
            others[without] = False
        [best] = scores.first(1, others)
        return self._features(best, others, scores, [question]), best

    def _same(self, question: str, today: date) -> list[int]:
        """Return the live entries that have a question in these words."""
        same = self._exact.get(bare(question), ())
        return [number for number in same if self.snapshot.entries[number].entry.is_live(today)]

    def _live(self, today: date) -> Mask:
        """Say of each entry whether it is live today."""
        day, live = self._living
        if day != today:
            live = np.array([located.entry.is_live(today) for located in self.snapshot.entries], dtype=np.bool_)
            self._living = today, live
        return live

    def _as_meant(self, query: Query, asked: str) -> Query:
        """Return a question, `asked` without courtesies, in the words of the knowledge base where it has others."""
        meant = self._synonyms.applied(query.text) if self._synonyms else query.text
        spelt = (self._spelling and self._spelling.corrected(meant)) or meant
        if not self._courtesies:
            return replace(query, text=spelt)
        topic = query.topic and self._courtesies.without(query.topic)
        return replace(query, text=asked if spelt == query.text else self._courtesies.without(spelt), topic=topic)

    def _handicaps(self, query: Query, alone: _Scores) -> Vectors:
        """Return what entries lose because the question has words that lead away from what was asked before."""
        handicaps = np.zeros(len(self.snapshot.entries), dtype=np.float32)
        before = self._exact.get(bare(query.about), []) if query.about else []
        handicaps[before] = MOVING_ON * (alone.bm25.max() - alone.bm25[before])
        return handicaps

    def _reranked(self, reranking: PatientReranking, query: Query, first: list[int], scores: _Scores) -> _Scores:
        """Return the scores with what a reranker makes of the first entries; those it has not read stay behind."""
        bonus = reranking.bonus(query.standalone, [self.snapshot.entries[number].entry for number in first])
        if bonus is None:
            return scores
        everywhere = np.full(len(self.snapshot.entries), bonus.min(), dtype=np.float32)
        everywhere[first] = bonus
        return replace(scores, handicaps=scores.handicaps - everywhere)

    def _score(self, readings: list[str]) -> list[_Scores]:
        with stage("embed"):
            own = self._embedder.embed_queries([normalise(text) for text in readings])
        with stage("index"):
            vectors = centred(own, self.snapshot.center)
            return [self._score_reading(vector, text) for vector, text in zip(vectors, readings, strict=True)]

    def _score_reading(self, vector: Vectors, question: str) -> _Scores:
        snapshot = self.snapshot
        size = len(snapshot.entries)
        try:
            row_scores, rows = snapshot.dense.search(vector, POOL_ROWS)  # best first
            whole = True
        except IndexUnavailable:
            row_scores, rows, whole = np.zeros(0, dtype=np.float32), np.zeros(0, dtype=np.int64), False
        floor = row_scores[-1] if len(row_scores) else 0.0
        entries, asked = snapshot.entry_of_row[rows], snapshot.is_question[rows]
        by_answer = np.full(size, floor, dtype=np.float32)
        by_answer[entries[~asked]] = row_scores[~asked]
        by_question, matched = _best_lines(size, floor, row_scores[asked], entries[asked], rows[asked])
        classifier = self._classified(vector, entries)
        bm25 = snapshot.lexical.scores(question)
        return _Scores(by_question, by_answer, bm25, classifier, matched, self._weights, whole)

    def _classified(self, vector: Vectors, found: Rows) -> Vectors:
        """Return the classifier's scores; among very many entries, the others all have that of the worst one found."""
        size = len(self.snapshot.entries)
        if size <= CLASSIFIED or not len(found):
            return self.snapshot.classifier.scores(vector)
        entries = np.unique(found)
        scores = self.snapshot.classifier.scores(vector, entries)
        everywhere = np.full(size, scores.min(initial=0), dtype=np.float32)
        everywhere[entries] = scores
        return everywhere

    def _features(self, best: int, among: Mask, scores: _Scores, readings: Sequence[str]) -> Features:
        """Return the features of the best entry, as if nothing else than these entries were there."""
        return Features(
            question_score=float(scores.by_question[best]),
            answer_score=float(scores.by_answer[best]),
            coverage=max(self.snapshot.lexical.coverage(reading, best) for reading in readings),
            fused_share=_share(scores.fused[best] / SHARE_TEMPERATURE, scores.fused[among] / SHARE_TEMPERATURE),
            classifier_share=_share(scores.classifier[best], scores.classifier[among]),
        )

    def _candidate(self, number: int, scores: _Scores) -> Candidate:
        located = self.snapshot.entries[number]
        row = scores.matched.get(number)
        return Candidate(
            knowledge_base=located.knowledge_base,
            entry=located.entry,
            matched=self.snapshot.rows[row].text if row is not None else located.entry.question,
            question_score=float(scores.by_question[number]),
            answer_score=float(scores.by_answer[number]),
            bm25_score=float(scores.bm25[number]),
            classifier_score=float(scores.classifier[number]),
            fused_score=float(scores.fused[number]),
        )


@dataclass(frozen=True)
class _Scores:
    """One score an entry, of each kind."""

    by_question: Vectors
    by_answer: Vectors
    bm25: Vectors
    classifier: Vectors
    matched: dict[int, int]
    weights: dict[str, float]
    whole: bool
    """Whether the vectors were compared at all."""

    handicaps: Vectors | float = 0.0
    """What the entries lose, or gain if it is negative, in the units of the fused score."""

    @classmethod
    def mean(cls, parts: list[_Scores], handicaps: Vectors) -> _Scores:
        """Return the mean of the scores of several readings of one question."""
        means = {
            name: np.asarray(np.mean([getattr(part, name) for part in parts], axis=0), dtype=np.float32)
            for name in WEIGHTS
        }
        return cls(
            **means,
            matched=parts[0].matched,
            weights=parts[0].weights,
            whole=all(part.whole for part in parts),
            handicaps=handicaps,
        )

    @cached_property
    def fused(self) -> Vectors:
        """The score that entries are ranked by."""
        parts = [np.float32(weight) * _standardised(getattr(self, name)) for name, weight in self.weights.items()]
        fused: Vectors = np.sum(parts, axis=0, dtype=np.float32)
        return fused - self.handicaps

    def first(self, count: int, among: Mask) -> list[int]:
        """Return the best of some entries, best first."""
        numbers = np.flatnonzero(among)
        if len(numbers) > SORTED:
            numbers = np.sort(numbers[np.argpartition(-self.fused[numbers], count)[:count]])
        first: list[int] = numbers[np.argsort(-self.fused[numbers], kind="stable")[:count]].tolist()
        return first


def _best_lines(size: int, floor: float, scores: Vectors, entries: Rows, rows: Rows) -> tuple[Vectors, dict[int, int]]:
    """Return the mean of each entry's best lines, and the number of its best; the lines come best first."""
    total, count = np.zeros(size, dtype=np.float32), np.zeros(size, dtype=np.float32)
    matched: dict[int, int] = {}
    for place in range(SUPPORT):
        found, first = np.unique(entries, return_index=True)
        total[found] += scores[first]
        count[found] += 1
        if place == 0:
            matched = dict(zip(found.tolist(), rows[first].tolist(), strict=True))
        entries, scores = np.delete(entries, first), np.delete(scores, first)
    return np.where(count > 0, total / np.maximum(count, 1), floor).astype(np.float32), matched


def _share(score: np.float32, scores: Vectors) -> float:
    """Return one score's share of all; beside few entries there stand average ones that are not there."""
    missing = max(0, FEWEST_RIVALS - len(scores))
    grown = np.exp(scores - scores.max())
    rivals = float(grown.sum()) + missing * math.exp(scores.mean() - scores.max())
    return math.exp(score - scores.max()) / rivals


def _standardised(scores: Vectors) -> Vectors:
    spread = float(scores.std())
    return (scores - scores.mean()) / spread if spread > 0 else np.zeros_like(scores)

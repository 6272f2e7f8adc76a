"""From a question to evidence: vectors and words find the entries, a confidence says how far to trust them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np

from knowledge.confidence import Calibration, Features
from knowledge.embedding.base import Embedder, Vectors
from knowledge.entries import Entry
from knowledge.index.snapshot import Snapshot, centred
from knowledge.text import bare, normalise

POOL_ROWS = 4_096
"""Rows that are looked at for each question: all of them in most FAQs, since scores are compared with the average."""

SUPPORT = 2
"""An entry's question score is the mean of so many of its best lines: one variant alone may match by accident."""

ANSWER_WEIGHT = 0.5
BM25_WEIGHT = 0.5
"""Beside the question score's 1, each standardised over the entries; measured by benchmarks/search.py."""


@dataclass(frozen=True)
class Candidate:
    """An entry that may answer, with every score that led to it."""

    knowledge_base: str
    entry: Entry
    matched: str
    question_score: float
    answer_score: float
    bm25_score: float
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
            "fused_score": round(self.fused_score, 4),
        }


@dataclass(frozen=True)
class Evidence:
    """The candidates for a question, best first, and the probability that the first of them answers it."""

    candidates: list[Candidate]
    confidence: float

    @property
    def best(self) -> Candidate | None:
        """The first candidate."""
        return self.candidates[0] if self.candidates else None


class Searcher:
    """Searches one snapshot; it never changes, so any number of threads may use it."""

    def __init__(self, snapshot: Snapshot, embedder: Embedder, calibration: Calibration) -> None:
        """Put the parts together."""
        self.snapshot = snapshot
        self._embedder = embedder
        self._calibration = calibration
        self._exact: dict[str, int] = {}
        for number, located in enumerate(snapshot.entries):
            for question in located.entry.questions:
                self._exact.setdefault(bare(question), number)

    def search(self, question: str, *, today: date, count: int = 5) -> Evidence:
        """Return the best `count` entries that are live today, with their confidence."""
        vector = self._embedder.embed_queries([normalise(question)])
        scores = self._score(centred(vector, self.snapshot.center)[0], question)
        live = [i for i in scores.order if self.snapshot.entries[i].entry.is_live(today)]
        if not live:
            return Evidence([], 0.0)
        exact = self._exact.get(bare(question))
        if exact in live:
            live.insert(0, live.pop(live.index(exact)))
        candidates = [self._candidate(number, scores) for number in live[:count]]
        if exact == live[0]:
            return Evidence(candidates, 1.0)
        return Evidence(candidates, self._calibration.probability(_features(candidates, question)))

    def _score(self, vector: Vectors, question: str) -> _Scores:
        snapshot = self.snapshot
        size = len(snapshot.entries)
        row_scores, rows = snapshot.dense.search(vector, POOL_ROWS)
        floor = float(row_scores[-1]) if len(row_scores) else 0.0
        lines: dict[int, list[float]] = {}
        matched: dict[int, int] = {}
        by_answer = np.full(size, floor, dtype=np.float32)
        for score, row in zip(row_scores, rows, strict=True):  # best first
            entry = int(snapshot.entry_of_row[row])
            if snapshot.is_question[row]:
                lines.setdefault(entry, []).append(float(score))
                matched.setdefault(entry, int(row))
            else:
                by_answer[entry] = score
        by_question = np.full(size, floor, dtype=np.float32)
        for entry, line_scores in lines.items():
            best = line_scores[:SUPPORT]
            by_question[entry] = sum(best) / len(best)
        bm25 = snapshot.lexical.scores(question)
        fused = (
            _standardised(by_question) + ANSWER_WEIGHT * _standardised(by_answer) + BM25_WEIGHT * _standardised(bm25)
        )
        return _Scores(by_question, by_answer, bm25, fused, matched)

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
            fused_score=float(scores.fused[number]),
        )


@dataclass(frozen=True)
class _Scores:
    """One score an entry, of each kind."""

    by_question: Vectors
    by_answer: Vectors
    bm25: Vectors
    fused: Vectors
    matched: dict[int, int]

    @property
    def order(self) -> list[int]:
        return [int(number) for number in np.argsort(-self.fused, kind="stable")[:50]]


def _standardised(scores: Vectors) -> Vectors:
    spread = float(scores.std())
    return (scores - scores.mean()) / spread if spread > 0 else np.zeros_like(scores)


def _features(candidates: list[Candidate], question: str) -> Features:
    best = candidates[0]
    others = candidates[1:]
    return Features(
        question_score=best.question_score,
        answer_score=best.answer_score,
        bm25_score=best.bm25_score,
        question_margin=best.question_score - max((other.question_score for other in others), default=0.0),
        fused_margin=best.fused_score - max((other.fused_score for other in others), default=0.0),
        length=len(bare(question)),
    )

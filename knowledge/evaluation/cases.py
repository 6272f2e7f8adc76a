"""Asking questions whose right entry is known."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date

from knowledge.embedding.base import OnProgress, no_progress
from knowledge.search import Query, Searcher
from knowledge.text import bare

CANDIDATES = 5


@dataclass(frozen=True)
class TestCase:
    """A question, after those asked `earlier`, and the keys of the entries that answer it: none if nothing does.

    `phrases` are words that the answer must hold, `accepted` are answers of which it must hold one.
    """

    __test__ = False
    question: str
    keys: tuple[str, ...]
    earlier: tuple[str, ...] = ()
    phrases: tuple[str, ...] = ()
    accepted: tuple[str, ...] = ()

    def is_answered_by(self, answer: str) -> bool:
        """Say whether an answer holds what it must."""
        said = bare(answer)
        return all(phrase in answer for phrase in self.phrases) and (
            not self.accepted or any(bare(accepted) in said for accepted in self.accepted)
        )

    @property
    def text(self) -> str:
        """The question with what was asked before it, for people."""
        return " → ".join((*self.earlier, self.question))


@dataclass(frozen=True)
class Verdict:
    """What was found for a test case, best first, how sure the search was of the first, and how long it took."""

    case: TestCase
    keys: tuple[str, ...]
    confidence: float
    milliseconds: float = 0.0

    @property
    def found(self) -> str | None:
        """The key of the first entry."""
        return self.keys[0] if self.keys else None

    @property
    def right(self) -> bool:
        """Say whether an entry that answers the question came first."""
        return self.found in self.case.keys

    @property
    def rank(self) -> int | None:
        """The place of the first entry that answers the question, from 1; None if it is not among those found."""
        return next((place for place, key in enumerate(self.keys, start=1) if key in self.case.keys), None)


def alone(case: TestCase) -> Query:
    """Read a question without those before it."""
    return Query(case.question)


def evaluate(
    searcher: Searcher,
    cases: Sequence[TestCase],
    *,
    today: date,
    read: Callable[[TestCase], Query] = alone,
    on_progress: OnProgress = no_progress,
) -> list[Verdict]:
    """Search for each question, as it is read; takes some 20 ms a question of one core."""
    verdicts = []
    for number, case in enumerate(cases, start=1):
        begun = time.perf_counter()
        evidence = searcher.search(read(case), today=today, count=CANDIDATES)
        elapsed = (time.perf_counter() - begun) * 1_000
        keys = tuple(candidate.entry.key for candidate in evidence.candidates)
        verdicts.append(Verdict(case, keys, evidence.confidence, elapsed))
        on_progress(number, len(cases))
    return verdicts

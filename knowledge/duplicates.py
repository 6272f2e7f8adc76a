"""Near-duplicate questions; with answers that differ, the commonest way in which an FAQ contradicts itself."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass

from knowledge.entries import Entry
from knowledge.text import bare

SIMILARITY = 0.8
"""Jaccard similarity of character pairs from which two questions count as the same."""

EPSILON = 1e-9
_SHARE = SIMILARITY / (1 + SIMILARITY)
"""Of the sizes of two sets together, what they share at this similarity."""


@dataclass(frozen=True)
class Duplicate:
    """Two entries that seem to ask the same, each in the words given."""

    first: Entry
    second: Entry
    first_question: str
    second_question: str

    @property
    def conflicting(self) -> bool:
        """Say whether they answer differently."""
        return bare(self.first.answer) != bare(self.second.answer)


def find_duplicates(entries: list[Entry]) -> Iterator[Duplicate]:
    """Yield each pair of entries that have nearly the same question, or variant.

    Two such questions share one of their rarest pairs, so that only these are looked up: the prefix filter of
    Chaudhuri, Ganti and Kaushik, "A Primitive Operator for Similarity Joins in Data Cleaning", 2006.
    """
    lines = [_Line(entry, question) for entry in entries for question in entry.questions]
    frequency = Counter(pair for line in lines for pair in line.pairs)
    lines_with: dict[str, list[tuple[_Line, int]]] = defaultdict(list)
    found: set[tuple[str, str]] = set()
    for line in lines:
        size = line.size
        rarest = sorted(line.pairs, key=lambda pair: (frequency[pair], pair))
        prefix = rarest[: size - math.ceil(SIMILARITY * size - EPSILON) + 1]
        for earlier in _look_up(prefix, size, lines_with):
            keys = (earlier.entry.key, line.entry.key)
            if keys[0] != keys[1] and keys not in found and line.is_like(earlier):
                found.add(keys)
                yield Duplicate(earlier.entry, line.entry, earlier.question, line.question)
        for place, pair in enumerate(prefix):
            lines_with[pair].append((line, place))


class _Line:
    def __init__(self, entry: Entry, question: str) -> None:
        self.entry, self.question, self.pairs = entry, question, _pairs(question)
        self.size = len(self.pairs)

    def is_like(self, other: _Line) -> bool:
        shared = len(self.pairs & other.pairs)
        return shared >= SIMILARITY * (self.size + other.size - shared)


def _look_up(prefix: list[str], size: int, lines_with: dict[str, list[tuple[_Line, int]]]) -> Iterator[_Line]:
    """Yield each line, once, that can still share enough pairs behind the first that it does share."""
    seen = set()
    for place, pair in enumerate(prefix):
        left = size - place
        for other, other_place in lines_with[pair]:
            if other not in seen:
                seen.add(other)
                if min(left, other.size - other_place) >= _SHARE * (size + other.size) - EPSILON:
                    yield other


def _pairs(question: str) -> frozenset[str]:
    text = bare(question)
    return frozenset(text[start : start + 2] for start in range(max(1, len(text) - 1)))

"""Near-duplicate questions; with answers that differ, the commonest way in which an FAQ contradicts itself."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass

from knowledge.entries import Entry
from knowledge.text import bare

SIMILARITY = 0.8
"""Jaccard similarity of character pairs from which two questions count as the same."""

_COMMON = 200


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
    """Yield each pair of entries that have nearly the same question, or variant."""
    lines = [(entry, question, _pairs(question)) for entry in entries for question in entry.questions]
    lines_with: dict[str, list[int]] = defaultdict(list)
    found: set[tuple[str, str]] = set()
    for position, (entry, question, pairs) in enumerate(lines):
        rare = sorted(pairs, key=lambda pair: (len(lines_with[pair]), pair))
        candidates = {other for pair in rare if len(lines_with[pair]) < _COMMON for other in lines_with[pair]}
        for other in sorted(candidates):
            earlier, earlier_question, earlier_pairs = lines[other]
            if earlier.key == entry.key or (earlier.key, entry.key) in found:
                continue
            if len(pairs & earlier_pairs) >= SIMILARITY * len(pairs | earlier_pairs):
                found.add((earlier.key, entry.key))
                yield Duplicate(earlier, entry, earlier_question, question)
        for pair in pairs:
            lines_with[pair].append(position)


def _pairs(question: str) -> frozenset[str]:
    text = bare(question)
    return frozenset(text[start : start + 2] for start in range(max(1, len(text) - 1)))

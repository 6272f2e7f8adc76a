"""Is a generated answer borne out by the entries it rests on? Checked before the customer sees it.

A model of half a billion parameters copies well and reasons badly: left alone it turns "the name is hidden" into
"the name cannot be hidden". So what it says must be made of the entries' own facts, words and negations.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from itertools import pairwise

from knowledge.text import normalise

MIN_OVERLAP = 0.7
"""Share of an answer's word pairs (Chinese: character pairs) that must stand in the evidence."""

MIN_CHARACTERS = 8
"""A shorter answer, such as a bare "no", says too little to be checked."""

_FACT = re.compile(r"https?://[^\s，。；）)]+|[\w.+-]+@[\w-]+\.[\w.-]+|\d+(?:[.,:/-]\d+)*%?")
_CHINESE_NUMBER = re.compile(r"[一二两三四五六七八九十百千万]+(?=[个天日小时分钟元块折年月周次件倍%])")
_NUMBERING = re.compile(r"\[\d\]|^\s*\d{1,2}[.、)]\s*(?!\d)", re.MULTILINE)
_NEGATION = re.compile(
    r"不[能可会用需要得是行予含支退]|没有?|无[法需]|未|别|勿|禁止|\b(?:not|no|never|cannot|without|n't)\b|n't\b",
    re.IGNORECASE,
)
_UNIT = re.compile(r"[\u3400-\u9fff]|[a-z0-9]+")
_CLAUSE_END = re.compile(r"\n|[，,。.；;！!？?：:](?=\D)")
"""A mark is an end once something else than a digit follows it: 49.5 and 9:30 are one word."""


def facts(text: str) -> set[str]:
    """Return the numbers, dates, amounts, addresses and links of `text`, in one spelling."""
    text = normalise(_NUMBERING.sub(" ", text))  # the numbering of lines is gone once they are folded into one
    found = {match.rstrip(".,:/-").replace(",", "") for match in _FACT.findall(text)}
    return {fact for fact in found if fact} | set(_CHINESE_NUMBER.findall(text))


def negations(text: str) -> set[str]:
    """Return the words of `text` that turn a statement round."""
    return set(_NEGATION.findall(normalise(text)))


class GroundingCheck:
    """Holds an answer to its evidence."""

    def __init__(self, evidence: Iterable[str], question: str) -> None:
        """Note what may be said; from the question only facts may be repeated."""
        texts = list(evidence)
        self._facts = set().union(facts(question), *map(facts, texts))
        self._negations = set().union(*map(negations, texts))
        self._pairs = set().union(*map(_pairs, texts))

    def allows(self, clause: str) -> bool:
        """Say whether every number, date, address, link and negation of a clause is in the evidence."""
        return facts(clause) <= self._facts and negations(clause) <= self._negations

    def is_grounded(self, answer: str) -> bool:
        """Say whether a whole answer keeps to the evidence."""
        pairs = _pairs(answer)
        if len(normalise(answer)) < MIN_CHARACTERS or not self.allows(answer):
            return False
        return len(pairs & self._pairs) >= MIN_OVERLAP * len(pairs)


def split_clauses(text: str) -> tuple[str, str]:
    """Split streamed text into the clauses that are complete and the rest that is still growing."""
    end = 0
    for match in _CLAUSE_END.finditer(text):
        end = match.end()
    return text[:end], text[end:]


def _pairs(text: str) -> set[tuple[str, str]]:
    units = _UNIT.findall(normalise(text))
    return set(pairwise(units))

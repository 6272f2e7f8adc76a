"""Is a generated answer borne out by the entries it rests on? Checked before the customer sees it."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable

from knowledge.text import tokenise

MIN_OVERLAP = 0.5
"""Share of an answer's words that must occur in the evidence or the question."""

_FACT = re.compile(r"https?://[^\s，。；）)]+|[\w.+-]+@[\w-]+\.[\w.-]+|\d+(?:[.,:：/-]\d+)*%?")
_CHINESE_NUMBER = re.compile(r"[一二两三四五六七八九十百千万]+(?=[个天日小时分钟元块折年月周次件倍%％])")
_NUMBERING = re.compile(r"\[\d\]|^\s*\d{1,2}[.、)）]\s*(?!\d)", re.MULTILINE)
_CLAUSE_END = re.compile(r"[，,。.；;！!？?：:\n](?=\s|[^\d]|$)")


def facts(text: str) -> set[str]:
    """Return the numbers, dates, amounts, addresses and links of `text`, in one spelling."""
    text = unicodedata.normalize("NFKC", text)
    found = {match.rstrip(".,:/-").replace(",", "") for match in _FACT.findall(text)}
    return {fact for fact in found if fact} | set(_CHINESE_NUMBER.findall(text))


class GroundingCheck:
    """Holds an answer to its evidence, clause by clause."""

    def __init__(self, evidence: Iterable[str], question: str) -> None:
        """Note what may be said."""
        texts = [*evidence, question]
        self._facts = set().union(*(facts(text) for text in texts))
        self._words = set().union(*(set(tokenise(text)) for text in texts))

    def allows(self, clause: str) -> bool:
        """Say whether every number, date, address and link of a clause is in the evidence or the question."""
        return facts(_NUMBERING.sub(" ", clause)) <= self._facts

    def is_grounded(self, answer: str) -> bool:
        """Say whether a whole answer keeps to the evidence: its facts, and most of its words."""
        words = tokenise(answer)
        if not words or not self.allows(answer):
            return False
        return sum(word in self._words for word in words) >= MIN_OVERLAP * len(words)


def split_clauses(text: str) -> tuple[str, str]:
    """Split streamed text into the clauses that are complete and the rest that is still growing."""
    end = 0
    for match in _CLAUSE_END.finditer(text[:-1]):  # a mark at the very end may yet turn out to be a decimal point
        end = match.end()
    return text[:end], text[end:]

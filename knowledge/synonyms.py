"""Words that mean the same in a company, and which of them its FAQ uses."""

from __future__ import annotations

import re
from collections.abc import Iterable

from knowledge.text import is_han, normalise

_BETWEEN = re.compile(r"[,，、;；]")


class Synonyms:
    """Puts the FAQ's words in the place of those that only customers use."""

    def __init__(self, lines: Iterable[str], text: str) -> None:
        """Read lines of words that mean the same, separated by commas; `text` is all that the FAQ says, normalised."""
        self._meant: dict[str, str] = {}
        for line in lines:
            words = [word for word in map(str.strip, _BETWEEN.split(normalise(line))) if word]
            counts = {word: text.count(word) for word in words}
            usual = max(words, key=lambda word: counts[word], default="")
            if usual and counts[usual]:
                self._meant |= {word: usual for word in words if not counts[word]}
        longest_first = sorted(self._meant, key=len, reverse=True)
        self._pattern = re.compile("|".join(map(_as_word, longest_first)) or r"(?!)")

    def applied(self, question: str) -> str:
        """Return a question, normalised, in the FAQ's words."""
        return self._pattern.sub(lambda found: self._meant[found[0]], normalise(question))


def _as_word(word: str) -> str:
    return re.escape(word) if is_han(word) else rf"(?<![a-z0-9]){re.escape(word)}(?![a-z0-9])"

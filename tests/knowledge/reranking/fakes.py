"""Stand-ins for a reranker: one that counts shared characters, and others that fail in every way."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence

from knowledge.entries import Entry
from knowledge.errors import ModelError


class OverlapReranker:
    """Counts the characters that a question shares with an entry's answer."""

    name = "shared characters"
    weight = 1.0
    count = 8

    def __init__(self) -> None:
        self.asked: list[tuple[str, list[str]]] = []

    def warm_up(self) -> None:
        pass

    def scores(self, question: str, entries: Sequence[Entry]) -> list[float]:
        self.asked.append((question, [entry.key for entry in entries]))
        return [float(len(set(question) & set(entry.answer))) for entry in entries]


class PreferringReranker(OverlapReranker):
    """Likes one entry best."""

    def __init__(self, key: str, by: float = 10.0) -> None:
        super().__init__()
        self._key, self._by = key, by

    def scores(self, question: str, entries: Sequence[Entry]) -> list[float]:
        super().scores(question, entries)
        return [self._by if entry.key == self._key else 0.0 for entry in entries]


class BrokenReranker(OverlapReranker):
    """Answers with whatever a function gives."""

    def __init__(self, answer: Callable[[], list[float]]) -> None:
        super().__init__()
        self._answer = answer

    def scores(self, question: str, entries: Sequence[Entry]) -> list[float]:
        return self._answer()


class StuckReranker(OverlapReranker):
    """Answers once it is let go."""

    def __init__(self) -> None:
        super().__init__()
        self.go = threading.Event()

    def scores(self, question: str, entries: Sequence[Entry]) -> list[float]:
        self.go.wait(30)
        return super().scores(question, entries)


def failing() -> list[float]:
    raise ModelError("it has fallen over")

"""Answers of the local model that are given again to the same question on the same entries."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from bot.models.base import ChatMessage
from bot.recent import Recent

_HALF_WIDTH = {code: code - 0xFEE0 for code in range(0xFF01, 0xFF5F)}
_IDLE = re.compile(r"(?<!\d)[?!,;:~…。、·]+|[?!,;:~…。、·]+(?!\d)")
"""Signs that say nothing; between two digits they do."""


@dataclass(frozen=True)
class Worded:
    """What the model said, and whether it passed the check."""

    text: str
    grounded: bool


class AnswerCache:
    """The answers used most recently, by prompt: entries of another release make another prompt."""

    def __init__(self, size: int) -> None:
        """Start empty; it holds `size` answers at most."""
        self._answers: Recent[tuple[str, ...], Worded] = Recent(size)

    def __len__(self) -> int:
        """Count the answers."""
        return len(self._answers)

    def get(self, prompt: Sequence[ChatMessage]) -> Worded | None:
        """Return what was said to this prompt, whatever the question's punctuation, case and width."""
        return self._answers.get(_key(prompt))

    def put(self, prompt: Sequence[ChatMessage], answer: Worded) -> None:
        """Keep an answer, at the cost of the one unused for longest."""
        self._answers.put(_key(prompt), answer)

    def clear(self) -> None:
        """Forget everything."""
        self._answers.clear()


def _key(prompt: Sequence[ChatMessage]) -> tuple[str, ...]:
    return (*(message.content for message in prompt[:-1]), _plain(prompt[-1].content))


def _plain(question: str) -> str:
    """Return a question's letters and digits; a sign between digits, or one that means an amount, is kept."""
    text = question.translate(_HALF_WIDTH).casefold()
    return " ".join(_IDLE.sub(" ", text).split()).rstrip(".")

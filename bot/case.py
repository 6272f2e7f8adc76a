"""One question while it is being answered."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace

from bot.actions.tracker import Occasion
from bot.question import Answer, Citation, Message, Question, Started, Token
from knowledge.search import Candidate, Evidence, Query


@dataclass
class Case:
    """What is known of a question, and its answer so far; `awaited` names the action that waits for a reply."""

    asked: Question
    text: str
    query: Query
    history: Sequence[Message]
    evidence: Evidence
    answer: Answer
    started: float
    awaited: str | None = None

    @property
    def best(self) -> Candidate:
        """The entry that was found first."""
        assert self.evidence.best is not None
        return self.evidence.best

    def begun(self) -> Started:
        """Return the answer as it stands, since it goes on changing while readers come and go."""
        return Started(replace(self.answer))

    def say(self, text: str) -> Token:
        """Add to the answer."""
        self._note_first_word()
        self.answer.text += text
        return Token(text)

    def say_all(self) -> Token:
        """Give the answer's text at once."""
        self._note_first_word()
        return Token(self.answer.text)

    def cite(self, candidates: Sequence[Candidate]) -> None:
        """Name the entries that the answer comes from."""
        self.answer.citations = [
            Citation(number, found.knowledge_base, found.entry.key, found.entry.question, found.entry.answer)
            for number, found in enumerate(candidates, start=1)
        ]

    def give_entry_instead(self) -> None:
        """Fall back on the entry's own words, and say so."""
        answer = self.answer
        answer.outcome, answer.degraded, answer.model = "direct", True, None
        answer.text = self.best.entry.answer
        self.cite([self.best])

    def occasion(self) -> Occasion:
        """Return what an action is told."""
        return Occasion(
            conversation_id=self.answer.conversation_id,
            turn_id=self.answer.turn_id,
            text=self.text,
            language=self.answer.language,
            channel=self.asked.channel,
            visitor=self.asked.visitor,
            found=[(found.entry.key, self.evidence.confidence) for found in self.evidence.candidates[:1]],
        )

    def _note_first_word(self) -> None:
        if self.answer.timings.first_token_ms is None:
            self.answer.timings.first_token_ms = (time.perf_counter() - self.started) * 1_000

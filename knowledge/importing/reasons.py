"""Why a row cannot be taken: a code for programs, facts, and the sentence in English."""

from __future__ import annotations

from dataclasses import dataclass, field

SENTENCES = {
    "not_json": "not valid JSON",
    "not_an_object": 'not a JSON object such as {{"question": "…", "answer": "…"}}',
    "no_question": "the question is empty",
    "no_answer": "the answer is empty",
    "question_too_long": "a question is longer than {limit} characters",
    "answer_too_long": "the answer is longer than {limit:,} characters",
    "key_too_long": "the key is longer than {limit} characters",
    "same_as_row": "row {row} has the same one and another answer",
    "unknown_status": "{text!r} is none of published, draft, disabled (发布, 草稿, 停用)",
    "no_date": "{text!r} is not a date such as 2026-12-31",
    "ends_early": "it ends before it begins",
}
"""By their code; the console has one of its own for each, in each of its languages."""


@dataclass(frozen=True)
class Reason:
    """One of the sentences, with what is to be filled in."""

    code: str
    facts: dict[str, int | str] = field(default_factory=dict)

    def __str__(self) -> str:
        """Say it in English."""
        return SENTENCES[self.code].format(**self.facts)

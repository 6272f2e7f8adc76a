"""The FAQ entry: a question, the other ways customers put it, and one answer."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass
from datetime import date
from typing import Any, Literal

from knowledge.text import detect_language

Status = Literal["published", "draft", "disabled"]


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One FAQ entry; `key` is unique within its knowledge base, `answer` is Markdown, both dates are inclusive."""

    key: str
    question: str
    answer: str
    variants: tuple[str, ...] = ()
    language: str = ""
    tags: tuple[str, ...] = ()
    status: Status = "published"
    valid_from: date | None = None
    valid_until: date | None = None
    action: str | None = None

    @property
    def questions(self) -> tuple[str, ...]:
        """The question and its variants."""
        return (self.question, *self.variants)

    @property
    def text(self) -> str:
        """All that it says, a line each."""
        return "\n".join([*self.questions, self.answer])

    def is_live(self, today: date) -> bool:
        """Say whether customers may get this entry today."""
        started = self.valid_from is None or self.valid_from <= today
        ended = self.valid_until is not None and self.valid_until < today
        return self.status == "published" and started and not ended

    def to_dict(self) -> dict[str, Any]:
        """Return the entry as JSON types."""
        values = asdict(self)
        values["variants"] = list(self.variants)
        values["tags"] = list(self.tags)
        for name in ("valid_from", "valid_until"):
            values[name] = values[name].isoformat() if values[name] else None
        return values

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> Entry:
        """Rebuild an entry from `to_dict`."""
        return cls(
            **{
                **values,
                "variants": tuple(values["variants"]),
                "tags": tuple(values["tags"]),
                "valid_from": _to_date(values["valid_from"]),
                "valid_until": _to_date(values["valid_until"]),
            }
        )


def with_language(entry: Entry) -> Entry:
    """Fill in the language of an entry that names none."""
    if entry.language:
        return entry
    return Entry.from_dict({**entry.to_dict(), "language": detect_language(entry.question + entry.answer)})


def content_hash(entries: list[Entry]) -> str:
    """Return a hash that is equal exactly when the entries, in any order, are."""
    digest = hashlib.sha256()
    for entry in sorted(entries, key=lambda entry: entry.key):
        digest.update(json.dumps(entry.to_dict(), ensure_ascii=False, sort_keys=True).encode())
    return digest.hexdigest()


def _to_date(value: str | None) -> date | None:
    return date.fromisoformat(value) if value else None

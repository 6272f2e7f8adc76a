"""Understanding a follow-up such as 那运费呢？ from what was asked before.

Most follow-ups carry no mark of being one ("要修多久"), so every short question is read alone, with the question before
it, and with the question of the entry that was found for that one: it says in full what the customer said in short.
The search holds it against that entry if another one has more of the words in which the question moves on.
Measured by `frontdesk evaluate examples/shop-zh/dialogues.jsonl`.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from bot.question import Message, Suggestion
from knowledge.search import Query
from knowledge.text import bare, detect_language

SHORT_CHINESE = 14
"""Characters, without punctuation."""

SHORT_ENGLISH = 8
"""Words."""

_CHOICE = re.compile(
    r"(?:第|选|选择|the\s+|option\s+|number\s+|no\.?\s*)?"
    r"(?:(?P<first>[1１一①]|first)|(?P<second>[2２二两②]|second)|(?P<third>[3３三③]|third))"
    r"\s*+(?:个|条|项|号|one)?+[\s.。、)）!！]*+",
    re.IGNORECASE,
)
_PLACES = ("first", "second", "third")


def choose(text: str, offered: Sequence[Suggestion]) -> Suggestion | None:
    """Return the suggestion that a message such as “2” or “第二个” picks, None if it picks none."""
    picked = _CHOICE.fullmatch(text.strip())
    place = _PLACES.index(picked.lastgroup) if picked and picked.lastgroup else len(offered)
    return offered[place] if place < len(offered) else None


def is_short(text: str) -> bool:
    """Say whether a question is short enough to lean on an earlier one."""
    if detect_language(text) == "zh":
        return len(bare(text)) <= SHORT_CHINESE
    return len(text.split()) <= SHORT_ENGLISH


def in_context(text: str, history: Sequence[Message]) -> Query:
    """Return the question together with the one before it, where it may lean on that."""
    if not is_short(text):
        return Query(text)
    asked = (message for message in reversed(history) if message.role == "customer")
    before = next((message for message in asked if len(bare(message.text)) > 2), None)
    if before is None or bare(before.text) == bare(text):
        return Query(text)
    return Query(text, before.text, before.about)

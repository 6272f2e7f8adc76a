"""Understanding a follow-up such as 那运费呢？ from what was asked before.

Most follow-ups carry no mark of being one ("要修多久"), so every short question is read both alone and with the last
full question before it; a marked one leans on that question more. Measured by benchmarks/search.py.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from bot.question import Message, Suggestion
from knowledge.search import Query
from knowledge.text import bare, detect_language

MARKED_WEIGHT = 1.0
SHORT_WEIGHT = 0.5
SHORT_CHINESE = 14
"""Characters, without punctuation."""

SHORT_ENGLISH = 8
"""Words."""

_OPENS = re.compile(
    r"(?:那|那么|那如果|如果是|要是|还有|另外|然后|可|但|它|它们|这个|这些|那个|这样|这种|上面|刚才|前面|具体|"
    r"(?:and|but|so|then|what about|how about|what if|it|its|they|them|that|those|these|this|the same|also)\b)",
    re.IGNORECASE,
)
_ENDS = re.compile(
    r"(?:呢|也一样吗|也是吗|也可以吗|也行吗|也要吗|一样吗|也这样吗|\btoo|\bas well|\binstead|\bthen)\s*[?？。!！]*$",
    re.IGNORECASE,
)

_CHOICE = re.compile(
    r"(?:第|选|选择|the\s+|option\s+|number\s+|no\.?\s*)?"
    r"(?:(?P<first>[1１一①]|first)|(?P<second>[2２二两②]|second)|(?P<third>[3３三③]|third))"
    r"\s*(?:个|条|项|号|one)?[\s.。、)）!！]*",
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


def is_marked(text: str) -> bool:
    """Say whether a short question opens or ends as follow-ups do."""
    return is_short(text) and bool(_OPENS.match(text) or _ENDS.search(text))


def in_context(text: str, history: Sequence[Message]) -> Query:
    """Return the question together with the last full question before it, where it may lean on that."""
    if not is_short(text):
        return Query(text)
    asked = [message.text for message in history if message.role == "customer"]
    topic = next((earlier for earlier in reversed(asked) if not is_marked(earlier) and len(bare(earlier)) > 2), None)
    if topic is None or bare(topic) == bare(text):
        return Query(text)
    return Query(text, topic, MARKED_WEIGHT if is_marked(text) else SHORT_WEIGHT)

"""The first look at a question: what it must be to pass, and whether it calls for a human."""

from __future__ import annotations

import re
from collections.abc import Iterable

from bot.errors import QuestionRejected
from knowledge.text import bare, clean

_FOR_A_HUMAN_ZH = re.compile(
    r"(?:请|麻烦|帮我|给我|我要|我想|我需要|可以|能不能|能|快)*(?:转接?|找|接|要|叫|换|联系|切换?)?(?:一?下|到|个)?"
    r"(?:人工|真人|活人|客服人员)(?:客服|服务|坐席)?(?:吗|吧|啊|呀|谢谢|[,，。!！?？~\s])*"
)
_FOR_A_HUMAN_EN = re.compile(
    r"(?:please |can i |could i |may i |i want to |i need to |i would like to |i'd like to |let me )*"
    r"(?:(?:talk|speak|chat|connect me|transfer me|switch me|put me through)(?: (?:to|with))? )?"
    r"(?:an? |the |some |your )?(?:real |live |human )*"
    r"(?:human|person|agent|representative|someone|operator|colleague)(?: please)?[.!?\s]*",
    re.IGNORECASE,
)


def admit(text: str, *, max_chars: int) -> str:
    """Return a question's text, cleaned.

    Raises:
        QuestionRejected: it is empty or longer than `max_chars` characters.
    """
    cleaned = clean(text)
    if not cleaned:
        raise QuestionRejected("empty_question", "the question is empty")
    if len(cleaned) > max_chars:
        raise QuestionRejected(
            "question_too_long", f"the question has {len(cleaned):,} characters; {max_chars:,} are allowed"
        )
    return cleaned


def has_words(text: str) -> bool:
    """Say whether there is a letter or a digit in it."""
    return bool(bare(text))


def asks_for_human(text: str) -> bool:
    """Say whether the whole message is a call for a human; a question about the service hours is not."""
    return bool(_FOR_A_HUMAN_ZH.fullmatch(text) or _FOR_A_HUMAN_EN.fullmatch(text))


def mentions(text: str, words: Iterable[str]) -> bool:
    """Say whether any of some words is in a text, whatever is put between its letters to hide it."""
    letters = bare(text)
    return any(bare(word) in letters for word in words if bare(word))

"""The first look at a question: what it must be to pass, and whether it calls for a human."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache

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
_NO_HUMAN_ZH = re.compile(
    r"(?:先|那|还是|算了|[,，\s])*(?:不用|不要|不需要|不必|不想|不|别|取消)(?:再|先)?(?:转接?|找|接|要|叫|换|等)?(?:待|到|了)?"
    r"(?:人工|真人|活人|客服人员)(?:客服|服务|坐席)?(?:了|吧|啦|[,，。!！~\s])*"
    r"(?:(?:我)?(?:还是|继续|就)?(?:问|用|找)?机器人(?:就|也)?(?:行|好|可以|吧|了)*[。!！\s]*)?"
)
_NO_HUMAN_EN = re.compile(
    r"(?:no|cancel|never mind|i do not need|i don'?t need|don'?t call|without)(?: the| an?| more)*"
    r"(?: real| live| human)* (?:human|person|agent|representative|operator|colleague)s?"
    r"(?:[,\s]*(?:please|any ?more))?[.!\s]*",
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


def calls_off_human(text: str) -> bool:
    """Say whether the whole message says that no human is wanted any more."""
    return bool(_NO_HUMAN_ZH.fullmatch(text) or _NO_HUMAN_EN.fullmatch(text))


def mentions(text: str, words: Iterable[str]) -> bool:
    """Say whether any of some words is in a text, whatever is put between its letters to hide it."""
    letters = bare(text)
    return any(word in letters for word in _bare_words(tuple(words)))


@lru_cache(maxsize=8)
def _bare_words(words: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(filter(None, map(bare, words)))

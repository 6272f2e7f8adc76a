"""Understanding a follow-up such as 那运费呢？ from what was asked before."""

from __future__ import annotations

import re
from collections.abc import Sequence

from bot.question import Message
from knowledge.text import detect_language, tokenise

_OPENS_AS_FOLLOW_UP = re.compile(
    r"(?:那|那么|那如果|如果是|要是|还有|另外|然后|它|它们|这个|这些|那个|这样|这种|上面|刚才|前面|具体|"
    r"(?:and|but|so|then|what about|how about|what if|it|its|they|them|that|those|these|this|the same|also|does it|"
    r"is it)\b)",
    re.IGNORECASE,
)
_ENDS_AS_FOLLOW_UP = re.compile(
    r"(?:呢|也一样吗|也是吗|也可以吗|也行吗|也要吗|一样吗|\btoo|\bas well|\binstead)\s*[?？。!！]*$",
    re.IGNORECASE,
)
_BARE_QUESTION = re.compile(
    r"(?:多久|多少钱?|几天|什么时候|为什么|怎么办|怎么弄|怎么操作|在哪里?|要钱吗|收费吗|可以吗|谁出|谁承担|"
    r"how long|how much|when|why|where|how|who pays|is it free)[呀啊呢吗]*\s*[?？。!！]*",
    re.IGNORECASE,
)
_MAX_TOKENS = {"zh": 16, "en": 10}


def is_follow_up(text: str) -> bool:
    """Say whether a question leans on an earlier one: short, and opening, ending or bare in the way follow-ups are."""
    if _BARE_QUESTION.fullmatch(text):
        return True
    if len(tokenise(text)) > _MAX_TOKENS[detect_language(text)]:
        return False
    return bool(_OPENS_AS_FOLLOW_UP.match(text) or _ENDS_AS_FOLLOW_UP.search(text))


def stand_alone(text: str, history: Sequence[Message]) -> str:
    """Return the question as it reads without the conversation: a follow-up is joined to what it follows."""
    if not is_follow_up(text):
        return text
    asked = [message.text for message in history if message.role == "customer"]
    topic = next((earlier for earlier in reversed(asked) if not is_follow_up(earlier)), None)
    return f"{topic} {text}" if topic else text

"""What the models are told. What repeats comes first, so that its state can be kept and used again."""

from __future__ import annotations

from collections.abc import Sequence

from bot.models.base import ChatMessage
from bot.question import Citation, Message
from knowledge.entries import Entry
from knowledge.search import Query

_SYSTEM = {
    "zh": ("你是客服助手。从下面的资料里摘出能回答客户问题的原句来回答，数字、时间和条件照抄，不要加资料里没有的话。"),
    "en": (
        "You are a customer service assistant. Answer the customer with the sentences of the material below that "
        "answer the question. Copy numbers, times and conditions exactly and add nothing of your own."
    ),
}
"""To extract, not to reason: told to answer in its own words, a model of this size turned 9 of 24 answers round."""

_REMOTE = {
    "zh": (
        "你是客服助手。优先根据下面的资料回答；资料不足以回答时，如果是通用常识可以谨慎作答，"
        "涉及本公司的价格、政策、订单等而资料没有的，请只回复：不知道。"
    ),
    "en": (
        "You are a customer service assistant. Answer from the material below. If it is not enough, you may answer "
        "general knowledge with care; if the question is about this company's prices, policies or orders and the "
        "material does not say, reply only: unknown."
    ),
}
_ENTRY = {"zh": "[{number}] 问：{question}\n答：{answer}", "en": "[{number}] Q: {question}\nA: {answer}"}
_MATERIAL = {"zh": "\n\n资料：\n", "en": "\n\nMaterial:\n"}
_FOLLOW_UP = {"zh": "（刚才问的是：{topic}）{text}", "en": "(I asked before: {topic}) {text}"}
UNKNOWN = ("不知道", "unknown")

MAX_ENTRY_CHARS = 1_200


def grounded(language: str, citations: Sequence[Citation], query: Query) -> list[ChatMessage]:
    """Ask the local model for an answer from the cited entries only."""
    return [
        ChatMessage("system", _SYSTEM[language] + _material(language, citations)),
        ChatMessage("user", _in_words(language, query)),
    ]


def about(language: str, entry: Entry, query: Query) -> list[ChatMessage]:
    """Ask about one entry, to the letter as `grounded` does with it cited: so that both share what was computed."""
    return grounded(language, [Citation(1, "", entry.key, entry.question, entry.answer)], query)


def escalated(
    language: str, citations: Sequence[Citation], history: Sequence[Message], question: str
) -> list[ChatMessage]:
    """Ask the remote model, with the evidence and the conversation so far."""
    roles = {"customer": "user", "bot": "assistant"}
    past = [ChatMessage(roles[message.role], message.text) for message in history[-6:]]  # type: ignore[arg-type]
    return [
        ChatMessage("system", _REMOTE[language] + _material(language, citations)),
        *past,
        ChatMessage("user", question),
    ]


def _in_words(language: str, query: Query) -> str:
    return _FOLLOW_UP[language].format(topic=query.topic, text=query.text) if query.topic else query.text


def _material(language: str, citations: Sequence[Citation]) -> str:
    if not citations:
        return ""
    entries = (
        _ENTRY[language].format(
            number=citation.number, question=citation.question, answer=citation.answer[:MAX_ENTRY_CHARS]
        )
        for citation in citations
    )
    return _MATERIAL[language] + "\n\n".join(entries)

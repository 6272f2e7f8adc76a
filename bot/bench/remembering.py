"""Conversations with two follow-ups each, which only what was said before can answer."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from bot.bench.asking import ask, evenly
from bot.models.base import ChatMessage, ChatModel

MAX_TOKENS = 64
SYSTEM = {
    "zh": "你是客服助手。简短地回答客户。",
    "en": "You are a customer service assistant. Answer the customer briefly.",
}


@dataclass(frozen=True)
class Conversation:
    """What the customer says first, and two follow-ups, each with words of which a right answer has one."""

    language: str
    opening: str
    follow_ups: tuple[tuple[str, tuple[str, ...]], tuple[str, tuple[str, ...]]]


CONVERSATIONS = (
    Conversation(
        "zh",
        "你好，我叫林晓，上周三买了一台白色的加湿器。",
        (("我买的是什么东西？", ("加湿器",)), ("它是什么颜色的？", ("白",))),
    ),
    Conversation(
        "zh",
        "我的订单号是88213，要寄到成都。",
        (("我刚才说的订单号是多少？", ("88213",)), ("这一单要寄到哪个城市？", ("成都",))),
    ),
    Conversation(
        "zh",
        "我给妈妈买了三个枕头，给爸爸买了一床被子。",
        (("我给谁买了被子？", ("爸爸", "父亲")), ("枕头一共买了几个？", ("三", "3"))),
    ),
    Conversation(
        "zh",
        "你们的书柜499元，我想买两个，预算是1200元。",
        (("一个书柜多少钱？", ("499",)), ("我的预算是多少？", ("1200", "1,200"))),
    ),
    Conversation(
        "en",
        "Hello, my name is Nora and I ordered a green armchair on Monday.",
        (("What did I order?", ("armchair", "chair")), ("Which colour is it?", ("green",))),
    ),
    Conversation(
        "en",
        "I live in Leeds and my parcel, number 5507, should have come yesterday.",
        (("What is the number of my parcel?", ("5507",)), ("Which town do I live in?", ("Leeds",))),
    ),
)


async def try_conversations(model: ChatModel, limit: int, on_progress: Callable[[], None]) -> list[dict[str, Any]]:
    """Hold at most so many conversations, the model's own answers in them; say whether each follow-up's was right."""
    tried = []
    for conversation in evenly(CONVERSATIONS, limit):
        history = [ChatMessage("system", SYSTEM[conversation.language]), ChatMessage("user", conversation.opening)]
        history.append(ChatMessage("assistant", await ask(model, tuple(history), max_tokens=MAX_TOKENS)))
        for question, words in conversation.follow_ups:
            history.append(ChatMessage("user", question))
            answer = await ask(model, tuple(history), max_tokens=MAX_TOKENS)
            history.append(ChatMessage("assistant", answer))
            tried.append(
                {"question": question, "answer": answer, "right": is_right(answer, words, conversation.opening)}
            )
        on_progress()
    return tried


def is_right(answer: str, words: Sequence[str], opening: str) -> bool:
    """Say whether an answer has one of the words, and is not just the customer's own message again."""
    return opening not in answer and any(word.lower() in answer.lower() for word in words)

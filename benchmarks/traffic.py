"""What customers ask under load: the example FAQs' questions, as Zipf's law has it, each in many words.

Questions are sorted by what really becomes of them, asked of a server without a chat model, which only searches.
"""

from __future__ import annotations

import asyncio
import random
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from itertools import product

import aiohttp

from benchmarks.search import EXAMPLES as FAQS
from benchmarks.search import read_questions
from knowledge.calibration.questions import out_of_scope
from knowledge.importing.files import read_faq_file
from knowledge.text import Language, detect_language

EXAMPLES = {"shop": "shop-zh", "bank": "bank-en"}
MIX = {"direct": 0.70, "grounded": 0.25, "escalated": 0.05}
LANGUAGES: tuple[Language, ...] = ("zh", "en")
WORDINGS = {
    "zh": (
        ("", "你好，", "请问", "请问一下，", "想问下", "在吗？", "亲，", "麻烦问一下，", "您好，请问", "咨询一下，"),
        ("", "？", "呢？", "，谢谢", "，急", "！", "，多谢了", "，在线等", "～", "，麻烦了"),
    ),
    "en": (
        ("", "hi, ", "hello, ", "please, ", "hey, ", "excuse me, ", "sorry, ", "morning, ", "help, ", "hello there, "),
        ("", "?", " thanks", "!", ", please", ", thank you", "??", " asap", ", cheers", "..."),
    ),
}
"""Before and after a question: what most customers add, and what makes every asking another text."""

LOOKED_AT = 2
"""Wordings of a question that must all have the same outcome."""

CONCURRENCY = 8


def bases(seed: int) -> list[str]:
    """Return questions of both examples, some as the FAQ has them, and some about neither; the seed decides which."""
    chance = random.Random(seed)
    found: list[str] = []
    for example in EXAMPLES.values():
        hard = [case.question for case in read_questions(example) if not case.earlier]
        entries = read_faq_file(FAQS / example / "faq.csv").entries
        found += chance.sample(hard, 60)
        found += chance.sample([variant for entry in entries for variant in entry.variants], 40)
    for language in LANGUAGES:
        found += chance.sample(out_of_scope(language), 20)
    chance.shuffle(found)
    return found


def wordings(question: str) -> list[str]:
    """Return a question in a hundred ways, the plain one first."""
    before, after = WORDINGS[detect_language(question)]
    bare = question.rstrip("?？")
    return [f"{opening}{bare}{ending}" for opening, ending in product(before, after)]


async def sort_by_outcome(session: aiohttp.ClientSession, questions: Sequence[str]) -> dict[str, list[str]]:
    """Ask a server that has no chat model; return the questions of which each kind of `MIX` is made.

    What such a server offers to choose from, though it is confident enough for words of its own, is `grounded`.
    """
    kinds: dict[str, set[str]] = defaultdict(set)
    waiting = iter([(question, text) for question in questions for text in wordings(question)[:: 100 // LOOKED_AT]])

    async def ask() -> None:
        for question, text in waiting:
            async with session.post("/api/chat", json={"question": text}) as reply:
                answer = await reply.json()
            kinds[question].add(_kind(answer["outcome"], answer["confidence"]))

    await asyncio.gather(*(ask() for _ in range(CONCURRENCY)))
    return {kind: [each for each in questions if kinds[each] == {kind}] for kind in MIX}


def _kind(outcome: str, confidence: float) -> str:
    return "grounded" if outcome == "clarify" and confidence >= 0.5 else outcome


def arrivals(pools: Mapping[str, Sequence[str]], seed: int) -> Iterator[str]:
    """Yield questions for ever: kinds as in `MIX`, the first question of a kind most often, the k-th 1/k as often."""
    chance = random.Random(seed)
    kinds, shares = list(MIX), list(MIX.values())
    weights = {kind: [1 / rank for rank in range(1, len(pool) + 1)] for kind, pool in pools.items()}
    texts = {question: wordings(question) for pool in pools.values() for question in pool}
    while True:
        [kind] = chance.choices(kinds, shares)
        [question] = chance.choices(pools[kind], weights[kind])
        yield chance.choice(texts[question])

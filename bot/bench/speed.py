"""How fast a chat model answers, through the same interface as customers' questions."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from bot.models.base import ChatMessage, ChatModel, Sampling
from bot.question import Usage

SIZES = (1_024, 2_048)
"""Contexts at which the first token is waited for, in tokens."""

ROOM = 48
"""Tokens of a context that are left for the chat template and the answer."""

OUTPUT_TOKENS = 128
MIN_OUTPUT_TOKENS = 16
"""From fewer tokens no speed can be told."""

WRITING = (
    "请写一篇三百字的文章，介绍第一次在网上买东西的人应该注意什么。",
    "Write a long letter to a friend about what one should know before buying furniture online.",
    "请详细说明怎样挑选、安装和保养一台洗衣机，分十点来写。",
)

CountTokens = Callable[[str], int]


@dataclass(frozen=True)
class Timed:
    """One answer: seconds to its first token and to its end, and its tokens."""

    first: float
    last: float
    usage: Usage


async def time_answer(model: ChatModel, text: str, *, max_tokens: int) -> Timed:
    """Ask, and look at the clock."""
    begun = time.perf_counter()
    generation = model.generate([ChatMessage("user", text)], Sampling(max_tokens=max_tokens))
    arrivals = [time.perf_counter() - begun async for _ in generation]
    ended = time.perf_counter() - begun
    return Timed(arrivals[0] if arrivals else ended, arrivals[-1] if arrivals else ended, generation.usage)


async def time_first_tokens(model: ChatModel, prompts: Sequence[str], on_progress: Callable[[], None]) -> list[Timed]:
    """Wait for the first token after each prompt."""
    timed = []
    for text in prompts:
        timed.append(await time_answer(model, text, max_tokens=1))
        on_progress()
    return timed


async def time_writing(model: ChatModel, repeats: int, on_progress: Callable[[], None]) -> list[Timed]:
    """Let the model write at length."""
    timed = []
    for text in WRITING[:repeats]:
        timed.append(await time_answer(model, text, max_tokens=OUTPUT_TOKENS))
        on_progress()
    return timed


def prompt_speed(timed: Sequence[Timed]) -> float | None:
    """Return prompt tokens a second, None if nothing was computed; tokens known from before do not count."""
    seconds = sum(each.first for each in timed)
    return sum(each.usage.prompt - each.usage.cached for each in timed) / seconds if seconds else None


def output_speed(timed: Sequence[Timed]) -> float | None:
    """Return output tokens a second after the first, None if the model wrote too little to tell."""
    long = [each for each in timed if each.usage.completion >= MIN_OUTPUT_TOKENS]
    seconds = sum(each.last - each.first for each in long)
    return sum(each.usage.completion - 1 for each in long) / seconds if seconds else None


def quantile(timed: Sequence[Timed], share: float) -> float | None:
    """Return the seconds to the first token that a share of the answers took at most."""
    return float(np.quantile([each.first for each in timed], share)) if timed else None


def prompts_of(size: int, count_tokens: CountTokens, count: int) -> list[str]:
    """Return prompts that fill a context of `size` tokens, of which no two begin alike."""
    return [prompt_of(size - ROOM, count_tokens, seed=f"{size}/{number}") for number in range(count)]


def prompt_of(tokens: int, count_tokens: CountTokens, *, seed: str) -> str:
    """Return so many tokens of text, or one or two less, like a page of a shop's rules."""
    chance = random.Random(seed)  # noqa: S311 - the same text for the same seed  # nosec B311
    text = ""
    while count_tokens(text) < tokens:
        text += "".join(_rule(chance) for _ in range(10))
    low, high = 0, len(text)
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if count_tokens(text[:middle]) <= tokens else (low, middle - 1)
    return text[:low]


def _rule(chance: random.Random) -> str:
    goods = chance.choice(("羽绒被", "铁锅", "书柜", "台灯", "地毯", "加湿器", "窗帘", "餐具"))
    place = chance.choice(("杭州", "西宁", "成都", "沈阳", "昆明", "福州"))
    return f"{goods}寄到{place}要{chance.randint(1, 15)}天，满{chance.randint(50, 900)}元包邮。"

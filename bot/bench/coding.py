"""Small programs that a model is asked to write, run in the sandbox and held to results that it was not told."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from bot.bench.asking import ask, evenly
from bot.bench.sandbox import call
from bot.errors import CodeFailed
from bot.models.base import ChatMessage, ChatModel

MAX_TOKENS = 300
ASKED = "Write a Python function `{signature}`. {wanted} Answer with the code only, in one block."
_BLOCK = re.compile(r"```(?:python|py)?[ \t]*\n(.*?)(?:```|\Z)", re.DOTALL | re.IGNORECASE)


@dataclass(frozen=True)
class Task:
    """A function that is wanted, and what it returns for lists of arguments."""

    signature: str
    wanted: str
    results: tuple[tuple[list[Any], Any], ...]

    @property
    def name(self) -> str:
        """The function's name."""
        return self.signature.partition("(")[0]


TASKS = (
    Task(
        "order_total(items)",
        "`items` is a list of [name, price, quantity]. Return the sum of price times quantity.",
        (([[["pan", 59, 2], ["lamp", 120, 1]]], 238), ([[]], 0), ([[["cup", 8, 10]]], 80)),
    ),
    Task(
        "mask_phone(number)",
        "`number` is a string of 11 digits. Return it with the four digits after the third replaced by ****.",
        ((["13812345678"], "138****5678"), (["19900001111"], "199****1111")),
    ),
    Task(
        "count_words(text)",
        "Return a dictionary from each word of `text` in lower case to how often it occurs. Words are separated by "
        "spaces.",
        ((["To be or not to be"], {"to": 2, "be": 2, "or": 1, "not": 1}), ([""], {}), (["Tea tea TEA"], {"tea": 3})),
    ),
    Task(
        "can_return(days)",
        "Goods can be returned within 7 days. Return True if `days`, the days since delivery, is from 0 to 7, and "
        "False otherwise.",
        (([0], True), ([7], True), ([8], False), ([-1], False)),
    ),
    Task(
        "is_leap_year(year)",
        "Return True if `year` is a leap year, and False otherwise.",
        (([2024], True), ([1900], False), ([2000], True), ([2023], False)),
    ),
    Task(
        "second_largest(numbers)",
        "Return the second largest of the different numbers in the list, or None if there are fewer than two.",
        (([[3, 1, 2]], 2), ([[5, 5, 4]], 4), ([[7, 7]], None), ([[]], None), ([[-1, -5]], -5)),
    ),
)


async def try_tasks(model: ChatModel, limit: int, on_progress: Callable[[], None]) -> list[dict[str, Any]]:
    """Let the model write at most so many programs; say what was wrong with each, an empty string if nothing was."""
    tried = []
    for task in evenly(TASKS, limit):
        asked = ASKED.format(signature=task.signature, wanted=task.wanted)
        answer = await ask(model, [ChatMessage("user", asked)], max_tokens=MAX_TOKENS)
        tried.append({"task": task.name, "problem": problem_of(answer, task), "answer": answer})
        on_progress()
    return tried


def problem_of(answer: str, task: Task) -> str:
    """Run the code of an answer; return why it is not right, an empty string if it is."""
    try:
        values = call(code_of(answer), task.name, [arguments for arguments, _ in task.results])
    except CodeFailed as error:
        return str(error)
    wrong = sum(value != result for value, (_, result) in zip(values, task.results, strict=True))
    return f"{wrong} of {len(values)} results are wrong" if wrong else ""


def code_of(answer: str) -> str:
    """Return the first block of code in an answer, or the answer itself where nothing is marked as code."""
    block = _BLOCK.search(answer)
    return block[1] if block else answer

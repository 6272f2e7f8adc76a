"""Questions on details of an FAQ, answered as the desk does: from the right entry, and held to it afterwards."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bot import prompts
from bot.bench.asking import ask, evenly
from bot.checks import GroundingCheck, foreign_words
from bot.models.base import ChatModel
from knowledge.entries import Entry
from knowledge.errors import SuiteUnreadable
from knowledge.evaluation.cases import TestCase
from knowledge.evaluation.suites import read_suite
from knowledge.importing.files import read_faq_file
from knowledge.search import Query
from knowledge.text import normalise

FAQ_FILE, QUESTIONS_FILE = "faq.csv", "answers.csv"


@dataclass(frozen=True)
class Detail:
    """A question, the entry that answers it, and the words that a right answer holds."""

    case: TestCase
    entry: Entry


def read_details(folder: Path, limit: int) -> list[Detail]:
    """Read the questions of a folder, at most so many; 0 takes all.

    Raises:
        SuiteUnreadable: it lacks faq.csv or answers.csv, or they do not belong together.
    """
    if not (folder / FAQ_FILE).is_file():
        raise SuiteUnreadable(f"{folder} has no {FAQ_FILE}; give a folder like examples/shop-zh with --faq")
    entries = {entry.key: entry for entry in read_faq_file(folder / FAQ_FILE).entries}
    cases = read_suite(folder / QUESTIONS_FILE).cases
    for case in cases:
        if not case.phrases or set(case.keys) - set(entries):
            raise SuiteUnreadable(f"{folder / QUESTIONS_FILE}: {case.question!r} needs phrases and a known entry")
    return [Detail(case, entries[case.keys[0]]) for case in evenly(cases, limit)]


async def try_details(
    model: ChatModel, details: Sequence[Detail], *, max_tokens: int, on_progress: Callable[[], None]
) -> list[dict[str, Any]]:
    """Ask each question; say whether the answer holds the right words, and whether it passed the check."""
    tried = []
    for detail in details:
        question, entry = detail.case.question, detail.entry
        prompt = prompts.about(entry.language, entry, Query(question))
        answer = await ask(model, prompt, max_tokens=max_tokens)
        foreign = foreign_words(question, [f"{entry.question}\n{entry.answer}"])
        tried.append(
            {
                "question": question,
                "answer": answer,
                "right": all(_bare(phrase) in _bare(answer) for phrase in detail.case.phrases),
                "passed": GroundingCheck([entry.answer], foreign).is_grounded(answer),
            }
        )
        on_progress()
    return tried


def _bare(text: str) -> str:
    """Return a text without spaces and emphasis, in one spelling."""
    return re.sub(r"[\s*]", "", normalise(text))

"""Questions that no company's FAQ answers, of our own writing: out_of_scope_zh.csv and out_of_scope_en.csv."""

from __future__ import annotations

import csv
import random
from functools import cache
from pathlib import Path

from knowledge.text import Language


@cache
def out_of_scope(language: Language) -> list[str]:
    """Return those of a language, in an order that mixes their kinds."""
    path = Path(__file__).with_name(f"out_of_scope_{language}.csv")
    with path.open(encoding="utf-8", newline="") as file:
        questions = [row["question"] for row in csv.DictReader(file)]
    random.Random(0).shuffle(questions)  # noqa: S311 - the same order each time  # nosec B311
    return questions

"""Test suites: files of questions with the entries that answer them, and what a knowledge base gives by itself."""

from __future__ import annotations

import csv
import json
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from knowledge.entries import Entry
from knowledge.errors import SuiteUnreadable
from knowledge.evaluation.cases import TestCase
from knowledge.text import bare

NOTHING = "none"
TURNS = " || "
"""Separates the questions of a conversation in one cell of a CSV file; the last one is judged."""


@dataclass(frozen=True)
class Suite:
    """Questions, and the entries that they are about, where the suite brings its own."""

    name: str
    cases: list[TestCase]
    entries: list[Entry] | None = None


def read_suite(path: Path) -> Suite:
    """Read a suite of a JSONL or CSV file.

    CSV has the columns question, expected (keys, separated by spaces, or none) and, if there are any, phrases
    (separated by semicolons); a question may be a conversation, its turns separated by ` || `. JSONL has the same
    names, lists where there are several, and `turns`: a list of questions, or of {"question", "expected"}, each judged.

    Raises:
        SuiteUnreadable: the message says where.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise SuiteUnreadable(f"{path} cannot be read: {error}") from error
    rows = _json_rows(path, text) if path.suffix in (".jsonl", ".json") else _csv_rows(path, text)
    cases = [case for place, row in rows for case in _cases(path, place, row)]
    if not cases:
        raise SuiteUnreadable(f"{path} has no questions")
    return Suite(f"{path.resolve().parent.name}-{path.stem}", cases)


def leave_variants_out(entries: Sequence[Entry], seed: int = 0) -> Suite:
    """Make a suite of a knowledge base itself: one variant of each entry is asked, and left out of the entry.

    Raises:
        SuiteUnreadable: no entry has a variant.
    """
    chance = random.Random(seed)  # noqa: S311 - the same choice for the same seed  # nosec B311
    cases, rest = [], []
    for entry in entries:
        if entry.variants:
            asked = chance.choice(entry.variants)
            cases.append(TestCase(asked, (entry.key,)))
            entry = replace(entry, variants=tuple(each for each in entry.variants if each != asked))  # noqa: PLW2901
        rest.append(entry)
    if not cases:
        raise SuiteUnreadable("no entry has a variant to leave out; write some, or give a suite")
    return Suite(f"variants-{seed}", cases, rest)


def from_corrections(answered: Sequence[tuple[str, str | None]], entries: Sequence[Entry]) -> Suite:
    """Make a suite of questions that the bot could not answer and a person did, in the words of an entry.

    Raises:
        SuiteUnreadable: there are none.
    """
    keys = {bare(entry.answer): entry.key for entry in entries}
    right = {question: keys[bare(answer)] for question, answer in answered if answer and bare(answer) in keys}
    if not right:
        raise SuiteUnreadable("no agent has answered a question in the words of an entry yet")
    return Suite("log", [TestCase(question, (key,)) for question, key in right.items()])


def _csv_rows(path: Path, text: str) -> Iterator[tuple[int, dict[str, Any]]]:
    reader = csv.DictReader(text.splitlines(keepends=True))
    if not {"question", "expected"} <= set(reader.fieldnames or ()):
        raise SuiteUnreadable(f"{path} needs the columns question and expected")
    for row in reader:
        *earlier, question = (row["question"] or "").split(TURNS)
        phrases = [phrase.strip() for phrase in (row.get("phrases") or "").split(";") if phrase.strip()]
        expected = (row["expected"] or "").split()
        yield reader.line_num, {"turns": [*earlier, question], "expected": expected, "phrases": phrases}


def _json_rows(path: Path, text: str) -> Iterator[tuple[int, dict[str, Any]]]:
    for number, line in enumerate(text.splitlines(), start=1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except ValueError as error:
            raise SuiteUnreadable(f"{path}, line {number}: {error}") from error
        if not isinstance(row, dict) or not ("question" in row or row.get("turns")):
            raise SuiteUnreadable(f"{path}, line {number}: a question, or turns, is missing")
        yield number, row


def _cases(path: Path, place: int, row: dict[str, Any]) -> Iterator[TestCase]:
    turns = row.get("turns") or [row["question"]]
    earlier: tuple[str, ...] = ()
    for turn in turns:
        is_judged = isinstance(turn, dict)
        question = str(turn.get("question", "") if is_judged else turn).strip()
        if not question:
            raise SuiteUnreadable(f"{path}, line {place}: a question is empty")
        if is_judged or turn is turns[-1]:
            source = turn if is_judged else row
            if "expected" not in source:
                raise SuiteUnreadable(f"{path}, line {place}: expected is missing; write none if nothing answers")
            yield TestCase(question, _keys(source["expected"]), earlier, tuple(source.get("phrases") or ()))
        earlier = (*earlier, question)


def _keys(expected: Any) -> tuple[str, ...]:
    listed = [expected] if isinstance(expected, str) else list(expected or ())
    return tuple(str(key) for key in listed if key and key != NOTHING)

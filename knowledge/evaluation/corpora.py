"""Public question sets as suites, read from folders that hold them as they were published.

| folder holds | set | entries |
| --- | --- | --- |
| train.csv, test.csv (columns text, category or intent) | BANKING77; CLINC150, whose `oos` has no answer | intents |
| kb.csv, same_domain_unanswered.csv | Fin-Eva's financial knowledge | the 213 with an answer |
| eval_question_similarity_en.csv | COVID-QA's pairs of questions | the first of each pair that is alike |
| dev_sample.jsonl (context, question, answers) | CMRC2018 | 60 passages, drawn by the seed |
| chitchat.csv | ChatterBot's small talk: nothing answers it | those of your own knowledge base |
"""

from __future__ import annotations

import csv
import json
import random
import re
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path

from knowledge.entries import Entry
from knowledge.errors import SuiteUnreadable
from knowledge.evaluation.cases import TestCase
from knowledge.evaluation.suites import Suite, read_suite
from knowledge.text import bare

OUT_OF_SCOPE = "oos"
PASSAGES = 60
HEADING_CHARACTERS = 30
Rows = list[dict[str, str]]


def read_corpus(folder: Path, *, variants: int = 0, seed: int = 0, questions: Path | None = None) -> Suite:
    """Read the set that a folder holds.

    `variants` of each intent, drawn by `seed`, are written into its entry, all of them with 0. `questions` is a suite
    to ask of the folder's entries, beside its own questions.

    Raises:
        SuiteUnreadable: the folder holds none of these sets.
    """
    for file, read in _READERS.items():
        if (folder / file).is_file():
            suite = read(folder, variants, seed)
            more = read_suite(questions).cases if questions else []
            return Suite(suite.name, [*more, *suite.cases], suite.entries)
    raise SuiteUnreadable(f"{folder} holds none of {', '.join(_READERS)}")


def _read_intents(folder: Path, variants: int, seed: int) -> Suite:
    """Make an entry of each intent, its training questions as variants; they have no answers of their own."""
    lines = defaultdict(list)
    for row in _rows(folder / "train.csv"):
        lines[_intent(row)].append(row["text"])
    lines.pop(OUT_OF_SCOPE, None)
    chance = random.Random(seed)  # noqa: S311 - the same choice for the same seed  # nosec B311
    entries = []
    for intent in sorted(lines):
        first, *rest = chance.sample(lines[intent], variants) if variants else lines[intent]
        answer = intent.replace("_", " ")
        entries.append(Entry(key=intent, question=first, variants=tuple(rest), answer=answer, language="en"))
    cases = [TestCase(row["text"], _answered_by(_intent(row))) for row in _rows(folder / "test.csv")]
    return Suite(f"{folder.name}-{variants or 'all'}-{seed}", cases, entries)


def _read_fineva(folder: Path, _variants: int, _seed: int) -> Suite:
    entries = [
        Entry(key=row["id"], question=row["question"], answer=row["answer"], language="zh")
        for row in _rows(folder / "kb.csv")
    ]
    unanswered = _rows(folder / "same_domain_unanswered.csv")
    return Suite(folder.name, [TestCase(row["question"], ()) for row in unanswered], entries)


def _read_pairs(folder: Path, _variants: int, _seed: int) -> Suite:
    alike = [row for row in _rows(folder / "eval_question_similarity_en.csv") if row["similar"].startswith("1")]
    keys: dict[str, str] = {}
    entries = []
    for row in alike:
        if bare(row["question_1"]) not in keys:
            key = keys[bare(row["question_1"])] = f"covid-{len(keys) + 1:03}"
            question = row["question_1"]
            entries.append(Entry(key=key, question=question, answer=question, language="en"))
    cases = [TestCase(row["question_2"], (keys[bare(row["question_1"])],)) for row in alike]
    return Suite(folder.name, cases, entries)


def _read_passages(folder: Path, _variants: int, seed: int) -> Suite:
    """Ask of passages that are there, and as many questions whose own is not: another one must not answer these."""
    lines = _text(folder / "dev_sample.jsonl").splitlines()
    rows = {row["context"]: row for row in map(json.loads, lines)}  # the last question of each passage
    drawn = random.Random(seed).sample(sorted(rows), min(len(rows), 2 * PASSAGES))  # noqa: S311 - as above  # nosec B311
    there, gone = drawn[: len(drawn) // 2], drawn[len(drawn) // 2 :]
    entries = [
        Entry(key=rows[passage]["id"], question=_heading(passage), answer=passage, language="zh") for passage in there
    ]
    cases = [
        TestCase(rows[passage]["question"], (rows[passage]["id"],), accepted=tuple(rows[passage]["answers"]))
        for passage in there
    ]
    cases += [TestCase(rows[passage]["question"], ()) for passage in gone]
    return Suite(f"{folder.name}-{seed}", cases, entries)


def _heading(passage: str) -> str:
    return re.split("[，。；：,.;:]", passage, maxsplit=1)[0][:HEADING_CHARACTERS]


def _read_small_talk(folder: Path, _variants: int, _seed: int) -> Suite:
    asked = dict.fromkeys(row["query"] for row in _rows(folder / "chitchat.csv") if bare(row["query"]))
    return Suite(folder.name, [TestCase(question, ()) for question in asked])


_READERS: dict[str, Callable[[Path, int, int], Suite]] = {
    "train.csv": _read_intents,
    "kb.csv": _read_fineva,
    "eval_question_similarity_en.csv": _read_pairs,
    "dev_sample.jsonl": _read_passages,
    "chitchat.csv": _read_small_talk,
}


def _rows(path: Path) -> Rows:
    return list(csv.DictReader(_text(path).splitlines(keepends=True)))


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise SuiteUnreadable(f"{path} cannot be read: {error}") from error


def _intent(row: dict[str, str]) -> str:
    return row.get("intent") or row["category"]


def _answered_by(intent: str) -> tuple[str, ...]:
    return () if intent == OUT_OF_SCOPE else (intent,)

"""What an FAQ gives to learn from and to be examined on: its lines, some of them kept apart."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass, replace

from knowledge.entries import Entry
from knowledge.errors import TooFewVariants
from knowledge.evaluation.cases import TestCase
from knowledge.evaluation.suites import leave_variants_out
from knowledge.text import normalise

FEWEST_EXAMINED = 20
"""With fewer variants to ask, a gain could not be told from chance."""

VALIDATED_SHARE = 3
"""One in so many entries gives one more variant, to say when to stop."""

Pairs = list[tuple[str, str]]


@dataclass(frozen=True)
class Lessons:
    """`entries` without what is asked later: `validation` while training, `examination` before and after it.

    `examined` are the entries with the lines of validation again: what is searched in the examination.
    """

    entries: list[Entry]
    validation: list[TestCase]
    examination: list[TestCase]
    examined: list[Entry]


def divide(entries: Sequence[Entry], seed: int) -> Lessons:
    """Keep one variant of each entry apart for the examination, and one more of some for validation.

    Raises:
        TooFewVariants: there is too little to ask.
    """
    with_variants = [entry for entry in entries if entry.variants]
    if len(with_variants) < FEWEST_EXAMINED:
        raise TooFewVariants(
            f"{len(with_variants)} entries have variants and {FEWEST_EXAMINED} are needed to tell whether training "
            "gains anything; write down more ways of asking"
        )
    examination = leave_variants_out(entries, seed)
    examined = examination.entries or []
    spare = [entry for entry in examined if entry.variants]
    chance = random.Random(seed)  # noqa: S311 - the same choice for the same seed  # nosec B311
    chosen = {entry.key: chance.choice(entry.variants) for entry in chance.sample(spare, len(spare) // VALIDATED_SHARE)}
    rest = [
        replace(entry, variants=tuple(each for each in entry.variants if each != chosen.get(entry.key)))
        for entry in examined
    ]
    validation = [TestCase(question, (key,)) for key, question in chosen.items()]
    return Lessons(rest, validation, examination.cases, examined)


def to_pairs(entries: Sequence[Entry], query_prefix: str, passage_prefix: str) -> dict[str, Pairs]:
    """Return texts that belong together: each variant with its question, and each question with its answer.

    The second of a pair is its entry's own, so that in a batch without duplicates no two pairs are of one entry.
    """
    questions = [
        (query_prefix + normalise(variant), query_prefix + normalise(entry.question))
        for entry in entries
        for variant in entry.variants
    ]
    answers = [
        (query_prefix + normalise(entry.question), f"{passage_prefix}{entry.question}\n{entry.answer}")
        for entry in entries
    ]
    return {"questions": questions, "answers": answers}

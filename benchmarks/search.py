"""How well the example FAQs are searched, and how far their confidence can be trusted.

    python -m benchmarks.search            # hit rates, precision and share at each band
    python -m benchmarks.search --fit      # also fit the coefficients of knowledge/confidence.py anew
    python -m benchmarks.search --words    # without an embedding model

The questions are those of examples/*/questions.csv, none of which stands in the FAQ.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Sequence
from dataclasses import astuple
from datetime import date
from pathlib import Path

import numpy as np

from bot.assembly import make_embedder
from bot.evaluating import judge_search
from bot.sections import RoutingSettings
from bot.settings import load_settings
from knowledge.calibration.fitting import OUT_OF_SCOPE, calibrate
from knowledge.calibration.questions import out_of_scope
from knowledge.confidence import Calibration, calibration_for, fit
from knowledge.courtesies import Courtesies, vectors_of_examples
from knowledge.embedding.absent import AbsentEmbedder
from knowledge.embedding.base import Embedder
from knowledge.evaluation.cases import TestCase
from knowledge.evaluation.report import Judged, summarise
from knowledge.evaluation.suites import read_suite
from knowledge.evaluation.words import written
from knowledge.importing.files import read_faq_file
from knowledge.index.snapshot import Located, Snapshot, open_snapshot
from knowledge.search import Query, Searcher
from knowledge.spelling import Spelling
from knowledge.text import detect_language
from knowledge.weights.catalogue import SMALL_EMBEDDING

EXAMPLES = Path(__file__).parent.parent / "examples"
SUITES = Path(__file__).parent / "suites"
AS_TYPED = {
    "shop-zh": ("traditional_zh", "typos_zh", "typos_zh_2", "synonyms_zh", "courtesies_zh", "courtesies_zh_2"),
    "bank-en": ("typos_en", "typos_en_2", "courtesies_en", "courtesies_en_2"),
}
"""Suites that are asked as they are typed, and again as they are read; those with a 2 were written after the rules."""

TODAY = date(2026, 1, 1)
BANDS = (0.25, 0.5, 0.85, 0.95)
UNANSWERED_WEIGHT = 0.4
"""The examples have more questions without an answer than customers do: each counts for so many."""

FAR_WEIGHT = 0.1
PENALTY = 1.0
PENALTY_OF_OTHERS = 10.0
"""Of a fit that begins with the default model's coefficients: two examples are not to lead far away from them."""


def read_questions(name: str) -> list[TestCase]:
    """Read the questions of an example."""
    return read_suite(EXAMPLES / name / "questions.csv").cases


def measure(name: str, embedder: Embedder, folder: Path) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Print how one example does; return features, whether the first candidate was right, and weights, for fitting."""
    entries = [Located(name, entry) for entry in read_faq_file(EXAMPLES / name / "faq.csv").entries]
    snapshot, cases = open_snapshot(folder, entries, embedder), read_questions(name)
    print(f"\n{name}: {len(entries)} entries, {len(cases)} questions, {embedder.name}")
    fitted = calibrate(snapshot, embedder)
    left_out = fitted.right[fitted.weights == 1.0]
    print(f"  one variant left out: {len(left_out)} questions, hit@1 {left_out.mean():.1%}")
    spelling = Spelling(located.entry.text for located in entries)
    courtesies = Courtesies(embedder, snapshot, vectors_of_examples(embedder))
    for label, calibration in (("shipped", calibration_for(embedder.name)), ("fitted", fitted.calibration)):
        searcher = Searcher(snapshot, embedder, calibration, spelling=spelling, courtesies=courtesies)
        judged = judge_search(searcher, cases, RoutingSettings(), today=TODAY)
        show(f"confidence {label}", judged)
        show_bands(judged)
    for suite in AS_TYPED.get(name, ()):
        asked, synonyms = read_suite(SUITES / f"{suite}.csv").cases, SUITES / f"{suite}.txt"
        typed = Searcher(snapshot, embedder, fitted.calibration)
        lines = synonyms.read_text(encoding="utf-8").splitlines() if synonyms.exists() else []
        show(f"  {suite}, as typed", judge_search(typed, asked, RoutingSettings(), today=TODAY))
        show("  ... as read", judge_search(searcher.with_synonyms(lines), asked, RoutingSettings(), today=TODAY))
    show("  paraphrases", [each for each in judged if each.verdict.case.keys and not each.verdict.case.earlier])
    show("  follow-ups", [each for each in judged if each.verdict.case.earlier])
    return to_fit(snapshot, embedder, cases)


def show(label: str, judged: Sequence[Judged]) -> None:
    """Print the figures of some questions in a line."""
    figures = summarise(judged)
    named = ("hit1", "hit3", "answered", "auroc", "ece", "p50_ms")
    print(f"  {label:<24} " + "   ".join(f"{name} {written(name, figures[name])}" for name in named))


def show_bands(judged: Sequence[Judged]) -> None:
    """Print which share of the questions is above each band, and how often the first entry is right there."""
    confidence = np.array([each.verdict.confidence for each in judged])
    right = np.array([each.verdict.right for each in judged])
    answerable = np.array([bool(each.verdict.case.keys) for each in judged])
    for band in BANDS:
        above = confidence >= band
        print(
            f"    >= {band:.2f}: {above[answerable].mean():6.1%} of the answerable questions, "
            f"{above[~answerable].mean():6.1%} of the others, first entry right {right[above].mean():6.1%}"
        )


def to_fit(
    snapshot: Snapshot, embedder: Embedder, cases: Sequence[TestCase]
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the features of questions that stand alone, with some that are out of scope."""
    far = out_of_scope(detect_language(snapshot.entries[0].entry.question))[OUT_OF_SCOPE:]
    asked = [*(case for case in cases if not case.earlier), *(TestCase(text, ()) for text in far)]
    searcher = Searcher(snapshot, embedder, calibration_for(embedder.name))
    found = [searcher.search(Query(case.question), today=TODAY) for case in asked]
    kept = [number for number, evidence in enumerate(found) if evidence.features]
    features = np.array([astuple(evidence.features) for evidence in found if evidence.features])
    right = np.array([found[number].candidates[0].entry.key in asked[number].keys for number in kept])
    kinds = [FAR_WEIGHT if number >= len(asked) - len(far) else UNANSWERED_WEIGHT for number in kept]
    weights = np.where([bool(asked[number].keys) for number in kept], 1.0, kinds)
    return features, right, weights


def beginning_of(embedder: str, count: int) -> tuple[Calibration, float]:
    """Return where a fit of so many weights begins, and how firmly it keeps to that."""
    if embedder in (SMALL_EMBEDDING, AbsentEmbedder.name):
        return Calibration((0.0,) * count, 0.0), PENALTY
    return calibration_for(SMALL_EMBEDDING), PENALTY_OF_OTHERS


def main() -> None:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--fit", action="store_true", help="fit the coefficients anew and print them")
    parser.add_argument("--words", action="store_true", help="search by words only")
    options = parser.parse_args()
    embedder: Embedder = AbsentEmbedder() if options.words else make_embedder(load_settings())
    with tempfile.TemporaryDirectory() as folder:
        parts = [measure(path.parent.name, embedder, Path(folder)) for path in sorted(EXAMPLES.glob("*/questions.csv"))]
    if options.fit:
        features, right = np.vstack([part[0] for part in parts]), np.concatenate([part[1] for part in parts])
        weights = np.concatenate([part[2] * len(right) / len(parts) / len(part[1]) for part in parts])
        fitted = fit(features, right, weights, *beginning_of(embedder.name, features.shape[1]))
        print(f"\n{embedder.name!r}: weights {[round(w, 2) for w in fitted.weights]}, bias {fitted.bias:.2f}")


if __name__ == "__main__":
    main()

"""How well the example FAQs are searched, and how far their confidence can be trusted.

    python -m benchmarks.search            # hit@1, hit@3, precision and share at each band
    python -m benchmarks.search --fit      # also fit the coefficients of knowledge/confidence.py anew
    python -m benchmarks.search --words    # without an embedding model

The questions are those of examples/*/questions.csv, none of which stands in the FAQ.
"""

from __future__ import annotations

import argparse
import csv
import tempfile
import time
from dataclasses import astuple, dataclass
from datetime import date
from pathlib import Path

import numpy as np

from bot.assembly import make_embedder
from bot.contextualise import in_context
from bot.question import Message
from bot.settings import RoutingSettings, load_settings
from knowledge.calibration.fitting import OUT_OF_SCOPE, calibrate, out_of_scope
from knowledge.confidence import Calibration, calibration_for, fit
from knowledge.embedding.absent import AbsentEmbedder
from knowledge.embedding.base import Embedder
from knowledge.evaluation.metrics import auroc, calibration_error, hit_at
from knowledge.importing.files import read_faq_file
from knowledge.index.snapshot import Located, open_snapshot
from knowledge.search import Query, Searcher
from knowledge.text import detect_language

EXAMPLES = Path(__file__).parent.parent / "examples"
BANDS = (0.25, 0.5, 0.85, 0.95)
KINDS = {"near": 0.4, "far": 0.4}
"""The examples have more questions without an answer than customers do: each counts for so many."""

FAR_SHARE = 0.1
PENALTY = 1.0


@dataclass(frozen=True)
class Asked:
    """One test question, in its context; `expected` is an entry's key or `none`."""

    query: Query
    expected: str
    kind: str


def read_questions(path: Path) -> list[Asked]:
    """Read a questions.csv; a follow-up is understood as the bot understands it."""
    with path.open(encoding="utf-8-sig", newline="") as file:
        return [Asked(_query(row["question"]), row["expected"], row["kind"]) for row in csv.DictReader(file)]


def _query(text: str) -> Query:
    first, separator, second = text.partition(" || ")
    return in_context(second, [Message("customer", first)]) if separator else Query(text)


def measure(name: str, embedder: Embedder, folder: Path) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Print how one example does; return the features, whether the first candidate was right, and weights."""
    entries = [Located(name, entry) for entry in read_faq_file(EXAMPLES / name / "faq.csv").entries]
    snapshot = open_snapshot(folder, entries, embedder)
    fitted = calibrate(snapshot, embedder)
    asked = read_questions(EXAMPLES / name / "questions.csv")
    print(f"\n{name}: {len(entries)} entries, {len(asked)} questions, {embedder.name}")
    variants = fitted.weights == 1.0
    print(f"  one variant left out: {variants.sum()} questions, hit@1 {fitted.right[variants].mean():6.1%}")
    for calibration, label in ((calibration_for(embedder.name), "shipped"), (fitted.calibration, "fitted to itself")):
        searcher = Searcher(snapshot, embedder, calibration)
        begun = time.perf_counter()
        found = [searcher.search(question.query, today=date.today()) for question in asked]  # noqa: DTZ011
        elapsed = (time.perf_counter() - begun) / len(asked)
        right = np.array([e.candidates[0].entry.key == q.expected for q, e in zip(asked, found, strict=True)])
        confidence = np.array([evidence.confidence for evidence in found])
        answerable = np.array([question.expected != "none" for question in asked])
        print(
            f"  confidence {label}: AUROC {auroc(confidence, right):.3f}, "
            f"ECE {calibration_error(confidence, right):.3f}, search {elapsed * 1_000:.1f} ms a question"
        )
        for band in BANDS:
            above = confidence >= band
            precision = right[above].mean() if above.any() else float("nan")
            print(
                f"    >= {band:.2f}: {above[answerable].mean():6.1%} of the answerable questions, "
                f"{above[~answerable].mean():6.1%} of the others, first entry right {precision:6.1%}"
            )
    for kind in dict.fromkeys(question.kind for question in asked if question.expected != "none"):
        ranks = [
            next((place for place, each in enumerate(e.candidates, 1) if each.entry.key == q.expected), None)
            for q, e in zip(asked, found, strict=True)
            if q.kind == kind
        ]
        print(f"  {kind:<12} {len(ranks):>4} questions   hit@1 {hit_at(ranks, 1):6.1%}   hit@3 {hit_at(ranks, 3):6.1%}")
    far = out_of_scope(detect_language(entries[0].entry.question))[OUT_OF_SCOPE:]
    estimated = [(q.kind, e, r) for q, e, r in zip(asked, found, right, strict=True) if e.features]
    estimated += [("out of scope", searcher.search(Query(text), today=date.today()), np.False_) for text in far]  # noqa: DTZ011
    weights = np.array([FAR_SHARE if kind == "out of scope" else KINDS.get(kind, 1.0) for kind, _, _ in estimated])
    features = np.array([astuple(evidence.features) for _, evidence, _ in estimated if evidence.features])
    return features, np.array([r for _, _, r in estimated]), weights


def main() -> None:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--fit", action="store_true", help="fit the coefficients anew and print them")
    parser.add_argument("--words", action="store_true", help="search by words only")
    options = parser.parse_args()
    embedder: Embedder = AbsentEmbedder() if options.words else make_embedder(load_settings())
    bands = RoutingSettings()
    print(f"bands: clarify {bands.clarify}, grounded {bands.grounded}, direct {bands.direct}")
    with tempfile.TemporaryDirectory() as folder:
        parts = [measure(path.parent.name, embedder, Path(folder)) for path in sorted(EXAMPLES.glob("*/questions.csv"))]
    if options.fit:
        features, right = np.vstack([part[0] for part in parts]), np.concatenate([part[1] for part in parts])
        weights = np.concatenate([part[2] * len(right) / len(parts) / len(part[1]) for part in parts])
        start = Calibration((0.0,) * features.shape[1], 0.0)
        fitted = fit(features, right, weights, start, prior=PENALTY)
        print(f"\n{embedder.name!r}: weights {[round(w, 2) for w in fitted.weights]}, bias {fitted.bias:.2f}")


if __name__ == "__main__":
    main()

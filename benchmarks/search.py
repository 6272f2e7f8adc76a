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
from knowledge.confidence import Calibration, calibration_for
from knowledge.embedding.absent import AbsentEmbedder
from knowledge.embedding.base import Embedder
from knowledge.importing.files import read_faq_file
from knowledge.index.snapshot import Located, open_snapshot
from knowledge.search import Query, Searcher

EXAMPLES = Path(__file__).parent.parent / "examples"
BANDS = (0.25, 0.5, 0.85, 0.95)
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


def measure(name: str, embedder: Embedder, folder: Path) -> tuple[np.ndarray, np.ndarray]:
    """Print how one example does; return the features and whether the first candidate was right."""
    entries = [Located(name, entry) for entry in read_faq_file(EXAMPLES / name / "faq.csv").entries]
    searcher = Searcher(open_snapshot(folder, entries, embedder), embedder, calibration_for(embedder.name))
    asked = read_questions(EXAMPLES / name / "questions.csv")
    print(f"\n{name}: {len(entries)} entries, {len(asked)} questions, {embedder.name}")
    begun = time.perf_counter()
    found = [searcher.search(question.query, today=date.today()) for question in asked]  # noqa: DTZ011
    elapsed = (time.perf_counter() - begun) / len(asked)
    for kind in dict.fromkeys(question.kind for question in asked if question.expected != "none"):
        ranks = [
            [candidate.entry.key for candidate in evidence.candidates].index(question.expected)
            if question.expected in [candidate.entry.key for candidate in evidence.candidates]
            else 99
            for question, evidence in zip(asked, found, strict=True)
            if question.kind == kind
        ]
        hit1, hit3 = np.mean([rank < 1 for rank in ranks]), np.mean([rank < 3 for rank in ranks])
        print(f"  {kind:<12} {len(ranks):>4} questions   hit@1 {hit1:6.1%}   hit@3 {hit3:6.1%}")
    right = np.array([e.candidates[0].entry.key == q.expected for q, e in zip(asked, found, strict=True)], dtype=float)
    confidence = np.array([evidence.confidence for evidence in found])
    answerable = np.array([question.expected != "none" for question in asked])
    for band in BANDS:
        above = confidence >= band
        precision = right[above].mean() if above.any() else float("nan")
        print(
            f"  confidence >= {band:.2f}: {above[answerable].mean():6.1%} of the answerable questions, "
            f"{above[~answerable].mean():6.1%} of the others, first entry right {precision:6.1%}"
        )
    print(f"  AUROC {auroc(confidence, right):.3f}, search {elapsed * 1_000:.1f} ms a question")
    return np.array([astuple(searcher.features(question.query)) for question in asked]), right


def auroc(scores: np.ndarray, right: np.ndarray) -> float:
    """Return the probability that a right answer scores higher than a wrong one (Mann-Whitney)."""
    ranks = np.empty(len(scores))
    ranks[np.argsort(scores)] = np.arange(1, len(scores) + 1)
    positives = right.sum()
    return float((ranks[right == 1].sum() - positives * (positives + 1) / 2) / (positives * (len(right) - positives)))


def fit(features: np.ndarray, right: np.ndarray, weights: np.ndarray) -> Calibration:
    """Fit a logistic regression by Newton's method, with a ridge penalty on standardised features."""
    mean, spread = features.mean(axis=0), features.std(axis=0) + 1e-9
    inputs = np.column_stack([(features - mean) / spread, np.ones(len(features))])
    penalty = np.diag([PENALTY] * features.shape[1] + [1e-9])
    beta = np.zeros(inputs.shape[1])
    for _ in range(50):
        probability = 1 / (1 + np.exp(-inputs @ beta))
        gradient = inputs.T @ (weights * (probability - right)) + penalty @ beta
        curvature = (inputs * (weights * probability * (1 - probability))[:, None]).T @ inputs + penalty
        beta -= np.linalg.solve(curvature, gradient)
    slopes = beta[:-1] / spread
    return Calibration(tuple(round(float(slope), 2) for slope in slopes), round(float(beta[-1] - slopes @ mean), 2))  # type: ignore[arg-type]


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
        weights = np.concatenate([np.full(len(part[1]), len(right) / len(parts) / len(part[1])) for part in parts])
        print(f"\n{embedder.name!r}: {fit(features, right, weights)}")


if __name__ == "__main__":
    main()

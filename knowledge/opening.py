"""From entries to a searcher: the index and its calibration, made once and kept, and how questions are read."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

from knowledge.calibration.fitting import calibrate
from knowledge.confidence import Calibration
from knowledge.courtesies import Courtesies, vectors_of_examples
from knowledge.embedding.base import Embedder, OnProgress, no_progress
from knowledge.embedding.recent import RecentQueries
from knowledge.index.base import VectorIndexes
from knowledge.index.snapshot import Located, open_snapshot, snapshot_key
from knowledge.reranking.patient import PatientReranking
from knowledge.search import Searcher
from knowledge.spelling import Spelling


def open_searcher(
    folder: Path,
    entries: list[Located],
    embedder: Embedder,
    on_progress: OnProgress = no_progress,
    reranking: PatientReranking | None = None,
    indexes: VectorIndexes | None = None,
) -> Searcher:
    """Load what searches these entries from `folder`, or build, calibrate and save it; raises as open_snapshot does."""
    snapshot = open_snapshot(folder, entries, embedder, on_progress, indexes)
    path = folder / snapshot_key(embedder.fingerprint, entries) / "calibration.json"
    calibration = _load(path)
    if calibration is None:
        calibration = calibrate(snapshot, embedder).calibration
        _save(calibration, path)
    spelling = Spelling(located.entry.text for located in entries)
    remembering = RecentQueries(embedder)
    courtesies = Courtesies(remembering, snapshot, vectors_of_examples(embedder))
    return Searcher(snapshot, remembering, calibration, spelling=spelling, courtesies=courtesies, reranking=reranking)


def _load(path: Path) -> Calibration | None:
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
        curve = tuple((float(confidence), float(right)) for confidence, right in values["curve"])
        return Calibration(tuple(float(weight) for weight in values["weights"]), float(values["bias"]), curve)
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _save(calibration: Calibration, path: Path) -> None:
    partial = path.with_suffix(".partial")
    partial.write_text(json.dumps(asdict(calibration)), encoding="utf-8")
    partial.replace(path)

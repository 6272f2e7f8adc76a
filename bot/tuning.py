"""Examining an embedder on suites, as customers would be answered with it: before and after it is tuned."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path

from bot.evaluating import judge_search
from bot.sections import RoutingSettings
from knowledge.calibration.fitting import OUT_OF_SCOPE
from knowledge.calibration.questions import out_of_scope
from knowledge.embedding.base import Embedder, OnProgress
from knowledge.entries import Entry
from knowledge.evaluation.cases import TestCase
from knowledge.index.snapshot import Located
from knowledge.opening import open_searcher
from knowledge.text import detect_language
from knowledge.tuning.tune import Examine, Results

FAR_QUESTIONS = 200
"""That nothing answers, of those shipped: not the ones that confidence is fitted on."""


def examination(entries: Sequence[Entry], suites: Mapping[str, Sequence[TestCase]], bands: RoutingSettings) -> Examine:
    """Return what searches for each suite's questions, with the first also for some that no company answers."""
    located = [Located("tuning", entry) for entry in entries]
    far = [TestCase(text, ()) for text in out_of_scope(detect_language(entries[0].question))[OUT_OF_SCOPE:]]
    first, *_ = suites
    asked = {name: [*cases, *(far[:FAR_QUESTIONS] if name == first else ())] for name, cases in suites.items()}
    today = datetime.now().astimezone().date()

    def examine(embedder: Embedder, on_progress: OnProgress) -> Results:
        with tempfile.TemporaryDirectory() as folder:
            searcher = open_searcher(Path(folder), located, embedder, on_progress)
            return {name: judge_search(searcher, cases, bands, today=today) for name, cases in asked.items()}

    return examine

"""From an embedder to a better one for this FAQ: examined before and after, and kept only if it is better."""

from __future__ import annotations

import math
import shutil
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from types import ModuleType
from typing import Any

from knowledge.confidence import calibration_for
from knowledge.embedding.base import Embedder, OnProgress
from knowledge.embedding.gguf import GgufEmbedder
from knowledge.embedding.sentence_transformer import SentenceTransformerEmbedder
from knowledge.errors import ModelError, ModelUnavailable
from knowledge.evaluation.cases import evaluate
from knowledge.evaluation.metrics import mean_reciprocal_rank
from knowledge.evaluation.report import Judged
from knowledge.index.snapshot import Located, open_snapshot
from knowledge.search import Searcher
from knowledge.tuning.lines import Lessons, to_pairs
from knowledge.weights.library import Weights, own_record

GGUF_FILE = "embedder.gguf"
MODEL_FILE = "modules.json"
"""What every folder of sentence-transformers has."""

TOLERATED = 0.01
"""So much more of what nothing answers may be answered afterwards: two of two hundred."""

Results = dict[str, list[Judged]]
"""By suite."""

Examine = Callable[[Embedder, OnProgress], Results]
ShowProgress = Callable[[str], OnProgress]
"""Begins a line of progress."""


@dataclass(frozen=True)
class Tuned:
    """How an embedder did before and after, and what `models.embedding` becomes if it is better, else None."""

    before: Results
    after: Results
    setting: str | None


@dataclass(frozen=True)
class Tuning:
    """What is tuned, on what, and where it is put. `weights` is the file of a GGUF embedder.

    A GGUF file becomes a GGUF file, which needs no torch where it is served, beside the folder that
    sentence-transformers loads.
    """

    base: Embedder
    weights: Weights | None
    lessons: Lessons
    output: Path
    epochs: int
    seed: int

    def run(self, examine: Examine, shown: ShowProgress) -> Tuned:
        """Examine, train, examine again, and put the model in the output folder if it is better.

        Raises:
            ModelUnavailable: it cannot be tuned, or the extra is not installed.
            ModelError: the output folder holds something else than a model.
        """
        if self.output.exists() and not (self.output / MODEL_FILE).is_file():
            raise ModelError(f"{self.output} is not a model's folder and would be replaced; give another --output")
        fine_tune = _training()
        self.base.warm_up()
        model = self._trainable()
        before = examine(self.base, shown("examining"))
        pairs = to_pairs(self.lessons.entries, model.prompts.get("query", ""), model.prompts.get("passage", ""))
        recipe, judge = fine_tune.Recipe(epochs=self.epochs), _judge(self.lessons)
        fine_tune.fine_tune(model, pairs, judge, recipe=recipe, seed=self.seed, on_progress=shown("training"))
        self.output.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=self.output.parent) as folder:
            draft = Path(folder) / self.output.name
            after = examine(self._save(model, draft), shown("examining again"))
            if not is_gain(before, after):
                return Tuned(before, after, None)
            shutil.rmtree(self.output, ignore_errors=True)
            draft.rename(self.output)
        return Tuned(before, after, self._setting())

    def _trainable(self) -> Any:
        """Return the model as sentence-transformers trains it."""
        if isinstance(self.base, SentenceTransformerEmbedder):
            return self.base.model
        if self.weights is None:
            raise ModelUnavailable(f"{self.base.name} runs elsewhere and cannot be tuned; choose another model")
        from knowledge.tuning.gguf_model import load_gguf  # noqa: PLC0415 - torch

        record = self.weights.record
        return load_gguf(self.weights.path, record.query_prefix, record.passage_prefix)

    def _save(self, model: Any, folder: Path) -> Embedder:
        """Save a model, and return it as it will be served."""
        model.save(str(folder), create_model_card=False)
        if self.weights is None:
            return SentenceTransformerEmbedder(str(folder), model=model)
        from knowledge.tuning.gguf_model import save_gguf  # noqa: PLC0415

        path = folder / GGUF_FILE
        save_gguf(model, self.weights.path, path)
        return GgufEmbedder(Weights(own_record(path, "embedding"), path))

    def _setting(self) -> str:
        return str(self.output / GGUF_FILE) if self.weights else f"sentence-transformers:{self.output}"


def is_gain(before: Results, after: Results) -> bool:
    """Say whether more is found than chance explains, and no more is answered of what nothing answers.

    More than one standard deviation of the sign test over the questions that changed (McNemar, 1947).
    """
    pairs = [pair for name in before for pair in zip(before[name], after[name], strict=True)]
    asked = [(was.verdict.right, now.verdict.right) for was, now in pairs if was.verdict.case.keys]
    won = sum(now and not was for was, now in asked)
    lost = sum(was and not now for was, now in asked)
    unanswerable = [(was.answered, now.answered) for was, now in pairs if not was.verdict.case.keys]
    more = sum(now for _, now in unanswerable) - sum(was for was, _ in unanswerable)
    return won - lost > math.sqrt(won + lost) and more <= TOLERATED * len(unanswerable)


def _training() -> ModuleType:
    """Return the module that trains."""
    try:
        from knowledge.tuning import fine_tune  # noqa: PLC0415 - the extra, which takes seconds
    except ImportError as error:
        raise ModelUnavailable(
            "training needs sentence-transformers; run: pip install 'frontdesk-bot[sentence-transformers]'"
        ) from error
    fine_tune.silence()
    return fine_tune


def _judge(lessons: Lessons) -> Callable[[Any], float]:
    """Return what says how well a model in training finds the variants kept for that."""
    entries = [Located("tuning", entry) for entry in lessons.entries]
    today = datetime.now().astimezone().date()

    def judge(model: Any) -> float:
        embedder = SentenceTransformerEmbedder("in training", model=model)
        with tempfile.TemporaryDirectory() as folder:
            snapshot = open_snapshot(Path(folder), entries, embedder)
        searcher = Searcher(snapshot, embedder, calibration_for(embedder.name))
        return mean_reciprocal_rank([found.rank for found in evaluate(searcher, lessons.validation, today=today)])

    return judge

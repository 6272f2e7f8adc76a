"""Tuning the embedding model on an FAQ, examining it before and after, and keeping it if it is better."""

from __future__ import annotations

import math
import shutil
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from types import ModuleType
from typing import Any

from bot.assembly import make_embedder, model_library
from bot.evaluating import judge_search
from bot.settings import RoutingSettings, Settings
from knowledge.calibration.fitting import OUT_OF_SCOPE, out_of_scope
from knowledge.confidence import calibration_for
from knowledge.embedding.base import Embedder, OnProgress
from knowledge.embedding.gguf import GgufEmbedder
from knowledge.embedding.sentence_transformer import SentenceTransformerEmbedder
from knowledge.entries import Entry
from knowledge.errors import ModelUnavailable
from knowledge.evaluation.cases import TestCase, evaluate
from knowledge.evaluation.metrics import mean_reciprocal_rank
from knowledge.evaluation.report import Judged
from knowledge.index.snapshot import Located, open_snapshot
from knowledge.opening import open_searcher
from knowledge.search import Searcher
from knowledge.text import detect_language
from knowledge.tuning.lines import Lessons, to_pairs
from knowledge.weights.library import Weights, own_record

GGUF_FILE = "embedder.gguf"
FAR_QUESTIONS = 200
"""That nothing answers, of those shipped: not the ones that confidence is fitted on."""

TOLERATED = 0.01
"""So much more of these may be answered afterwards: two of two hundred."""

Suites = Mapping[str, Sequence[TestCase]]
Results = dict[str, list[Judged]]
Shown = Callable[[str], OnProgress]
"""Begins a line of progress."""


@dataclass(frozen=True)
class Tuned:
    """How the model did before and after, by suite, and where the tuned one is, if it is better.

    `setting` is what `models.embedding` becomes.
    """

    before: Results
    after: Results
    setting: str | None


def tune(
    settings: Settings, lessons: Lessons, suites: Suites, output: Path, *, epochs: int, seed: int, shown: Shown
) -> Tuned:
    """Tune the model of the settings, and put it in the folder `output` if it is better.

    A GGUF file becomes a GGUF file, which needs no torch where it is served, beside the folder that
    sentence-transformers loads.

    Raises:
        ModelUnavailable: it cannot be tuned, or the extra is not installed.
    """
    base = make_embedder(settings)
    weights = _weights(settings, base)
    fine_tune = _training()
    base.warm_up()
    model = _trainable(base, weights)
    before = _examine(base, lessons.examined, suites, settings.routing, shown("examining"))
    training = shown("training")
    judge = _judge(lessons)
    recipe = fine_tune.Recipe(epochs=epochs)
    prompts = model.prompts
    pairs = to_pairs(lessons.entries, prompts.get("query", ""), prompts.get("passage", ""))
    fine_tune.fine_tune(model, pairs, judge, recipe=recipe, seed=seed, on_progress=training)
    output.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=output.parent) as folder:
        draft = Path(folder) / output.name
        model.save(str(draft), create_model_card=False)
        tuned: Embedder = SentenceTransformerEmbedder(str(draft), model=model)
        if weights:
            from knowledge.tuning.gguf_model import save_gguf  # noqa: PLC0415

            save_gguf(model, weights.path, draft / GGUF_FILE)
            tuned = GgufEmbedder(_own(draft / GGUF_FILE), threads=settings.models.threads or None)
        after = _examine(tuned, lessons.examined, suites, settings.routing, shown("examining again"))
        if not is_gain(before, after):
            return Tuned(before, after, None)
        shutil.rmtree(output, ignore_errors=True)
        draft.rename(output)
    return Tuned(before, after, str(output / GGUF_FILE) if weights else f"sentence-transformers:{output}")


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


def _weights(settings: Settings, base: Embedder) -> Weights | None:
    """Return the GGUF file behind an embedder, None if sentence-transformers has its model."""
    if isinstance(base, SentenceTransformerEmbedder):
        return None
    if isinstance(base, GgufEmbedder):
        return model_library(settings).find(settings.models.embedding, "embedding")
    raise ModelUnavailable(f"{base.name} runs elsewhere and cannot be tuned here; choose another models.embedding")


def _own(path: Path) -> Weights:
    return Weights(own_record(path, "embedding"), path)


def _trainable(base: Embedder, weights: Weights | None) -> Any:
    """Return the model as sentence-transformers trains it."""
    if isinstance(base, SentenceTransformerEmbedder):
        return base.model
    assert weights is not None
    from knowledge.tuning.gguf_model import load_gguf  # noqa: PLC0415

    return load_gguf(weights.path, weights.record.query_prefix, weights.record.passage_prefix)


def _judge(lessons: Lessons) -> Callable[[Any], float]:
    """Return what says how well a model in training finds the variants kept for that."""
    entries = _located(lessons.entries)

    def judge(model: Any) -> float:
        embedder = SentenceTransformerEmbedder("in training", model=model)
        with tempfile.TemporaryDirectory() as folder:
            snapshot = open_snapshot(Path(folder), entries, embedder)
        searcher = Searcher(snapshot, embedder, calibration_for(embedder.name))
        verdicts = evaluate(searcher, lessons.validation, today=_today())
        return mean_reciprocal_rank([verdict.rank for verdict in verdicts])

    return judge


def _examine(
    embedder: Embedder, entries: Sequence[Entry], suites: Suites, bands: RoutingSettings, on_progress: OnProgress
) -> Results:
    """Search for each suite's questions, with the first also for some that no company answers."""
    language = detect_language(entries[0].question)
    far = [TestCase(question, ()) for question in out_of_scope(language)[OUT_OF_SCOPE:][:FAR_QUESTIONS]]
    first = next(iter(suites))
    with tempfile.TemporaryDirectory() as folder:
        searcher = open_searcher(Path(folder), _located(entries), embedder, on_progress)
        return {
            name: judge_search(searcher, [*cases, *(far if name == first else ())], bands, today=_today())
            for name, cases in suites.items()
        }


def _located(entries: Sequence[Entry]) -> list[Located]:
    return [Located("tuning", entry) for entry in entries]


def _today() -> date:
    return datetime.now().astimezone().date()

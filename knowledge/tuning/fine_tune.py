"""Training a sentence-transformers model on an FAQ's lines, by the library's own trainer (the extra is needed)."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from datasets import Dataset
from sentence_transformers import SentenceTransformer, SentenceTransformerTrainer, SentenceTransformerTrainingArguments
from sentence_transformers.sentence_transformer.evaluation import SentenceEvaluator
from sentence_transformers.sentence_transformer.losses import MultipleNegativesRankingLoss
from sentence_transformers.sentence_transformer.training_args import BatchSamplers
from transformers import EarlyStoppingCallback, PrinterCallback, TrainerCallback
from transformers.utils import logging

from knowledge.embedding.base import OnProgress, no_progress
from knowledge.errors import ModelUnavailable
from knowledge.tuning.lines import Pairs

SCORE = "score"
Judge = Callable[[SentenceTransformer], float]
"""Says how good a model is while it is trained: more is better."""


@dataclass(frozen=True)
class Recipe:
    """How a model is trained."""

    epochs: int = 3
    batch: int = 32
    learning_rate: float = 1e-4
    scale: float = 20.0
    """Cosines times this are the logits of the loss."""

    layers: int = 6
    """So many, the last ones, are trained; the tables of tokens and positions never are."""


def fine_tune(
    model: SentenceTransformer,
    pairs: Mapping[str, Pairs],
    judge: Judge,
    *,
    recipe: Recipe = Recipe(),
    seed: int = 0,
    on_progress: OnProgress = no_progress,
) -> None:
    """Train a model in place, and leave it as it was after the epoch that `judge` liked best.

    With a softmax over the other pairs of the batch (MultipleNegativesRankingLoss). It stops when an epoch brings
    nothing; the steps are reported as progress.

    Raises:
        ModelUnavailable: it is not built like BERT.
    """
    _freeze(model, recipe.layers)
    model.model_card_data.generate_widget_examples = False
    datasets = {
        name: Dataset.from_dict({"anchor": [first for first, _ in rows], "positive": [second for _, second in rows]})
        for name, rows in pairs.items()
        if rows
    }
    with tempfile.TemporaryDirectory() as folder:
        arguments = SentenceTransformerTrainingArguments(
            output_dir=folder,
            num_train_epochs=recipe.epochs,
            per_device_train_batch_size=recipe.batch,
            learning_rate=recipe.learning_rate,
            warmup_steps=0.1,  # of all steps
            batch_sampler=BatchSamplers.NO_DUPLICATES,
            eval_strategy="epoch",
            save_strategy="epoch",
            save_only_model=True,
            save_total_limit=1,
            load_best_model_at_end=True,
            metric_for_best_model=f"eval_{SCORE}",
            seed=seed,
            report_to="none",
            disable_tqdm=True,
            logging_strategy="no",
            dataloader_pin_memory=False,
        )
        trainer = SentenceTransformerTrainer(
            model=model,
            args=arguments,
            train_dataset=datasets,
            loss=MultipleNegativesRankingLoss(model, scale=recipe.scale),
            evaluator=_Judged(judge),
            callbacks=[EarlyStoppingCallback(1), _Shown(on_progress)],
        )
        trainer.remove_callback(PrinterCallback)
        trainer.train()


def silence() -> None:
    """Keep the libraries' own bars and remarks off the terminal."""
    logging.set_verbosity_error()
    logging.disable_progress_bar()


def _freeze(model: SentenceTransformer, layers: int) -> None:
    bert: Any = getattr(model[0], "model", None)
    if not hasattr(bert, "embeddings") or not hasattr(getattr(bert, "encoder", None), "layer"):
        raise ModelUnavailable("only models built like BERT can be tuned (BERT, RoBERTa, XLM-R, MPNet)")
    for part in (bert.embeddings, *bert.encoder.layer[:-layers]):
        for values in part.parameters():
            values.requires_grad = False


class _Judged(SentenceEvaluator):
    """A judge as the trainer asks it."""

    def __init__(self, judge: Judge) -> None:
        super().__init__()
        self._judge = judge
        self.primary_metric = SCORE

    def __call__(self, model: SentenceTransformer, *_args: Any, **_kwargs: Any) -> dict[str, float]:
        return {SCORE: self._judge(model)}


class _Shown(TrainerCallback):
    """The trainer's steps as progress."""

    def __init__(self, on_progress: OnProgress) -> None:
        self._on_progress = on_progress

    def on_step_end(self, _args: Any, state: Any, _control: Any, **_kwargs: Any) -> None:
        self._on_progress(state.global_step, state.max_steps)

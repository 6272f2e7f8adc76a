"""A cross-encoder that sentence-transformers loads (the extra `sentence-transformers`)."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import Any

from knowledge.entries import Entry
from knowledge.errors import ModelError, ModelUnavailable
from knowledge.torch_extra import loading

WEIGHT = 0.5
MAX_TOKENS = 256
"""Of a question with an entry: what is beyond is cut, and costs no time."""


class CrossEncoderReranker:
    """Runs a hub model or a local folder with one output, such as bge-reranker or ms-marco-MiniLM."""

    weight = WEIGHT
    count = 8

    def __init__(self, name: str, *, device: str | None = None) -> None:
        """Remember what to load; `device` is torch's name for it, by default the best there is."""
        self._name, self._device = name, device
        self._model: Any = None
        self._lock = threading.Lock()

    @property
    def name(self) -> str:
        """The model's name or folder."""
        return self._name

    def warm_up(self) -> None:
        """Import the library and load the model."""
        with self._lock:
            if self._model is None:
                self._model = self._load()

    def scores(self, question: str, entries: Sequence[Entry]) -> list[float]:
        """Return the model's logits: how the question goes with an entry's question and answer."""
        self.warm_up()
        pairs = [(question, f"{entry.question}\n{entry.answer}") for entry in entries]
        try:
            logits = self._model.predict(pairs, activation_fn=self._raw, show_progress_bar=False)
        except (RuntimeError, ValueError, IndexError) as error:
            raise ModelError(f"{self._name} failed: {str(error).splitlines()[0]}") from error
        return [float(logit) for logit in logits]

    def _load(self) -> Any:
        with loading(self._name):
            import torch  # noqa: PLC0415
            from sentence_transformers import CrossEncoder  # noqa: PLC0415 - takes 19 s and 900 MB

            model = CrossEncoder(self._name, device=self._device, max_length=MAX_TOKENS)
        if model.num_labels != 1:
            raise ModelUnavailable(f"{self._name} has {model.num_labels} outputs; a reranker has one")
        self._raw = torch.nn.Identity()
        return model

"""Embeddings from anything that sentence-transformers loads (the extra `sentence-transformers`)."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from knowledge.embedding.base import Vectors, to_unit
from knowledge.torch_extra import loading


class SentenceTransformerEmbedder:
    """Runs a hub model or a local folder; its own query and passage prompts are used where it has them."""

    def __init__(self, name: str, *, device: str | None = None, batch_texts: int = 32, model: Any = None) -> None:
        """Remember what to load; `device` is torch's name for it, by default the best there is.

        `model` is one that is loaded already.
        """
        self._name, self._device, self._batch_texts = name, device, batch_texts
        self._model = model
        self._lock = threading.Lock()

    @property
    def name(self) -> str:
        """The model's name or folder."""
        return self._name

    @cached_property
    def fingerprint(self) -> str:
        """The model's name, with the hash of its weights where it is a folder, whose model may become another."""
        digest = hashlib.sha256()
        for path in sorted(Path(self._name).rglob("*.safetensors")):
            with path.open("rb") as file:
                digest.update(hashlib.file_digest(file, "sha256").digest())
        weights = f":{digest.hexdigest()}" if Path(self._name).is_dir() else ""
        return f"sentence-transformers:{self._name}{weights}"

    @property
    def model(self) -> Any:
        """The library's own model, loaded."""
        self.warm_up()
        return self._model

    def warm_up(self) -> None:
        """Import the library and load the model."""
        with self._lock:
            if self._model is not None:
                return
            with loading(self._name):
                from sentence_transformers import SentenceTransformer  # noqa: PLC0415 - takes 19 s and 900 MB

                self._model = SentenceTransformer(self._name, device=self._device)

    def embed_queries(self, texts: Sequence[str]) -> Vectors:
        """Embed questions."""
        self.warm_up()
        return self._unit(self._model.encode_query, texts)

    def embed_passages(self, texts: Sequence[str]) -> Vectors:
        """Embed what is searched."""
        self.warm_up()
        return self._unit(self._model.encode_document, texts)

    def _unit(self, encode: Callable[..., Any], texts: Sequence[str]) -> Vectors:
        vectors = encode(list(texts), batch_size=self._batch_texts, show_progress_bar=False)
        return to_unit(np.asarray(vectors, dtype=np.float32))

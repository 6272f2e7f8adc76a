"""Embeddings from any OpenAI-compatible endpoint."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import openai

from knowledge.embedding.base import Vectors, to_unit
from knowledge.errors import ModelUnavailable

BATCH_TEXTS = 64


class RemoteEmbedder:
    """Asks an endpoint for vectors; nothing is loaded here."""

    def __init__(self, model: str, *, base_url: str, api_key: str | None, timeout_seconds: float = 30) -> None:
        """Remember where it is."""
        self._model, self._base_url = model, base_url
        self._client = openai.OpenAI(
            base_url=base_url, api_key=api_key or "none", timeout=timeout_seconds, max_retries=2
        )

    @property
    def name(self) -> str:
        """The model's name there."""
        return self._model

    @property
    def fingerprint(self) -> str:
        """The endpoint and the model; what the endpoint runs behind its name cannot be known."""
        return f"openai:{self._base_url}:{self._model}"

    def warm_up(self) -> None:
        """Ask for one vector, to know at start whether it works."""
        self.embed_queries(["ping"])

    def embed_queries(self, texts: Sequence[str]) -> Vectors:
        """Embed questions."""
        return self.embed_passages(texts)

    def embed_passages(self, texts: Sequence[str]) -> Vectors:
        """Embed what is searched."""
        parts = []
        for start in range(0, len(texts), BATCH_TEXTS):
            try:
                reply = self._client.embeddings.create(
                    model=self._model, input=list(texts[start : start + BATCH_TEXTS]), encoding_format="float"
                )
            except openai.OpenAIError as error:
                raise ModelUnavailable(f"the embedding endpoint {self._base_url} failed: {error}") from error
            vectors = [item.embedding for item in getattr(reply, "data", None) or []]
            if len(vectors) != len(texts[start : start + BATCH_TEXTS]):
                raise ModelUnavailable(f"the embedding endpoint {self._base_url} did not answer with one vector a text")
            parts += vectors
        return to_unit(np.array(parts, dtype=np.float32))

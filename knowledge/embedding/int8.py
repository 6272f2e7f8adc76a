"""An embedder in eight bits, run by ONNX Runtime: two to four times as fast where the processor multiplies bytes."""

from __future__ import annotations

import importlib.util
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from knowledge.embedding.gguf import GgufEmbedder, Opened, Text
from knowledge.errors import ModelUnavailable
from knowledge.llama import LlamaModel
from knowledge.machine import has_vnni
from knowledge.weights.int8 import VERSION, write_int8
from knowledge.weights.library import Weights

ERRORS_ONLY = 3


def can_run(weights: Weights) -> bool:
    """Say whether a model can be written so, and this machine runs it."""
    return is_possible() and weights.record.pooling == "mean"


def is_possible() -> bool:
    """Say whether ONNX Runtime is installed, and is fast and exact on the processor.

    Without VNNI it adds up two products in sixteen bits, which do not hold all of them.
    """
    return has_vnni() and all(importlib.util.find_spec(name) for name in ("onnx", "onnxruntime"))


class Int8Embedder(GgufEmbedder):
    """Embeds as the GGUF file does, but for what rounding changes: their vectors have a cosine of 0.999."""

    def __init__(self, weights: Weights, folder: Path, *, threads: int | None = None) -> None:
        """Remember what to load; the graph is written into `folder` when it is first needed."""
        super().__init__(weights, threads=threads)
        self._folder = folder

    @cached_property
    def fingerprint(self) -> str:
        """The GGUF file's, and how it was rounded."""
        return f"int8-{VERSION}:{super().fingerprint}"

    def write(self) -> Path:
        """Return the graph's file, written if it is not there yet.

        Raises:
            ModelUnavailable: the GGUF file cannot be written as such a graph.
        """
        path = self._folder / f"{self._weights.path.stem}-{self.identity[:8]}-as-int8-{VERSION}.onnx"
        if not path.exists():
            self._folder.mkdir(parents=True, exist_ok=True)
            try:
                write_int8(self._weights.path, path)
            except (ValueError, KeyError, OSError) as error:
                raise ModelUnavailable(f"{self.name} cannot be written in eight bits: {error}") from error
        return path

    def _open(self, rooms: Sequence[int]) -> Opened:
        try:
            session = self._session()
        except Exception as error:  # ONNX Runtime's have no class in common
            way_out = "set models.fast_weights = false"
            raise ModelUnavailable(f"{self.name} does not load in eight bits; {way_out}: {error}") from error
        contexts = [_Context(session, self.name, max(rooms)) for _ in rooms]  # here, room costs no memory
        [output] = session.get_outputs()
        tokenizer = LlamaModel(self._weights.path, tokenizer_only=True)
        return Opened(tokenizer, output.shape[1], [(context, context) for context in contexts])

    def _session(self) -> Any:
        """Return a session of ONNX Runtime's; a graph that was damaged is written again."""
        import onnxruntime  # noqa: PLC0415 - of an extra

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        options.log_severity_level = ERRORS_ONLY
        path = self.write()
        try:
            return onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
        except Exception:
            path.unlink(missing_ok=True)
            return onnxruntime.InferenceSession(self.write(), options, providers=["CPUExecutionProvider"])


class _Context:
    """ONNX Runtime's; a session may be run by several threads at once."""

    def __init__(self, session: Any, name: str, room: int) -> None:
        self._session, self._name, self.room = session, name, room

    def embed(self, texts: Sequence[Text]) -> None:
        length = max(len(text.tokens) for text in texts)
        tokens = np.zeros((len(texts), length), np.int64)
        mask = np.zeros((len(texts), length), np.float32)
        for row, text in enumerate(texts):
            tokens[row, : len(text.tokens)] = text.tokens
            mask[row, : len(text.tokens)] = 1
        given = {"tokens": tokens, "places": np.arange(length), "mask": mask}
        try:
            [vectors] = self._session.run(None, given)
        except Exception as error:
            for text in texts:
                text.vector.set_exception(ModelUnavailable(f"{self._name} failed to embed a text: {error}"))
            return
        for text, vector in zip(texts, vectors, strict=True):
            text.vector.set_result(vector)

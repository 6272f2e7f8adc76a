"""EmbeddingGemma's layers in eight bits: those of Gemma 3, but each token attends to what follows it too.

Source: "EmbeddingGemma: Powerful and Lightweight Text Representations" (2025), and llama.cpp's gemma-embedding, whose
sums these are.
"""

from __future__ import annotations

import gguf
import numpy as np

from knowledge.weights.int8_graph import MASKED, Floats, Int8Graph

PLACES = 512
"""Tokens of a text at most; longer ones are cut before."""

GLOBAL_EACH = 6
"""Each sixth layer looks at the whole text, the others at their window."""

LOCAL_BASE = 10_000.0


class GemmaGraph(Int8Graph):
    """The mean of its last states, through two matrices."""

    def __init__(self, reader: gguf.GGUFReader) -> None:
        """Read its shape."""
        super().__init__(reader, "gemma-embedding")
        self._heads = int(self.field("attention.head_count"))
        self._head_width = int(self.field("attention.key_length"))
        self._width = int(self.field("embedding_length"))
        self._inner = int(self.field("feed_forward_length"))
        self._epsilon = float(self.field("attention.layer_norm_rms_epsilon"))

    def build(self) -> str:
        """Add all nodes; returns the vectors."""
        everywhere = self.unmasked()
        within = self.node("Add", everywhere, self._within_window(int(self.field("attention.sliding_window"))))
        turns, local_turns = self._turns(float(self.field("rope.freq_base"))), self._turns(LOCAL_BASE)
        states = self.node("Mul", self.rows_of_tokens("token_embd.weight"), self.value(self._width**0.5))
        for layer in range(int(self.field("block_count"))):
            is_global = layer % GLOBAL_EACH == GLOBAL_EACH - 1
            bias, rotation = (everywhere, turns) if is_global else (within, local_turns)
            states = self._layer(states, f"blk.{layer}.", bias, rotation)
        vectors = self.mean(self._normalised(states, self.tensor("output_norm.weight")))
        return self.linear(self.linear(vectors, "dense_2"), "dense_3")

    def _within_window(self, window: int) -> str:
        """Return what is added to the scores of those further apart than half the window, to either side."""
        rows, columns = (self.node("Unsqueeze", "places", self.value([axis], np.int64)) for axis in (1, 0))
        apart = self.node("Abs", self.node("Sub", rows, columns))
        is_far = self.node("Greater", apart, self.value(window // 2, np.int64))
        return self.node("Mul", self.cast(is_far, "FLOAT"), self.value(MASKED))

    def _turns(self, base: float) -> tuple[str, str]:
        """Return cosine and sine of the angle at each place of each pair of numbers (rotary positions)."""
        pairs = self._head_width // 2
        angles = np.arange(PLACES)[:, None, None] * base ** (-np.arange(pairs) / pairs)
        cosine, sine = (self.node("Gather", self.value(turn), "places") for turn in (np.cos(angles), np.sin(angles)))
        return cosine, sine

    def _layer(self, states: str, layer: str, bias: str, turns: tuple[str, str]) -> str:
        inner = self._normalised(states, self.tensor(f"{layer}attn_norm.weight"))
        inner = self.linear(self._attention(inner, layer, bias, turns), f"{layer}attn_output")
        states = self.node("Add", states, self._normalised(inner, self.tensor(f"{layer}post_attention_norm.weight")))
        inner = self._normalised(states, self.tensor(f"{layer}ffn_norm.weight"))
        gate, up = self.split(self.linear(inner, f"{layer}ffn_gate", f"{layer}ffn_up"), [self._inner] * 2, axis=-1)
        inner = self.node("Mul", self.node("Gelu", gate, approximate="tanh"), up)
        inner = self._normalised(self.linear(inner, f"{layer}ffn_down"), self.tensor(f"{layer}post_ffw_norm.weight"))
        return self.node("Add", states, inner)

    def _attention(self, states: str, layer: str, bias: str, turns: tuple[str, str]) -> str:
        """Attend; all heads of questions share one of keys and one of values, and keys are normalised beside them."""
        parts = self.linear(states, *(f"{layer}attn_{part}" for part in "qkv"))
        turned, values = self.split(parts, [(self._heads + 1) * self._head_width, self._head_width], axis=-1)
        turned = self.reshape(turned, 0, 0, self._heads + 1, self._head_width)
        asked_weight, key_weight = (self.tensor(f"{layer}attn_{part}_norm.weight") for part in "qk")
        weights = np.stack([asked_weight * self._head_width**-0.5] * self._heads + [key_weight])
        turned = self._turned(self._normalised(turned, weights), turns)
        turned = self.node("Transpose", turned, perm=[0, 2, 1, 3])
        asked, keys = self.split(turned, [self._heads, 1], axis=1)
        keys = self.node("Transpose", keys, perm=[0, 1, 3, 2])
        scores = self.node("Add", self.node("MatMul", asked, keys), bias)
        values = self.node("Unsqueeze", values, self.value([1], np.int64))
        context = self.node("MatMul", self.node("Softmax", scores, axis=-1), values)
        context = self.node("Transpose", context, perm=[0, 2, 1, 3])
        return self.reshape(context, 0, 0, self._heads * self._head_width)

    def _turned(self, states: str, turns: tuple[str, str]) -> str:
        """Turn each pair of numbers, of which one is in the first half and one in the second, by its place's angle."""
        cosine, sine = turns
        first, second = self.split(states, [self._head_width // 2] * 2, axis=-1)
        return self.node(
            "Concat",
            self.node("Sub", self.node("Mul", first, cosine), self.node("Mul", second, sine)),
            self.node("Add", self.node("Mul", second, cosine), self.node("Mul", first, sine)),
            axis=-1,
        )

    def _normalised(self, states: str, weight: Floats) -> str:
        """Divide by the root of the mean square (RMSNorm); in these five nodes ONNX Runtime sees one."""
        squares = self.node("Pow", states, self.value(2))
        squares = self.node("ReduceMean", squares, self.value([-1], np.int64), keepdims=1)
        root = self.node("Sqrt", self.node("Add", squares, self.value(self._epsilon)))
        return self.node("Mul", self.node("Div", states, root), self.value(weight))

"""BERT's layers in eight bits."""

from __future__ import annotations

import gguf

from knowledge.weights.int8_graph import Int8Graph


class BertGraph(Int8Graph):
    """The mean of a BERT's last states."""

    def __init__(self, reader: gguf.GGUFReader) -> None:
        """Read its shape."""
        super().__init__(reader, "bert")
        self._heads = int(self.field("attention.head_count"))
        self._width = int(self.field("embedding_length"))
        self._epsilon = float(self.field("attention.layer_norm_epsilon"))

    def build(self) -> str:
        """Add all nodes; returns the vectors."""
        bias, states = self.unmasked(), self._tokens()
        for layer in range(int(self.field("block_count"))):
            states = self._layer(states, f"blk.{layer}.", bias)
        return self.mean(states)

    def _tokens(self) -> str:
        places = self.tensor("position_embd.weight") + self.tensor("token_types.weight")[0]
        at_places = self.node("Gather", self.value(places), "places")
        return self._normalised(
            self.node("Add", self.rows_of_tokens("token_embd.weight"), at_places), "token_embd_norm"
        )

    def _layer(self, states: str, layer: str, bias: str) -> str:
        context = self.linear(self._attention(states, layer, bias), layer + "attn_output")
        states = self._normalised(self.node("Add", context, states), layer + "attn_output_norm")
        inner = self.node("Gelu", self.linear(states, layer + "ffn_up"))
        return self._normalised(
            self.node("Add", self.linear(inner, layer + "ffn_down"), states), layer + "layer_output_norm"
        )

    def _attention(self, states: str, layer: str, bias: str) -> str:
        width = self._width // self._heads
        parts = self.linear(states, *(f"{layer}attn_{part}" for part in "qkv"))
        asked, keys, values = (
            self.node("Transpose", self.reshape(part, 0, 0, self._heads, width), perm=perm)
            for part, perm in zip(
                self.split(parts, [self._width] * 3, axis=-1),
                ([0, 2, 1, 3], [0, 2, 3, 1], [0, 2, 1, 3]),
                strict=True,
            )
        )
        scores = self.node("Mul", self.node("MatMul", asked, keys), self.value(width**-0.5))
        weights = self.node("Softmax", self.node("Add", scores, bias), axis=-1)
        context = self.node("Transpose", self.node("MatMul", weights, values), perm=[0, 2, 1, 3])
        return self.reshape(context, 0, 0, self._width)

    def _normalised(self, states: str, name: str) -> str:
        weight, added = (self.value(self.tensor(f"{name}.{part}")) for part in ("weight", "bias"))
        return self.node("LayerNormalization", states, weight, added, axis=-1, epsilon=self._epsilon)

"""Writes a BERT that embeds, a GGUF file, once again as an ONNX graph whose matrices have 8 bits.

ONNX Runtime multiplies bytes about twice as fast as llama.cpp its blocks of four bits, where the processor has
instructions for it (VNNI). Matrices have a scale for each column; what they are multiplied with is rounded while the
graph runs, each token by a scale of its own, so that a text's vector does not depend on which others share its batch.
Attention, normalisation and GELU stay in floats. The graph takes tokens (texts × length), their places (length) and a
mask (texts × length, 1 where a token is), and gives the mean of each text's last states.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import gguf
import numpy as np
from numpy.typing import NDArray

VERSION = 1
"""Of how this module rounds: vectors of another version are not compared with these."""

OPSET = 20
LEVELS = 127
TABLE_BLOCKS = 64
MASKED = -1e4
"""Added to the score of what is no token."""

Floats = NDArray[np.float32]


def write_int8(source: Path, target: Path) -> None:
    """Write the graph of a GGUF file; takes some seconds.

    Raises:
        ValueError: the file holds no BERT whose states are averaged.
    """
    import onnx  # noqa: PLC0415 - of an extra

    reader = gguf.GGUFReader(source)
    architecture = reader.fields["general.architecture"].contents()
    if architecture != "bert":
        raise ValueError(f"{source.name} is no BERT but {architecture}")
    partial = target.with_suffix(f".{os.getpid()}.partial")
    try:
        onnx.save(_Bert(reader).model(), partial)
        partial.replace(target)
    finally:
        partial.unlink(missing_ok=True)


class _Bert:
    """Builds the graph, a node at a time; what a method returns is the name of a node's output."""

    def __init__(self, reader: gguf.GGUFReader) -> None:
        self._tensors = {tensor.name: tensor for tensor in reader.tensors}
        fields = reader.fields
        self._layers = int(fields["bert.block_count"].contents())
        self._heads = int(fields["bert.attention.head_count"].contents())
        self._epsilon = float(fields["bert.attention.layer_norm_epsilon"].contents())
        self._width = len(self._tensor("token_embd_norm.weight"))
        self._nodes: list[Any] = []
        self._values: dict[str, Any] = {}

    def _tensor(self, name: str) -> Floats:
        tensor = self._tensors[name]
        return _floats(tensor.data, tensor.tensor_type)

    def model(self) -> Any:
        """Return the whole graph as a model."""
        from onnx import TensorProto, helper, numpy_helper  # noqa: PLC0415

        bias = self._unmasked()
        states = self._tokens()
        for layer in range(self._layers):
            states = self._layer(states, f"blk.{layer}.", bias)
        self._mean(states)
        inputs = [
            helper.make_tensor_value_info("tokens", TensorProto.INT64, ["texts", "length"]),
            helper.make_tensor_value_info("places", TensorProto.INT64, ["length"]),
            helper.make_tensor_value_info("mask", TensorProto.FLOAT, ["texts", "length"]),
        ]
        outputs = [helper.make_tensor_value_info("vectors", TensorProto.FLOAT, ["texts", self._width])]
        values = [numpy_helper.from_array(value, name) for name, value in self._values.items()]
        graph = helper.make_graph(self._nodes, "bert", inputs, outputs, values)
        return helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=10)

    def _node(self, kind: str, *inputs: str, output: str = "", **attributes: Any) -> str:
        from onnx import helper  # noqa: PLC0415

        output = output or f"node{len(self._nodes)}"
        self._nodes.append(helper.make_node(kind, list(inputs), [output], **attributes))
        return output

    def _value(self, value: Any, kind: type = np.float32) -> str:
        name = f"value{len(self._values)}"
        self._values[name] = np.ascontiguousarray(value, kind)
        return name

    def _cast(self, name: str, kind: str) -> str:
        from onnx import TensorProto  # noqa: PLC0415

        return self._node("Cast", name, to=getattr(TensorProto, kind))

    def _tokens(self) -> str:
        stored = self._tensors["token_embd.weight"]
        blocks = np.array_split(stored.data, TABLE_BLOCKS)  # in floats it takes half a gigabyte
        parts = [_in_bytes(_floats(block, stored.tensor_type), axis=1) for block in blocks]
        table, scales = (np.concatenate(part) for part in zip(*parts, strict=True))
        rows = self._cast(self._node("Gather", self._value(table, np.int8), "tokens"), "FLOAT")
        states = self._node("Mul", rows, self._node("Gather", self._value(scales), "tokens"))
        places = self._tensor("position_embd.weight") + self._tensor("token_types.weight")[0]
        states = self._node("Add", states, self._node("Gather", self._value(places), "places"))
        return self._normalised(states, "token_embd_norm")

    def _unmasked(self) -> str:
        bias = self._node("Mul", self._node("Sub", self._value(1), "mask"), self._value(MASKED))
        return self._node("Unsqueeze", bias, self._value([1, 2], np.int64))

    def _layer(self, states: str, layer: str, bias: str) -> str:
        context = self._attention(states, layer, bias)
        states = self._normalised(
            self._node("Add", self._linear(context, layer + "attn_output"), states), layer + "attn_output_norm"
        )
        inner = self._node("Gelu", self._linear(states, layer + "ffn_up"))
        return self._normalised(
            self._node("Add", self._linear(inner, layer + "ffn_down"), states), layer + "layer_output_norm"
        )

    def _attention(self, states: str, layer: str, bias: str) -> str:
        width = self._width // self._heads
        into_heads = self._value([0, 0, self._heads, width], np.int64)
        parts = self._linear(states, *(f"{layer}attn_{part}" for part in "qkv"))
        asked, keys, values = (f"{layer}{part}" for part in ("asked", "keys", "values"))
        self._split(parts, asked, keys, values)
        asked = self._node("Transpose", self._node("Reshape", asked, into_heads), perm=[0, 2, 1, 3])
        keys = self._node("Transpose", self._node("Reshape", keys, into_heads), perm=[0, 2, 3, 1])
        values = self._node("Transpose", self._node("Reshape", values, into_heads), perm=[0, 2, 1, 3])
        scores = self._node("Mul", self._node("MatMul", asked, keys), self._value(width**-0.5))
        weights = self._node("Softmax", self._node("Add", scores, bias), axis=-1)
        context = self._node("Transpose", self._node("MatMul", weights, values), perm=[0, 2, 1, 3])
        return self._node("Reshape", context, self._value([0, 0, self._width], np.int64))

    def _split(self, name: str, *outputs: str) -> None:
        from onnx import helper  # noqa: PLC0415

        self._nodes.append(helper.make_node("Split", [name], list(outputs), axis=-1, num_outputs=len(outputs)))

    def _linear(self, states: str, *names: str) -> str:
        """Multiply by matrices side by side, in bytes, and add what they add."""
        matrix, scales = _in_bytes(np.concatenate([self._tensor(f"{name}.weight").T for name in names], axis=1), axis=0)
        added = np.concatenate([self._tensor(f"{name}.bias") for name in names])
        largest = self._node(
            "ReduceMax", self._node("Abs", states), self._value([-1], np.int64), keepdims=1
        )  # of each token
        scale = self._node("Div", self._node("Add", largest, self._value(1e-12)), self._value(LEVELS))
        moved = self._node("Add", self._node("Div", states, scale), self._value(LEVELS + 1.5))  # cut off, so rounded
        product = self._node(
            "MatMulInteger",
            self._cast(moved, "UINT8"),
            self._value(matrix, np.int8),
            self._value(LEVELS + 1, np.uint8),
        )
        # by columns first: ONNX Runtime would take a product of both scales for one scale of all tokens
        product = self._node("Mul", self._cast(product, "FLOAT"), self._value(scales[0]))
        return self._node("Add", self._node("Mul", product, scale), self._value(added))

    def _normalised(self, states: str, name: str) -> str:
        weight, added = (self._value(self._tensor(f"{name}.{part}")) for part in ("weight", "bias"))
        return self._node("LayerNormalization", states, weight, added, axis=-1, epsilon=self._epsilon)

    def _mean(self, states: str) -> None:
        along = self._value([1], np.int64)
        mask = self._node("Unsqueeze", "mask", self._value([2], np.int64))
        total = self._node("ReduceSum", self._node("Mul", states, mask), along, keepdims=0)
        self._node("Div", total, self._node("ReduceSum", "mask", along, keepdims=1), output="vectors")


def _floats(data: NDArray[Any], kind: gguf.GGMLQuantizationType) -> Floats:
    return np.array(gguf.quants.dequantize(data, kind), np.float32)


def _in_bytes(matrix: Floats, axis: int) -> tuple[NDArray[np.int8], Floats]:
    """Return a matrix in bytes and its scales, one for all that lie along the axis; the matrix given is used up."""
    scales = np.maximum(np.maximum(matrix.max(axis, keepdims=True), -matrix.min(axis, keepdims=True)), 1e-12) / LEVELS
    matrix /= scales
    np.round(matrix, out=matrix)
    return matrix.astype(np.int8), scales

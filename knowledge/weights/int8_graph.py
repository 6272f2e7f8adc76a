"""Builds an ONNX graph whose matrices have 8 bits, a node at a time.

Matrices have a scale for each column; what they are multiplied with is rounded while the graph runs, each token by a
scale of its own, so that a text's vector does not depend on which others share its batch. All else stays in floats.
A graph takes tokens (texts × length), their places (length) and a mask (texts × length, 1 where a token is), and gives
the vectors (texts × width). What a method returns is the name of a node's output.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import gguf
import numpy as np
from numpy.typing import NDArray

OPSET = 20
PAGE = 4_096
"""Bytes. What is smaller stands in the graph, which may depend on it; what lies beside it begins with a page."""

LEVELS = 127
TABLE_BLOCKS = 64
MASKED = -1e4
"""Added to the score of what is no token."""

Floats = NDArray[np.float32]


class Int8Graph:
    """A graph of a GGUF file's tensors."""

    def __init__(self, reader: gguf.GGUFReader, architecture: str) -> None:
        """Start with no node."""
        self._tensors = {tensor.name: tensor for tensor in reader.tensors}
        self._fields, self._architecture = reader.fields, architecture
        self._nodes: list[Any] = []
        self._values: dict[str, NDArray[Any]] = {}

    def field(self, name: str) -> Any:
        """Return a field of the file's, named without its architecture."""
        return self._fields[f"{self._architecture}.{name}"].contents()

    def tensor(self, name: str) -> Floats:
        """Return a tensor in floats."""
        tensor = self._tensors[name]
        return _floats(tensor.data, tensor.tensor_type)

    def write(self, path: Path, vectors: str) -> None:
        """Write the graph that gives `vectors`; the matrices lie beside it.

        ONNX Runtime maps these into memory: of the table of tokens only the rows of what was asked are there.
        """
        import onnx  # noqa: PLC0415 - of an extra

        beside = path.with_suffix(".weights")
        with _replacing(beside) as partial, partial.open("wb") as file:
            for value in self._values.values():
                if value.nbytes >= PAGE:
                    file.write(bytes(-file.tell() % PAGE))
                    value.tofile(file)
        with _replacing(path) as partial:
            onnx.save(self._model(vectors, beside.name), partial)

    def _model(self, vectors: str, beside: str) -> Any:
        from onnx import TensorProto, helper  # noqa: PLC0415

        self.node("Identity", vectors, output="vectors")
        inputs = [
            helper.make_tensor_value_info("tokens", TensorProto.INT64, ["texts", "length"]),
            helper.make_tensor_value_info("places", TensorProto.INT64, ["length"]),
            helper.make_tensor_value_info("mask", TensorProto.FLOAT, ["texts", "length"]),
        ]
        outputs = [helper.make_tensor_value_info("vectors", TensorProto.FLOAT, ["texts", "width"])]
        values = self._described(beside)
        graph = helper.make_graph(self._nodes, self._architecture, inputs, outputs, values)
        return helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=10)

    def _described(self, beside: str) -> list[Any]:
        """Return each constant, or where it lies in the file beside the graph."""
        from onnx import TensorProto, helper, numpy_helper  # noqa: PLC0415

        described, end = [], 0
        for name, value in self._values.items():
            if value.nbytes < PAGE:
                described.append(numpy_helper.from_array(value, name))
                continue
            offset = end + -end % PAGE
            end = offset + value.nbytes
            kind = helper.np_dtype_to_tensor_dtype(value.dtype)
            tensor = TensorProto(name=name, dims=value.shape, data_type=kind, data_location=TensorProto.EXTERNAL)
            for key, entry in (("location", beside), ("offset", str(offset)), ("length", str(value.nbytes))):
                tensor.external_data.add(key=key, value=entry)
            described.append(tensor)
        return described

    def node(self, kind: str, *inputs: str, output: str = "", **attributes: Any) -> str:
        """Add an operator."""
        [output] = self.nodes(kind, *inputs, outputs=[output or f"node{len(self._nodes)}"], **attributes)
        return output

    def nodes(self, kind: str, *inputs: str, outputs: list[str], **attributes: Any) -> list[str]:
        """Add an operator of several outputs."""
        from onnx import helper  # noqa: PLC0415

        self._nodes.append(helper.make_node(kind, list(inputs), outputs, **attributes))
        return outputs

    def split(self, name: str, sizes: list[int], axis: int) -> list[str]:
        """Cut into parts of so many along an axis."""
        outputs = [f"node{len(self._nodes)}.{part}" for part in range(len(sizes))]
        return self.nodes("Split", name, self.value(sizes, np.int64), outputs=outputs, axis=axis)

    def value(self, value: Any, kind: type = np.float32) -> str:
        """Add a constant."""
        name = f"value{len(self._values)}"
        self._values[name] = np.ascontiguousarray(value, kind)
        return name

    def cast(self, name: str, kind: str) -> str:
        """Change the type of numbers."""
        from onnx import TensorProto  # noqa: PLC0415

        return self.node("Cast", name, to=getattr(TensorProto, kind))

    def reshape(self, name: str, *shape: int) -> str:
        """Lay out anew; 0 keeps what is there."""
        return self.node("Reshape", name, self.value(shape, np.int64))

    def rows_of_tokens(self, name: str) -> str:
        """Look tokens up in their table."""
        stored = self._tensors[name]
        tokens = int(stored.shape[1])
        table, scales = np.empty((tokens, int(stored.shape[0])), np.int8), np.empty((tokens, 1), np.float32)
        for some in np.array_split(np.arange(tokens), TABLE_BLOCKS):  # in floats all take half a gigabyte and more
            here = slice(some[0], some[-1] + 1)
            table[here], scales[here] = _in_bytes(_floats(stored.data[here], stored.tensor_type), axis=1)
        rows = self.cast(self.node("Gather", self.value(table, np.int8), "tokens"), "FLOAT")
        return self.node("Mul", rows, self.node("Gather", self.value(scales), "tokens"))

    def unmasked(self) -> str:
        """Return what is added to scores of attention (texts × heads × length × length): little to what is no token."""
        bias = self.node("Mul", self.node("Sub", self.value(1), "mask"), self.value(MASKED))
        return self.node("Unsqueeze", bias, self.value([1, 2], np.int64))

    def linear(self, states: str, *names: str) -> str:
        """Multiply by matrices side by side, in bytes, and add what they add."""
        matrix, scales = _in_bytes(np.concatenate([self.tensor(f"{name}.weight").T for name in names], axis=1), axis=0)
        largest = self.node(
            "ReduceMax", self.node("Abs", states), self.value([-1], np.int64), keepdims=1
        )  # of each token
        scale = self.node("Div", self.node("Add", largest, self.value(1e-12)), self.value(LEVELS))
        moved = self.node("Add", self.node("Div", states, scale), self.value(LEVELS + 1.5))  # cut off, so rounded
        product = self.node(
            "MatMulInteger",
            self.cast(moved, "UINT8"),
            self.value(matrix, np.int8),
            self.value(LEVELS + 1, np.uint8),
        )
        # by columns first: ONNX Runtime would take a product of both scales for one scale of all tokens
        product = self.node("Mul", self.cast(product, "FLOAT"), self.value(scales[0]))
        product = self.node("Mul", product, scale)
        if f"{names[0]}.bias" not in self._tensors:
            return product
        return self.node("Add", product, self.value(np.concatenate([self.tensor(f"{name}.bias") for name in names])))

    def mean(self, states: str) -> str:
        """Take the mean of each text's states."""
        along = self.value([1], np.int64)
        mask = self.node("Unsqueeze", "mask", self.value([2], np.int64))
        total = self.node("ReduceSum", self.node("Mul", states, mask), along, keepdims=0)
        return self.node("Div", total, self.node("ReduceSum", "mask", along, keepdims=1))


@contextmanager
def _replacing(path: Path) -> Iterator[Path]:
    """Give another name to write to, which becomes `path` once all is there."""
    partial = path.with_suffix(f"{path.suffix}.{os.getpid()}.partial")
    try:
        yield partial
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)


def _floats(data: NDArray[Any], kind: gguf.GGMLQuantizationType) -> Floats:
    return np.array(gguf.quants.dequantize(data, kind), np.float32)


def _in_bytes(matrix: Floats, axis: int) -> tuple[NDArray[np.int8], Floats]:
    """Return a matrix in bytes and its scales, one for all that lie along the axis; the matrix given is used up."""
    scales = np.maximum(np.maximum(matrix.max(axis, keepdims=True), -matrix.min(axis, keepdims=True)), 1e-12) / LEVELS
    matrix /= scales
    np.round(matrix, out=matrix)
    return matrix.astype(np.int8), scales

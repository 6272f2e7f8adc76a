"""Writes a model that embeds, a GGUF file, once again as an ONNX graph whose matrices have 8 bits.

ONNX Runtime multiplies bytes two to four times as fast as llama.cpp its blocks, where the processor has instructions
for it (VNNI).
"""

from __future__ import annotations

from pathlib import Path

import gguf

from knowledge.weights.int8_bert import BertGraph
from knowledge.weights.int8_gemma import GemmaGraph

VERSION = 1
"""Of how these graphs round: vectors of another version are not compared with these."""

GRAPHS: dict[str, type[BertGraph] | type[GemmaGraph]] = {"bert": BertGraph, "gemma-embedding": GemmaGraph}


def write_int8(source: Path, target: Path) -> None:
    """Write the graph of a GGUF file; takes some seconds.

    Raises:
        ValueError: the file holds no model of these kinds.
    """
    reader = gguf.GGUFReader(source)
    architecture = reader.fields["general.architecture"].contents()
    if architecture not in GRAPHS:
        raise ValueError(f"{source.name} is of another kind: {architecture}")
    graph = GRAPHS[architecture](reader)
    graph.write(target, graph.build())

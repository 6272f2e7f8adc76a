"""The vectors that tests/knowledge/weights/test_gemma_gguf.py holds llama.cpp to are those of transformers itself."""

from __future__ import annotations

import numpy as np
import torch
from transformers import Gemma3TextConfig, Gemma3TextModel

from tests.knowledge.weights import gemma


def vectors() -> np.ndarray:
    """Embed the texts with the library that the model is published for."""
    config = Gemma3TextConfig(**{name: value for name, value in gemma.CONFIG.items() if name != "architectures"})
    model = Gemma3TextModel(config).eval()
    weights = {name: torch.from_numpy(value) for name, value in gemma.tensors().items()}
    assert model.load_state_dict(weights, strict=False).missing_keys == []
    found = []
    with torch.no_grad():
        for text in gemma.TEXTS:
            states = model(input_ids=torch.tensor([gemma.tokens(text)])).last_hidden_state[0]
            vector = states.mean(0).numpy()
            for matrix in gemma.dense():
                vector = matrix @ vector
            found.append(vector / np.linalg.norm(vector))
    return np.array(found)


def test_the_vectors_are_those_of_transformers() -> None:
    np.testing.assert_allclose(vectors()[:, :8], gemma.VECTORS, atol=1e-4)

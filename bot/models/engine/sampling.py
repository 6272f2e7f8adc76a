"""Choosing tokens from logits, for all rows of a step together."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

CANDIDATES = 40
"""Sampling looks at the likeliest only: with 150,000 tokens to a vocabulary, top-p alone would take 11 ms a token."""

BLOCK = 128


def greedy(logits: NDArray[np.float32]) -> list[int]:
    """Return the likeliest token of each row."""
    chosen: list[int] = logits.argmax(axis=1).tolist()
    return chosen


def sample(row: NDArray[np.float32], temperature: float, top_p: float, random: np.random.Generator) -> int:
    """Draw a token of one row: the likeliest 40, of these the fewest that have `top_p` of the probability together."""
    tokens = likeliest(row, CANDIDATES)
    scores = row[tokens].astype(np.float64)
    weights = np.exp(scores - scores[0])
    before = np.concatenate(([0.0], np.cumsum(weights)[:-1])) / weights.sum()
    kept = before < top_p
    kept[0] = True
    weights = np.exp((scores - scores[0]) / temperature)[kept]
    drawn = random.random() * weights.sum()  # nosec B311 - a word, not a secret
    return int(tokens[np.searchsorted(np.cumsum(weights), drawn, side="right")])


def likeliest(row: NDArray[np.float32], count: int) -> NDArray[np.int64]:
    """Return the tokens with the highest logits, best first.

    They are in those blocks whose highest is highest: so only the blocks' highest and a few blocks are sorted.
    """
    whole = len(row) // BLOCK * BLOCK
    blocks = row[:whole].reshape(-1, BLOCK)
    heads = blocks.max(axis=1)
    best = np.argpartition(heads, -count)[-count:] if len(heads) > count else np.arange(len(heads))
    within = (best[:, None] * BLOCK + np.arange(BLOCK)).ravel()
    candidates = np.concatenate((within, np.arange(whole, len(row))))
    order = np.argsort(-row[candidates], kind="stable")[:count]
    tokens: NDArray[np.int64] = candidates[order]
    return tokens


def log_probabilities(logits: NDArray[np.float32], tokens: list[int]) -> list[float]:
    """Return how likely each row thought its token, as natural logarithms."""
    found = []
    scratch = np.empty(logits.shape[1], np.float32)
    for row, token in zip(logits, tokens, strict=True):
        highest = row.max()
        np.subtract(row, highest, out=scratch)
        np.exp(scratch, out=scratch)
        found.append(float(row[token] - highest - np.log(scratch.sum(dtype=np.float64))))
    return found

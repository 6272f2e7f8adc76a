from __future__ import annotations

import numpy as np
import pytest

from knowledge.clustering import cluster
from knowledge.embedding.base import Vectors, to_unit


def at_angles(*degrees: float) -> Vectors:
    radians = np.radians(degrees)
    return np.stack([np.cos(radians), np.sin(radians)], axis=1).astype(np.float32)


def groups_of(vectors: Vectors, similarity: float) -> list[list[int]]:
    return sorted(sorted(group) for group in cluster(vectors, similarity))


def one_after_the_other(vectors: Vectors, similarity: float) -> list[list[int]]:
    """Join the two nearest groups again and again: average linkage as it is defined."""
    groups = [[number] for number in range(len(vectors))]
    cosines = vectors @ vectors.T

    def nearness(pair: tuple[int, int]) -> float:
        return float(cosines[np.ix_(groups[pair[0]], groups[pair[1]])].mean())

    while len(groups) > 1:
        first, second = max(
            ((one, other) for other in range(len(groups)) for one in range(other)),
            key=nearness,
        )
        if nearness((first, second)) < similarity:
            break
        groups[first] += groups.pop(second)
    return sorted(sorted(group) for group in groups)


def test_what_points_the_same_way_is_one_group() -> None:
    assert groups_of(at_angles(0, 90, 5, 95, 10, 200), 0.9) == [[0, 2, 4], [1, 3], [5]]


def test_a_chain_of_neighbours_is_not_one_group() -> None:
    assert groups_of(at_angles(0, 25, 50, 75), 0.88) == [[0, 1], [2, 3]]


@pytest.mark.parametrize("similarity", [0.0, 0.2, 0.4])
def test_groups_are_those_of_average_linkage(similarity: float) -> None:
    vectors = to_unit(np.random.default_rng(7).normal(size=(40, 6)).astype(np.float32))
    assert groups_of(vectors, similarity) == one_after_the_other(vectors, similarity)


def test_the_same_vector_many_times_is_one_group() -> None:
    assert groups_of(at_angles(*[30] * 7), 0.99) == [list(range(7))]


def test_without_a_model_everything_stands_alone() -> None:
    assert groups_of(np.zeros((3, 1), dtype=np.float32), 0.1) == [[0], [1], [2]]


@pytest.mark.parametrize("count", [0, 1])
def test_too_few_to_be_grouped(count: int) -> None:
    assert cluster(at_angles(*[0] * count), 0.5) == [[0]][:count]

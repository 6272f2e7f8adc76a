from __future__ import annotations

import pytest

from knowledge.embedding import choosing
from knowledge.embedding.choosing import ROOM, chosen_model, models_for_this_machine
from knowledge.weights.catalogue import AUTOMATIC, LARGE_EMBEDDING, SMALL_EMBEDDING, find_record
from knowledge.weights.library import ModelLibrary

BOTH = (LARGE_EMBEDDING, SMALL_EMBEDDING)


def bring(models: ModelLibrary, name: str) -> None:
    record = find_record(name)
    models.folder.mkdir(exist_ok=True)
    with (models.folder / record.file).open("wb") as file:
        file.truncate(record.size)  # a hole: it takes no room


@pytest.fixture
def large_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(choosing, "is_possible", lambda: True)
    monkeypatch.setattr(choosing, "available_memory", lambda: ROOM)


@pytest.mark.parametrize(
    ("possible", "memory", "in_eight_bits", "names"),
    [
        (True, ROOM, True, BOTH),
        (True, ROOM - 1, True, BOTH[1:]),
        (True, 0, True, BOTH[1:]),
        (False, ROOM, True, BOTH[1:]),
        (True, ROOM, False, BOTH[1:]),
    ],
)
def test_the_large_model_is_for_machines_that_run_it_fast(
    monkeypatch: pytest.MonkeyPatch, possible: bool, memory: int, in_eight_bits: bool, names: tuple[str, ...]
) -> None:
    monkeypatch.setattr(choosing, "is_possible", lambda: possible)
    monkeypatch.setattr(choosing, "available_memory", lambda: memory)
    assert models_for_this_machine(in_eight_bits=in_eight_bits) == names


@pytest.mark.usefixtures("large_machine")
@pytest.mark.parametrize(
    ("here", "chosen"),
    [
        ((), LARGE_EMBEDDING),
        ((SMALL_EMBEDDING,), SMALL_EMBEDDING),
        (BOTH, LARGE_EMBEDDING),
        (("embeddinggemma-300m-relaid-q8_0", SMALL_EMBEDDING), LARGE_EMBEDDING),  # its fallback
    ],
)
def test_auto_is_the_best_one_that_is_here(models: ModelLibrary, here: tuple[str, ...], chosen: str) -> None:
    for name in here:
        bring(models, name)
    assert chosen_model(AUTOMATIC, models) == chosen


def test_the_large_model_is_better_than_none_on_any_machine(
    models: ModelLibrary, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(choosing, "is_possible", lambda: False)
    assert chosen_model(AUTOMATIC, models) == SMALL_EMBEDDING
    bring(models, LARGE_EMBEDDING)
    assert chosen_model(AUTOMATIC, models) == LARGE_EMBEDDING


@pytest.mark.usefixtures("large_machine")
def test_a_name_stands_for_itself(models: ModelLibrary) -> None:
    assert chosen_model(SMALL_EMBEDDING, models) == SMALL_EMBEDDING
    assert chosen_model("openai:text-embedding-3-small", models) == "openai:text-embedding-3-small"

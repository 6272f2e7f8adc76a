from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from bot.assembly import chat_weights, make_local_model, model_library
from bot.models.local import LocalChatModel
from bot.settings import load_settings
from knowledge.errors import NotEnoughSpace
from knowledge.weights.download import Progress
from knowledge.weights.library import Weights
from tests.conftest import MODELS


@pytest.mark.parametrize(("memory", "kept"), [(0, 200 << 20), (64 << 30, 200 << 20), (1 << 30, 128 << 20)])
def test_states_get_an_eighth_of_a_small_machines_memory(
    monkeypatch: pytest.MonkeyPatch, memory: int, kept: int
) -> None:
    monkeypatch.setattr("bot.assembly.available_memory", lambda: memory)
    model = make_local_model(load_settings(models_dir=str(MODELS), models={"prefix_cache_mb": 200}))
    assert isinstance(model, LocalChatModel)
    assert model._options.state_bytes == kept


def test_a_model_in_its_faster_form_keeps_its_name(monkeypatch: pytest.MonkeyPatch) -> None:
    def faster(weights: Weights, folder: Path, *, progress: Progress) -> Weights:
        progress("mine-as-fast", 1, 2)
        return Weights(replace(weights.record, name="mine-as-fast"), folder / "mine-as-fast.gguf")

    monkeypatch.setattr("bot.assembly.faster", faster)
    settings = load_settings(models_dir=str(MODELS))
    given, fast = model_library(settings).find(settings.models.chat, "chat"), chat_weights(settings)
    assert (fast.record, fast.path) == (given.record, MODELS / "mine-as-fast.gguf")


def test_a_model_that_cannot_be_made_faster_is_taken_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    def faster(*_: object, **__: object) -> Weights:
        raise NotEnoughSpace("the disk is full")

    monkeypatch.setattr("bot.assembly.faster", faster)
    settings = load_settings(models_dir=str(MODELS))
    assert chat_weights(settings) == model_library(settings).find(settings.models.chat, "chat")

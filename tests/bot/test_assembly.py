from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from bot.assembly import chat_weights, make_embedder, make_local_model, model_library
from bot.models.local import LocalChatModel
from bot.settings import load_settings
from knowledge.embedding.gguf import GgufEmbedder
from knowledge.embedding.int8 import Int8Embedder
from knowledge.errors import ModelUnavailable, NotEnoughSpace
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


@pytest.mark.parametrize(("fast", "kind"), [(True, Int8Embedder), (False, GgufEmbedder)])
def test_the_embedder_has_eight_bits_where_that_is_faster(
    monkeypatch: pytest.MonkeyPatch, *, fast: bool, kind: type[GgufEmbedder]
) -> None:
    monkeypatch.setattr("bot.assembly.can_run_int8", lambda _weights: True)
    monkeypatch.setattr(Int8Embedder, "write", lambda _self: Path("mine.onnx"))
    assert type(make_embedder(load_settings(models_dir=str(MODELS), models={"fast_weights": fast}))) is kind


def test_an_embedder_that_cannot_be_made_faster_is_taken_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    def write(_self: Int8Embedder) -> Path:
        raise ModelUnavailable("the disk is full")

    monkeypatch.setattr("bot.assembly.can_run_int8", lambda _weights: True)
    monkeypatch.setattr(Int8Embedder, "write", write)
    assert type(make_embedder(load_settings(models_dir=str(MODELS)))) is GgufEmbedder

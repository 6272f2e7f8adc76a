from __future__ import annotations

import asyncio

import numpy as np
import pytest

from bot.errors import ModelBusy
from bot.models.base import Sampling
from bot.ray import replicas
from bot.ray.replicas import Busy, ChatReplica, EmbedderReplica, Ended, Failed, Taken
from bot.settings import load_settings
from knowledge.errors import ModelError, ModelUnavailable
from tests.bot.fakes import ScriptedModel
from tests.bot.models.contract import PROMPT
from tests.knowledge.fakes import HashEmbedder


def replica_of(model: ScriptedModel | None, monkeypatch: pytest.MonkeyPatch) -> ChatReplica:
    monkeypatch.setattr(replicas, "_settings_here", load_settings)
    monkeypatch.setattr(replicas, "make_local_model", lambda _settings: model)
    return ChatReplica()


async def test_an_answer_is_taken_told_and_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    model = ScriptedModel("你", "好")
    replica = replica_of(model, monkeypatch)
    taken, *pieces, ended = [item async for item in replica.generate(PROMPT, Sampling())]
    assert replica.describe() == "scripted"
    assert isinstance(taken, Taken)
    assert pieces == ["你", "好"]
    assert ended == Ended(model.generations[0].usage, "stop")


async def test_a_full_queue_and_a_failure_are_values(monkeypatch: pytest.MonkeyPatch) -> None:
    busy = replica_of(ScriptedModel(busy=ModelBusy(3, 2)), monkeypatch)
    assert [item async for item in busy.generate(PROMPT, Sampling())] == [Busy(3, 2)]
    failing = replica_of(ScriptedModel("你", ModelError("out of order")), monkeypatch)
    *_, piece, failed = [item async for item in failing.generate(PROMPT, Sampling())]
    assert (piece, failed) == ("你", Failed("out of order"))


async def test_whoever_leaves_frees_the_model(monkeypatch: pytest.MonkeyPatch) -> None:
    model = ScriptedModel("你", asyncio.Event())
    items = replica_of(model, monkeypatch).generate(PROMPT, Sampling())
    await anext(items)
    assert await anext(items) == "你"
    await items.aclose()
    assert model.generations[0].closed.is_set()


def test_no_model_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ModelUnavailable, match=r"models\.chat"):
        replica_of(None, monkeypatch)


async def test_texts_are_embedded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(replicas, "_settings_here", load_settings)
    monkeypatch.setattr(replicas, "make_embedder", lambda _settings: HashEmbedder())
    replica = EmbedderReplica()
    assert replica.describe() == ("pairs of characters", "hash")
    for embed in (replica.embed_queries, replica.embed_passages):
        assert np.array_equal(await embed(["a b"]), HashEmbedder().embed_queries(["a b"]))

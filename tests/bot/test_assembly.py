from __future__ import annotations

import pytest

from bot.assembly import make_local_model
from bot.models.local import LocalChatModel
from bot.settings import load_settings
from tests.conftest import MODELS


@pytest.mark.parametrize(("memory", "kept"), [(0, 200 << 20), (64 << 30, 200 << 20), (1 << 30, 128 << 20)])
def test_states_get_an_eighth_of_a_small_machines_memory(
    monkeypatch: pytest.MonkeyPatch, memory: int, kept: int
) -> None:
    monkeypatch.setattr("bot.assembly.available_memory", lambda: memory)
    model = make_local_model(load_settings(models_dir=str(MODELS), models={"prefix_cache_mb": 200}))
    assert isinstance(model, LocalChatModel)
    assert model._options.state_bytes == kept

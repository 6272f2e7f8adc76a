"""The stand-in that other tests rely on keeps the contract too."""

from __future__ import annotations

import pytest

from tests.bot.fakes import ScriptedModel
from tests.bot.models.contract import ChatModelContract


class TestScriptedModel(ChatModelContract):
    @pytest.fixture
    def model(self) -> ScriptedModel:
        return ScriptedModel("你", "好")

"""A channel's message is answered once, whatever becomes of the program meanwhile."""

from __future__ import annotations

import signal
import time
from pathlib import Path

import pytest

from tests.bot.servers import serving
from tests.connectors.platforms import wecom
from tests.connectors.platforms.misbehaviour import down
from tests.connectors.platforms.wecom import FakeWecom
from tests.scenarios.conftest import served

NO_MODELS = {"FRONTDESK_MODELS__CHAT": "", "FRONTDESK_MODELS__EMBEDDING": "none.gguf"}


def channel(api: str) -> dict[str, str]:
    values = {
        "CORP_ID": wecom.CORP,
        "AGENT_ID": str(wecom.AGENT),
        "SECRET": wecom.SECRET,
        "TOKEN": wecom.TOKEN,
        "AES_KEY": wecom.AES_KEY,
        "API": api,
    }
    return {f"FRONTDESK_CHANNELS__WECOM__{name}": value for name, value in values.items()}


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM], ids=["killed", "stopped"])
def test_what_was_acknowledged_is_answered_once_after_the_restart(home: Path, how: signal.Signals) -> None:
    fake = FakeWecom()
    with serving(fake.app()) as api:
        settings = {**NO_MODELS, **channel(api)}
        sealed = wecom.seal(fake.message("怎么开发票"))
        fake.script.then(*[down] * 1_000)  # nothing gets out before the end
        with served(home, **settings) as server:
            assert wecom.call_back(f"{server.url}/channels/wecom/callback", *sealed) == [200]
            server.stop(how)
        fake.script.troubles.clear()
        assert fake.sent == []
        with served(home, **settings) as server:
            [answer] = fake.wait_for(1, seconds=60)
            assert "发票" in answer
            assert wecom.call_back(f"{server.url}/channels/wecom/callback", *sealed) == [200]  # WeCom tries again too
            time.sleep(3)
    assert len(fake.sent) == 1

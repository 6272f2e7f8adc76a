"""What a platform says over HTTP, in the terms of connectors."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from bot.errors import SendFailed, SendRefused
from connectors.http import MAX_WAIT_SECONDS, PlatformClient, RequestRefused, retry_after
from tests.bot.servers import serving
from tests.connectors.platforms.misbehaviour import says, too_many
from tests.connectors.platforms.recorder import Recorder


@pytest.fixture
async def platform() -> AsyncIterator[tuple[Recorder, PlatformClient]]:
    recorder = Recorder()
    with serving(recorder.app()) as address:
        client = PlatformClient(address)
        yield recorder, client
        await client.close()


@pytest.mark.parametrize(
    ("said", "understood"),
    [
        ("7", 7.0),
        ("0", 0.0),
        ("99999999999", MAX_WAIT_SECONDS),
        ("9" * 400, MAX_WAIT_SECONDS),
        ("-1", None),
        ("", None),
        ("Wed, 21 Oct 2026 07:28:00 GMT", None),
    ],
)
def test_how_long_a_platform_is_left_alone(said: str, understood: float | None) -> None:
    assert retry_after({"retry-after": said}) == retry_after({"Retry-After": said}) == understood


async def test_too_many_calls_are_made_again_when_the_platform_says(platform: tuple[Recorder, PlatformClient]) -> None:
    recorder, client = platform
    recorder.script.then(too_many(77))
    with pytest.raises(SendFailed) as failed:
        await client.call("POST", "/", json={})
    assert failed.value.retry_after == 77


async def test_what_is_refused_tells_what_was_said(platform: tuple[Recorder, PlatformClient]) -> None:
    recorder, client = platform
    recorder.script.then(says({"code": 7}, 400), says(["?"], 403))
    for status, body in ((400, {"code": 7}), (403, {})):
        with pytest.raises(RequestRefused) as refused:
            await client.call("POST", "/", json={})
        assert isinstance(refused.value, SendRefused)
        assert (refused.value.status, refused.value.body) == (status, body)

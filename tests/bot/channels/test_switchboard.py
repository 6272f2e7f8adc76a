"""All channels together: what does not work is said, by name, from the start."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from sqlalchemy.exc import OperationalError

from bot.channels import dispatch, switchboard
from bot.store.channels import ChannelStore
from tests.bot.fakes import StubKnowledge
from tests.bot.http.conftest import Site
from tests.bot.servers import serving
from tests.connectors.platforms import wecom
from tests.connectors.platforms.recorder import Recorder
from tests.connectors.platforms.wecom_kf import FakeKf
from tests.connectors.test_chatwoot import BOT_TOKEN, OWN_TOKEN, FakeChatwoot


@pytest.fixture
def site(new_url: str) -> Site:
    return Site(new_url, StubKnowledge())


@pytest.fixture(autouse=True)
def _hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(switchboard, "CHECK_DELAYS_SECONDS", (0.05,))
    monkeypatch.setattr(dispatch, "POLL_SECONDS", 0.02)


@pytest.fixture
def apis() -> Iterator[dict[str, str]]:
    with serving(FakeKf().app()) as wecoms, serving(FakeChatwoot().app()) as chatwoots:
        yield {"wecom": wecoms, "chatwoot": chatwoots}


def until_problems(address: str, *expected: str) -> None:
    deadline = time.monotonic() + 20
    while True:
        problems = sorted(httpx.get(f"{address}/readyz").json()["problems"])
        if len(problems) == len(expected) and all(map(str.__contains__, problems, expected)):
            return
        assert time.monotonic() < deadline, problems
        time.sleep(0.05)


def channels(apis: dict[str, str], *, token: str, secret: str) -> dict[str, Any]:
    keys = {"corp_id": wecom.CORP, "token": wecom.TOKEN, "aes_key": wecom.AES_KEY, "api": apis["wecom"]}
    chatwoot = {"url": apis["chatwoot"], "account": 3, "access_token": token, "token": OWN_TOKEN}
    wecoms = {**keys, "secret": secret}
    return {"wecom": {**wecoms, "agent_id": wecom.AGENT}, "wecom_kf": wecoms, "chatwoot": chatwoot}


def test_a_wrong_secret_is_said_before_the_first_customer_comes(site: Site, apis: dict[str, str]) -> None:
    site.settings = {"channels": channels(apis, token="wrong", secret="wrong")}
    with site.served() as address:
        until_problems(
            address,
            "chatwoot: Chatwoot does not take the access token",
            "wecom: WeCom does not know this secret",
            "wecom_kf: WeCom does not know this secret",
        )


def test_what_works_is_no_problem(site: Site, apis: dict[str, str]) -> None:
    site.settings = {"channels": channels(apis, token=BOT_TOKEN, secret=wecom.SECRET)}
    with site.served() as address:
        until_problems(address)


def test_a_channel_is_checked_until_it_works(site: Site, apis: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wecom, "SECRET", "not yet")
    site.settings = {"channels": channels(apis, token=BOT_TOKEN, secret="put right")}
    with site.served() as address:
        until_problems(address, "wecom: ", "wecom_kf: ")
        monkeypatch.setattr(wecom, "SECRET", "put right")
        until_problems(address)


def test_a_database_that_is_away_is_said(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    claim = ChannelStore.claim

    async def away(*_: object) -> Any:
        raise OperationalError("x", {}, Exception("away"))

    with serving(Recorder().app()) as url:
        site.settings = {"channels": {"webhook": {"secret": "a-long-enough-secret", "url": url}}}
        with site.served() as address:
            monkeypatch.setattr(ChannelStore, "claim", away)
            until_problems(address, "what channels receive is not answered")
            monkeypatch.setattr(ChannelStore, "claim", claim)
            until_problems(address)

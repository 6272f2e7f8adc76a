"""A company's WeCom, and a site that it calls."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass

import httpx
import pytest

from tests.bot.http.conftest import Site
from tests.bot.servers import serving
from tests.connectors.platforms import wecom
from tests.connectors.platforms.wecom import FakeWecom


@dataclass
class Company:
    """A company whose people write to the bot."""

    platform: FakeWecom
    site: Site
    address: str = ""

    @property
    def callback(self) -> str:
        return f"{self.address}/channels/wecom/callback"

    def deliver(self, message: dict[str, str]) -> list[int]:
        return wecom.call_back(self.callback, *wecom.seal(message))

    def says(self, text: str, user: str = "zhangsan") -> None:
        assert self.deliver(self.platform.message(text, user)) == [200]

    def hears(self, messages: int = 1) -> list[str]:
        return self.platform.wait_for(messages)

    def owner(self) -> AbstractContextManager[httpx.Client]:
        return self.site.owner(self.address)


def app_settings(api: str) -> dict[str, object]:
    """Return the settings of the app."""
    return {
        "corp_id": wecom.CORP,
        "agent_id": wecom.AGENT,
        "secret": wecom.SECRET,
        "token": wecom.TOKEN,
        "aes_key": wecom.AES_KEY,
        "api": api,
    }


@pytest.fixture
def platform() -> Iterator[tuple[FakeWecom, str]]:
    """Give WeCom and its address."""
    fake = FakeWecom()
    with serving(fake.app()) as address:
        yield fake, address


@pytest.fixture
def prepared(platform: tuple[FakeWecom, str], site: Site) -> Company:
    """Give a company whose site has not started yet."""
    fake, api = platform
    site.settings = {**(site.settings or {}), "channels": {"wecom": app_settings(api)}}
    return Company(fake, site)


@pytest.fixture
def company(prepared: Company) -> Iterator[Company]:
    """Give a company with its site."""
    with prepared.site.served() as prepared.address:
        yield prepared

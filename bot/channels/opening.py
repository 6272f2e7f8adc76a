"""From the settings to channels, and to ways to call people."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

import structlog

from bot.errors import SettingsError
from bot.plugins import open_plugin
from bot.settings import Settings
from bot.store.tables import now
from connectors.base import Connector, HandoffAdapter

log = structlog.get_logger()


@dataclass
class Channel:
    """A connector that is set up, and how it fares."""

    name: str
    kind: str
    bot: str
    connector: Connector
    paths: list[str] = field(default_factory=list)
    worked_at: datetime | None = None
    failure: str | None = None
    answered: int = 0
    failures: int = 0
    elsewhere: bool = False
    """Whether another replica has the one connection that the platform allows."""

    def worked(self) -> None:
        """Note that a message was delivered."""
        self.worked_at, self.failure = now(), None

    def failed(self, failure: str) -> None:
        """Note that one was not."""
        self.failure = failure
        self.failures += 1


def open_channels(settings: Settings) -> tuple[dict[str, Channel], dict[str, str]]:
    """Return the channels that are set up, and for each of the others what is missing."""
    channels: dict[str, Channel] = {}
    problems: dict[str, str] = {}
    for name, values in settings.channels.items():
        try:
            connector: Connector = open_plugin("channels", name, values)
            _check_bot(name, values.bot, settings)
            channels[name] = Channel(name, values.kind or name, values.bot, connector)
        except SettingsError as error:
            problems[name] = str(error)
            log.warning("a channel is not set up", channel=name, problem=str(error))
    return channels, problems


def open_adapters(settings: Settings) -> tuple[dict[str, HandoffAdapter], dict[str, str]]:
    """Return the ways to call people that are set up, and for each of the others what is missing."""
    adapters: dict[str, HandoffAdapter] = {}
    problems: dict[str, str] = {}
    for name, values in settings.people.items():
        try:
            adapters[name] = open_plugin("people", name, values)
        except SettingsError as error:
            problems[name] = str(error)
            log.warning("a way to call people is not set up", name=name, problem=str(error))
    return adapters, problems


def _check_bot(channel: str, bot: str, settings: Settings) -> None:
    if bot and bot not in settings.bots:
        raise SettingsError(f"channels.{channel}.bot: there is no bot {bot!r}, no table [bots.{bot}]")

"""From the settings to connectors and adapters: found by entry points, each with its own typed settings."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from importlib.metadata import EntryPoint, entry_points
from typing import Any

import structlog
from pydantic import ValidationError

from bot.errors import SettingsError
from bot.settings import PluginSettings, Settings
from bot.store.tables import now
from connectors.base import Connector, HandoffAdapter

log = structlog.get_logger()

CONNECTORS, ADAPTERS = "frontdesk.connectors", "frontdesk.people"
"""The groups of entry points that connectors and handoff adapters are found in; see docs/connectors.md."""


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

    def worked(self) -> None:
        """Note that a message was delivered."""
        self.worked_at, self.failure = now(), None

    def failed(self, failure: str) -> None:
        """Note that one was not."""
        self.failure = failure


def kinds_of(group: str) -> dict[str, EntryPoint]:
    """Return what is installed of a group, by the kind that the settings name."""
    return {point.name: point for point in entry_points(group=group)}


def open_channels(settings: Settings) -> tuple[dict[str, Channel], dict[str, str]]:
    """Return the channels that are set up, and for each of the others what is missing."""
    channels: dict[str, Channel] = {}
    problems: dict[str, str] = {}
    for name, values in settings.channels.items():
        try:
            connector: Connector = _open(CONNECTORS, "channels", name, values)
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
            adapters[name] = _open(ADAPTERS, "people", name, values)
        except SettingsError as error:
            problems[name] = str(error)
            log.warning("a way to call people is not set up", name=name, problem=str(error))
    return adapters, problems


def _open(group: str, table: str, name: str, values: PluginSettings) -> Any:
    """Return a connector or an adapter; raises SettingsError, which says what is missing."""
    kinds, kind = kinds_of(group), values.kind or name
    if kind not in kinds:
        raise SettingsError(f"{table}.{name}: there is no kind {kind!r}; installed: {', '.join(sorted(kinds))}")
    try:
        plugin = kinds[kind].load()
    except ImportError as error:
        extras = kinds[kind].extras or [kind]
        install = f"pip install 'frontdesk-bot[{extras[0]}]'"
        raise SettingsError(f"{table}.{name}: {error.name} is not installed; run: {install}") from error
    try:
        return plugin(plugin.Settings(**(values.model_extra or {})))
    except ValidationError as error:
        details = (_describe(f"{table}.{name}", dict(detail)) for detail in error.errors())
        raise SettingsError("; ".join(details)) from error


def _check_bot(channel: str, bot: str, settings: Settings) -> None:
    if bot and bot not in settings.bots:
        raise SettingsError(f"channels.{channel}.bot: there is no bot {bot!r}, no table [bots.{bot}]")


def _describe(plugin: str, detail: Mapping[str, Any]) -> str:
    place = ".".join([plugin, *(str(part) for part in detail["loc"])])
    match detail["type"]:
        case "missing":
            return f"{place} is missing"
        case "extra_forbidden":
            return f"{place} is no setting"
    return f"{place}: {detail['msg'].removeprefix('Value error, ')}"

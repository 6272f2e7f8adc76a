"""From the settings to connectors: found by entry points, each with its own typed settings."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from importlib.metadata import EntryPoint, entry_points
from typing import Any

import structlog
from pydantic import ValidationError

from bot.settings import ChannelSettings, Settings
from bot.store.tables import now
from connectors.base import Connector

log = structlog.get_logger()

GROUP = "frontdesk.connectors"
"""The group of entry points that connectors are found in; see docs/connectors.md."""


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
    failed_at: datetime | None = None

    def worked(self) -> None:
        """Note that a message was delivered."""
        self.worked_at, self.failure, self.failed_at = now(), None, None

    def failed(self, failure: str) -> None:
        """Note that one was not."""
        self.failure, self.failed_at = failure, now()


def connector_kinds() -> dict[str, EntryPoint]:
    """Return the connectors that are installed, by the kind that the settings name."""
    return {point.name: point for point in entry_points(group=GROUP)}


def open_channels(settings: Settings) -> tuple[dict[str, Channel], dict[str, str]]:
    """Return the channels that are set up, and for each of the others what is missing."""
    kinds = connector_kinds()
    channels: dict[str, Channel] = {}
    problems: dict[str, str] = {}
    for name, values in settings.channels.items():
        opened = _open(name, values, kinds, settings.bots)
        if isinstance(opened, str):
            problems[name] = opened
            log.error("a channel is not set up", channel=name, problem=opened)
        else:
            channels[name] = opened
    return channels, problems


def _open(
    name: str, values: ChannelSettings, kinds: Mapping[str, EntryPoint], bots: Mapping[str, object]
) -> Channel | str:
    kind, bot = values.kind or name, values.bot
    if kind not in kinds:
        return f"channels.{name}: there is no connector of kind {kind!r}; installed: {', '.join(sorted(kinds))}"
    if bot and bot not in bots:
        return f"channels.{name}.bot: there is no bot {bot!r}; name it in the settings: [bots.{bot}]"
    try:
        connector_class = kinds[kind].load()
    except ImportError as error:
        extra = kinds[kind].extras or [kind]
        return f"channels.{name}: {error.name} is not installed; run: pip install 'frontdesk-bot[{extra[0]}]'"
    try:
        connector = connector_class(connector_class.Settings(**(values.model_extra or {})))
    except ValidationError as error:
        return "; ".join(_describe(name, dict(detail)) for detail in error.errors())
    return Channel(name, kind, bot, connector)


def _describe(channel: str, detail: Mapping[str, Any]) -> str:
    place = ".".join(["channels", channel, *(str(part) for part in detail["loc"])])
    match detail["type"]:
        case "missing":
            return f"{place} is missing"
        case "extra_forbidden":
            return f"{place} is no setting"
    return f"{place}: {detail['msg'].removeprefix('Value error, ')}"

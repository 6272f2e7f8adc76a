"""Parts that are found by entry points, each with its own typed settings: connectors, adapters, tools."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.metadata import EntryPoint, entry_points
from typing import Any

from pydantic import ValidationError

from bot.errors import SettingsError
from bot.sections import PluginSettings

GROUPS = {"channels": "frontdesk.connectors", "people": "frontdesk.people", "tools": "frontdesk.tools"}
"""By the table of the settings file that sets such a part up: the group of entry points that it is found in."""


def kinds_of(table: str) -> dict[str, EntryPoint]:
    """Return what is installed for a table, by the kind that the settings name."""
    return {point.name: point for point in entry_points(group=GROUPS[table])}


def open_plugin(table: str, name: str, values: PluginSettings) -> Any:
    """Return a part made from its settings; raises SettingsError, which says what is missing."""
    kinds, kind = kinds_of(table), values.kind or name
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


def _describe(plugin: str, detail: Mapping[str, Any]) -> str:
    place = ".".join([plugin, *(str(part) for part in detail["loc"])])
    match detail["type"]:
        case "missing":
            return f"{place} is missing"
        case "extra_forbidden":
            return f"{place} is no setting"
    return f"{place}: {detail['msg'].removeprefix('Value error, ')}"

"""From the settings to actions: one's own, those that come with FrontDesk, and those of an action server."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import structlog

from bot.actions.base import ActionRunner
from bot.actions.remote import RemoteActions, read_endpoint, read_yaml
from bot.actions.running import Actions
from bot.errors import SettingsError
from bot.plugins import open_plugin
from bot.settings import Settings
from bot.store.database import Database
from bot.store.trackers import TrackerStore

if TYPE_CHECKING:
    from rasa_sdk import Action

log = structlog.get_logger()

NO_DOMAIN: dict[str, Any] = {"version": "3.1", "slots": {}, "responses": {}}
"""What actions are given if there is no domain.yml: for an empty one rasa-sdk would give them None."""


def open_actions(settings: Settings, database: Database, problems: list[str]) -> Actions:
    """Return the actions that the settings name; what cannot be had is left out and named among the problems."""
    runners: list[ActionRunner] = []
    domain = NO_DOMAIN
    try:
        if settings.actions.domain is not None:
            domain = read_yaml(settings.actions.domain, "actions.domain")
    except SettingsError as error:
        _note(error, problems)
    try:
        if found := find_actions(settings, problems):
            from bot.actions.local import LocalActions  # noqa: PLC0415 - rasa-sdk is an extra

            runners.append(LocalActions(found))
    except SettingsError as error:
        _note(error, problems)
    try:
        if settings.actions.server:
            runners.append(RemoteActions(read_endpoint(settings.actions.server), settings.actions.timeout_seconds))
    except SettingsError as error:
        _note(error, problems)
    return Actions(runners, TrackerStore(database), domain, settings.actions.timeout_seconds)


def find_actions(settings: Settings, problems: list[str]) -> list[Action | type[Action]]:
    """Return the actions to be run in this process; what cannot be had is named among the problems."""
    found: list[Action | type[Action]] = []
    for name, values in settings.tools.items():
        try:
            found.append(open_plugin("tools", name, values))
        except SettingsError as error:
            _note(error, problems)
    if settings.actions.folder is not None:
        try:
            from bot.actions.local import actions_in  # noqa: PLC0415 - rasa-sdk is an extra

            found += actions_in(settings.actions.folder)
        except ImportError:
            problems.append("actions.folder: rasa-sdk is not installed; run: pip install 'frontdesk-bot[rasa]'")
        except SettingsError as error:
            _note(error, problems)
    return found


def _note(error: SettingsError, problems: list[str]) -> None:
    problems.append(str(error))
    log.warning("actions are missing", problem=str(error))

"""The settings that an owner may change while the bot answers; the rest is for the settings file."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import structlog
from pydantic import SecretStr, ValidationError

from bot.desk import FrontDesk
from bot.errors import SettingFixed, SettingsError
from bot.live import Bell
from bot.sections import Section
from bot.settings import Settings
from bot.store.settings import SettingStore

if TYPE_CHECKING:
    from bot.models.remote import RemoteChatModel

log = structlog.get_logger()

FOLLOW_SECONDS = 5.0
"""So often it is looked what is kept, if nobody says that something was changed."""

EDITABLE: dict[str, tuple[str, ...]] = {
    "bot": (
        *("name", "language", "welcome_zh", "welcome_en"),
        *("knowledge_bases", "starters", "synonyms", "sensitive_words"),
    ),
    "routing": ("direct", "grounded", "clarify", "handoff_after"),
    "remote": ("base_url", "api_key", "model", "timeout_seconds"),
    "handoff": ("enabled", "hours", "time_zone", "webhook_url"),
    "server": ("allowed_origins",),
    "widget": ("color", "position", "avatar"),
}


@dataclass(frozen=True)
class EditableSetting:
    """A setting as the console shows it; a secret's value is only whether there is one.

    What the settings file or a variable names is `fixed`.
    """

    section: str
    name: str
    value: Any
    default: Any
    description: str
    secret: bool
    fixed: bool


class Configuration:
    """Lays what was changed in the console over the settings that the program was started with."""

    def __init__(
        self,
        desks: Mapping[str, FrontDesk],
        store: SettingStore,
        make_remote: Callable[[Settings], RemoteChatModel | None],
        on_change: Callable[[Settings], None],
    ) -> None:
        """Begin with the settings of the bot without a name; `on_change` is called with new ones."""
        self._desks, self._store, self._make_remote, self._on_change = desks, store, make_remote, on_change
        self._desk = desks[""]
        self._base = self._desk.settings
        self._applied: dict[str, Any] = {}
        self.changed = Bell()
        """To be rung when another process may have changed something."""
        self._changing = asyncio.Lock()
        """Held from reading to applying, so that a refresh never brings back what was changed meanwhile."""

    async def refresh(self) -> None:
        """Apply what is kept, also by other processes; what cannot be loaded changes nothing."""
        try:
            async with self._changing:
                self._apply(await self._store.values())
        except Exception:  # the last good settings stay
            log.exception("the settings of the console could not be loaded")

    async def follow(self) -> None:
        """Refresh again and again, until cancelled."""
        while True:
            await self.changed.wait(FOLLOW_SECONDS)
            await self.refresh()

    async def change(self, values: Mapping[str, Any]) -> None:
        """Keep and apply some settings, by "section.name"; None takes one back to its default.

        Raises:
            SettingsError: one is unknown or of no use; nothing is changed.
            SettingFixed: one is set by the settings file or a variable.
        """
        known = {f"{setting.section}.{setting.name}": setting for setting in self.settings()}
        for name in values:
            if name not in known:
                raise SettingsError(f"{name} cannot be changed in the console")
            if known[name].fixed:
                raise SettingFixed(f"{name} is set by frontdesk.toml or a FRONTDESK_ variable; change it there")
        async with self._changing:
            merged = {**await self._store.values(), **values}
            kept = {name: value for name, value in merged.items() if value is not None}
            overlay(self._base, kept)
            await self._store.change(values)
            self._apply(kept)

    def settings(self) -> list[EditableSetting]:
        """List what may be changed here."""
        return [
            _editable(section, name, getattr(self._desk.settings, section), getattr(self._base, section))
            for section, names in EDITABLE.items()
            for name in names
        ]

    def _apply(self, values: dict[str, Any]) -> None:
        if values == self._applied:
            return
        settings = overlay(self._base, values)
        same_remote = settings.remote == self._desk.settings.remote
        remote = self._desk.remote if same_remote else self._make_remote(settings)
        for name, desk in self._desks.items():
            desk.configure(settings.for_bot(name), remote)
        self._applied = values
        self._on_change(settings)


def overlay(base: Settings, values: Mapping[str, Any]) -> Settings:
    """Return settings with some replaced, by "section.name"; what the base fixes stays. Raises SettingsError."""
    sections: dict[str, dict[str, Any]] = {}
    for full_name, value in values.items():
        section, _, name = full_name.partition(".")
        if name in EDITABLE.get(section, ()) and not _is_fixed(getattr(base, section), name):
            sections.setdefault(section, {})[name] = value
    update: dict[str, Section] = {}
    for section, changed in sections.items():
        before: Section = getattr(base, section)
        try:
            update[section] = type(before).model_validate({**before.model_dump(), **changed})
        except ValidationError as error:
            detail = error.errors()[0]
            place = ".".join(str(part) for part in (section, *detail["loc"]))
            raise SettingsError(f"{place}: {detail['msg'].removeprefix('Value error, ')}") from error
    return base.model_copy(update=update)


def _editable(section: str, name: str, now: Section, base: Section) -> EditableSetting:
    field = type(base).model_fields[name]
    value = getattr(now, name)
    secret = "SecretStr" in str(field.annotation)
    return EditableSetting(
        section=section,
        name=name,
        value=value is not None if secret or isinstance(value, SecretStr) else value,
        default=None if secret else field.get_default(),
        description=field.description or "",
        secret=secret,
        fixed=_is_fixed(base, name),
    )


def _is_fixed(base: Section, name: str) -> bool:
    """Say whether the program was started with another value than the default."""
    return bool(getattr(base, name) != type(base).model_fields[name].get_default())

"""Every setting in one place: frontdesk.toml, then FRONTDESK_* variables, which win. Read once, at start."""

from __future__ import annotations

import difflib
import json
import os
import tomllib
from pathlib import Path
from typing import Any, get_origin

from pydantic import Field, ValidationError
from pydantic.fields import FieldInfo
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)
from pydantic_settings import SettingsError as UnreadableVariable

from bot.errors import SettingsError
from bot.sections import (
    ActionSettings,
    BotName,
    BotSettings,
    DatabaseSettings,
    HandoffSettings,
    IndexSettings,
    ModelSettings,
    NamedBotSettings,
    PluginName,
    PluginSettings,
    PrivacySettings,
    RemoteSettings,
    RoutingSettings,
    Section,
    ServerSettings,
    TelemetrySettings,
    VisitorSettings,
    WidgetSettings,
)

PREFIX = "FRONTDESK_"
OPEN_PREFIXES = (f"{PREFIX}CHANNELS__", f"{PREFIX}PEOPLE__", f"{PREFIX}TOOLS__")
"""What follows is a name, two underscores, and a setting of the connector's, adapter's or tool's."""

CONFIG_VARIABLE = "FRONTDESK_CONFIG"
"""Names another settings file than frontdesk.toml in the current folder."""

DRIVERS = {"sqlite": "sqlite+aiosqlite", "postgresql": "postgresql+psycopg", "postgres": "postgresql+psycopg"}
"""What a database address without a driver means here."""


class Settings(BaseSettings):
    """All settings, with their defaults."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX,
        env_nested_delimiter="__",
        extra="forbid",
        frozen=True,
        nested_model_default_partial_update=True,
    )

    data_dir: Path = Field(Path("data"), description="The folder of the database and the indexes.")
    models_dir: Path = Field(Path("~/.cache/frontdesk/models"), description="The folder of model files; may be shared.")
    database_url: str | None = Field(None, description="postgresql+psycopg://…; by default SQLite in `data_dir`.")
    log_level: str = Field("info", pattern="^(debug|info|warning|error)$", description="How much is logged.")
    log_json: bool = Field(False, description="One JSON object a line, for machines.")  # noqa: FBT003
    bot: BotSettings = BotSettings()
    models: ModelSettings = ModelSettings()
    index: IndexSettings = IndexSettings()
    routing: RoutingSettings = RoutingSettings()
    remote: RemoteSettings = RemoteSettings()
    handoff: HandoffSettings = HandoffSettings()
    server: ServerSettings = ServerSettings()
    database: DatabaseSettings = DatabaseSettings()
    visitors: VisitorSettings = VisitorSettings()
    widget: WidgetSettings = WidgetSettings()
    actions: ActionSettings = ActionSettings()
    telemetry: TelemetrySettings = TelemetrySettings()
    privacy: PrivacySettings = PrivacySettings()
    bots: dict[BotName, NamedBotSettings] = Field(
        {}, description="More bots: a table [bots.NAME] each, with the keys of [bot] and allowed_origins."
    )
    channels: dict[PluginName, PluginSettings] = Field(
        {}, description="Channels: a table [channels.NAME] each, see docs/connectors.md."
    )
    people: dict[PluginName, PluginSettings] = Field(
        {}, description="Ways to call a person: a table [people.NAME] each, see docs/connectors.md."
    )
    tools: dict[PluginName, PluginSettings] = Field(
        {}, description="Actions that come with FrontDesk: a table [tools.NAME] each, see docs/actions.md."
    )

    def for_bot(self, name: str) -> Settings:
        """Return the settings of one bot; the one without a name is [bot]."""
        return self.model_copy(update={"bot": self.bots[name]}) if name else self

    @property
    def resolved_database_url(self) -> str:
        """The database to use, with the driver that FrontDesk speaks to it through."""
        if not self.database_url:
            return f"sqlite+aiosqlite:///{self.data_dir.expanduser().resolve() / 'frontdesk.db'}"
        return with_driver(self.database_url)

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - no .env files
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Variables before the file."""
        return init_settings, env_settings, TomlConfigSettingsSource(settings_cls, config_path())


def with_driver(url: str) -> str:
    """Return a database's address with the driver that FrontDesk speaks to it through."""
    kind, separator, place = url.partition("://")
    return DRIVERS.get(kind, kind) + separator + place


def config_path() -> Path:
    """Return the settings file's path, whether it exists or not."""
    return Path(os.environ.get(CONFIG_VARIABLE, "frontdesk.toml"))


def load_settings(**overrides: Any) -> Settings:
    """Read the settings.

    Raises:
        SettingsError: one is unknown or of no use; the message names it.
    """
    _check_variables()
    if CONFIG_VARIABLE in os.environ and not config_path().is_file():
        raise SettingsError(f"{CONFIG_VARIABLE} names {config_path()}, which does not exist")
    try:
        return Settings(**overrides)
    except tomllib.TOMLDecodeError as error:
        raise SettingsError(f"{config_path()} is not valid TOML: {error}") from error
    except UnicodeDecodeError as error:
        raise SettingsError(f"{config_path()} is not encoded in UTF-8") from error
    except UnreadableVariable as error:
        raise SettingsError(f'{_name_unreadable_list()} must be a list in JSON, such as ["a", "b"]') from error
    except ValidationError as error:
        raise SettingsError("; ".join(_describe(dict(detail)) for detail in error.errors())) from error


def variable_names() -> list[str]:
    """List the names of all FRONTDESK_* variables that mean something."""
    return [CONFIG_VARIABLE, *_variables()]


def _variables() -> dict[str, FieldInfo]:
    found: dict[str, FieldInfo] = {}
    for name, field in Settings.model_fields.items():
        if isinstance(field.annotation, type) and issubclass(field.annotation, Section):
            inner = field.annotation.model_fields
            found |= {f"{PREFIX}{name}__{key}".upper(): described for key, described in inner.items()}
        else:
            found[f"{PREFIX}{name}".upper()] = field
    return found


def _name_unreadable_list() -> str:
    lists = [name for name, field in _variables().items() if get_origin(field.annotation) is list]
    for name in lists:
        try:
            json.loads(os.environ.get(name, "[]"))
        except ValueError:
            return name
    return f"a {PREFIX}* variable"


def _check_variables() -> None:
    known = variable_names()
    for name in os.environ:
        if name.startswith(PREFIX) and name.upper() not in known and not name.upper().startswith(OPEN_PREFIXES):
            near = difflib.get_close_matches(name, known, n=1)
            hint = f"; did you mean {near[0]}?" if near else ""
            raise SettingsError(f"the variable {name} is no setting{hint}")


def _describe(detail: dict[str, Any]) -> str:
    name = ".".join(str(part) for part in detail["loc"]) or "settings"
    if detail["type"] == "extra_forbidden":
        section, _, key = name.rpartition(".")
        owner = Settings.model_fields[section].annotation if section in Settings.model_fields else Settings
        fields = list(getattr(owner, "model_fields", {}))
        near = difflib.get_close_matches(key, fields, n=1)
        return f"{name} is no setting" + (f"; did you mean {near[0]}?" if near else "")
    return f"{name}: {detail['msg'].removeprefix('Value error, ')}"

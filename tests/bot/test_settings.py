from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr

from bot.errors import SettingsError
from bot.sections import RoutingSettings
from bot.settings import Settings, load_settings, variable_names


def write(text: str, name: str = "frontdesk.toml") -> None:
    Path(name).write_text(text, encoding="utf-8")


def test_without_a_file_the_defaults_hold() -> None:
    settings = load_settings()
    assert settings.server.host == "127.0.0.1"
    assert settings.server.allowed_origins == []
    assert settings.remote.base_url is None
    assert settings.resolved_database_url == f"sqlite+aiosqlite:///{Path('data').resolve() / 'frontdesk.db'}"


def test_the_file_is_read() -> None:
    write('log_json = true\n[bot]\nname = "小青"\n[server]\nport = 9000\n')
    settings = load_settings()
    assert (settings.log_json, settings.bot.name, settings.server.port) == (True, "小青", 9000)


def test_a_variable_wins_over_the_file_and_leaves_its_neighbours(monkeypatch: pytest.MonkeyPatch) -> None:
    write('[bot]\nname = "file"\nlanguage = "en"\n')
    monkeypatch.setenv("FRONTDESK_BOT__NAME", "variable")
    settings = load_settings()
    assert (settings.bot.name, settings.bot.language) == ("variable", "en")


def test_a_list_is_given_as_json_in_a_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FRONTDESK_SERVER__ALLOWED_ORIGINS", '["https://shop.example"]')
    assert load_settings().server.allowed_origins == ["https://shop.example"]


@pytest.mark.parametrize("name", ["FRONTDESK_SERVER__API_KEYS", "FRONTDESK_BOT__KNOWLEDGE_BASES"])
def test_a_list_that_is_not_json_is_refused_by_name(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setenv(name, "hunter2")
    with pytest.raises(SettingsError, match=re.compile("api_keys|knowledge_bases|server|bot", re.IGNORECASE)) as caught:
        load_settings()
    assert "hunter2" not in str(caught.value)


def test_another_file_may_be_named(monkeypatch: pytest.MonkeyPatch) -> None:
    write('[bot]\nname = "other"\n', "other.toml")
    monkeypatch.setenv("FRONTDESK_CONFIG", "other.toml")
    assert load_settings().bot.name == "other"


def test_a_named_file_that_is_not_there_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FRONTDESK_CONFIG", "absent.toml")
    with pytest.raises(SettingsError, match=r"absent\.toml"):
        load_settings()


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("[bot]\nnmae = 'x'\n", "bot.nmae is no setting; did you mean name"),
        ("[sever]\nport = 1\n", "sever is no setting; did you mean server"),
        ("colour = 'red'\n", "colour is no setting"),
        ("[server]\nport = 70000\n", "server.port"),
        ("[server]\nport = 'x'\n", "server.port"),
        ("[routing]\ndirect = 0.1\n", "routing: clarify, grounded and direct must rise"),
        ("[remote]\ntimeout_seconds = 0\n", "remote.timeout_seconds"),
        ("log_level = 'loud'\n", "log_level"),
        ("[bot\n", "frontdesk.toml is not valid TOML"),
    ],
)
def test_what_is_wrong_in_the_file_is_named(text: str, named: str) -> None:
    write(text)
    with pytest.raises(SettingsError, match=re.escape(named)):
        load_settings()


def test_a_file_that_is_not_utf8_is_refused() -> None:
    Path("frontdesk.toml").write_bytes('[bot]\nname = "青禾家居"\n'.encode("gb18030"))
    with pytest.raises(SettingsError, match=r"frontdesk\.toml"):
        load_settings()


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("FRONTDESK_PORT", "FRONTDESK_PORT is no setting"),
        ("FRONTDESK_SERVER_PORT", "did you mean FRONTDESK_SERVER__PORT"),
        ("FRONTDESK_BOT__NMAE", "did you mean FRONTDESK_BOT__NAME"),
    ],
)
def test_an_unknown_variable_is_refused_by_name(monkeypatch: pytest.MonkeyPatch, name: str, hint: str) -> None:
    monkeypatch.setenv(name, "1")
    with pytest.raises(SettingsError, match=re.escape(hint)):
        load_settings()


def test_settings_cannot_be_changed() -> None:
    with pytest.raises(Exception, match="frozen"):
        load_settings().bot.name = "x"  # type: ignore[misc]


@pytest.mark.parametrize(
    "name",
    [name for name in variable_names() if name.endswith(("_KEY", "_SECRET"))],
)
def test_a_secret_does_not_print_itself(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setenv(name, "hunter2")
    settings = load_settings()
    assert "hunter2" not in f"{settings!r} {settings}"
    section, field = name.removeprefix("FRONTDESK_").lower().split("__")
    assert getattr(getattr(settings, section), field) == SecretStr("hunter2")


def test_a_wrong_secret_is_not_quoted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FRONTDESK_SERVER__API_KEYS", '["ok", {"hunter2": 1}]')
    with pytest.raises(SettingsError) as caught:
        load_settings()
    assert "hunter2" not in str(caught.value)


@given(st.floats(0, 1), st.floats(0, 1), st.floats(0, 1))
def test_the_bands_must_rise(clarify: float, grounded: float, direct: float) -> None:
    if clarify <= grounded <= direct:
        RoutingSettings(clarify=clarify, grounded=grounded, direct=direct)
    else:
        with pytest.raises(ValueError, match="must rise"):
            RoutingSettings(clarify=clarify, grounded=grounded, direct=direct)


def test_every_setting_says_what_it_is_for() -> None:
    for name, field in Settings.model_fields.items():
        sections = getattr(field.annotation, "model_fields", None)
        for inner, described in (sections or {name: field}).items():
            assert described.description, f"{name}.{inner}"

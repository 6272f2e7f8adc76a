from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from bot.configuration import EDITABLE, Configuration, overlay
from bot.desk import FrontDesk
from bot.errors import SettingFixed, SettingsError
from bot.settings import Settings
from bot.store.database import Database
from bot.store.settings import SettingStore
from tests.bot.fakes import ScriptedModel, StubKnowledge, ask, make_desk

Make = Callable[..., Configuration]


@pytest.fixture
def desk(database: Database) -> FrontDesk:
    return make_desk(database, StubKnowledge(0.7), settings={"bot": {"name": "Fixed"}})


@pytest.fixture
def seen() -> list[Settings]:
    return []


@pytest.fixture
def configuration(desk: FrontDesk, database: Database, seen: list[Settings]) -> Configuration:
    return Configuration({"": desk}, SettingStore(database), lambda settings: ScriptedModel(), seen.append)  # type: ignore[arg-type,return-value]


def shown(configuration: Configuration, name: str) -> Any:
    return next(each for each in configuration.settings() if f"{each.section}.{each.name}" == name)


async def test_a_threshold_holds_from_the_next_question_on(configuration: Configuration, desk: FrontDesk) -> None:
    assert (await ask(desk, "怎么退货？"))[0].outcome == "clarify"
    await configuration.change({"routing.direct": 0.65})
    assert (await ask(desk, "怎么退货？"))[0].outcome == "direct"
    await configuration.change({"routing.direct": None})
    assert (await ask(desk, "怎么退货？"))[0].outcome == "clarify"


async def test_what_the_settings_file_names_is_fixed(configuration: Configuration) -> None:
    assert (shown(configuration, "bot.name").value, shown(configuration, "bot.name").fixed) == ("Fixed", True)
    with pytest.raises(SettingFixed, match=r"bot\.name"):
        await configuration.change({"bot.name": "Other", "routing.direct": 0.9})
    assert shown(configuration, "routing.direct").value == 0.85


@pytest.mark.parametrize(
    "values",
    [
        {"routing.direct": 2},
        {"routing.direct": 0.1},
        {"handoff.hours": ["always"]},
        {"widget.color": "red; }"},
        {"server.port": 80},
        {"nonsense": 1},
        {"bot": {"welcome_zh": "x"}},
    ],
)
async def test_what_is_of_no_use_is_named_and_changes_nothing(
    configuration: Configuration, desk: FrontDesk, values: dict[str, Any]
) -> None:
    before = desk.settings
    name = next(iter(values))
    with pytest.raises(SettingsError, match=name.split(".")[0]):
        await configuration.change({"bot.welcome_zh": "您好", **values})
    assert desk.settings is before


async def test_changes_outlive_a_restart_and_reach_other_processes(
    configuration: Configuration, database: Database, desk: FrontDesk
) -> None:
    other_desk = make_desk(database)
    other = Configuration({"": other_desk}, SettingStore(database), lambda _: None, lambda _: None)
    await configuration.change({"handoff.hours": ["mon 09:00-18:00"]})
    assert other_desk.humans.settings.hours == []
    await other.refresh()
    assert other_desk.humans.settings.hours == ["mon 09:00-18:00"]


async def test_a_refresh_that_began_before_a_change_does_not_undo_it(
    configuration: Configuration, desk: FrontDesk, monkeypatch: pytest.MonkeyPatch
) -> None:
    values, was_read, may_go_on = SettingStore.values, asyncio.Event(), asyncio.Event()

    async def slow_values(store: SettingStore) -> dict[str, Any]:
        found = await values(store)
        was_read.set()
        await may_go_on.wait()
        return found

    monkeypatch.setattr(SettingStore, "values", slow_values)
    refreshing = asyncio.create_task(configuration.refresh())
    await was_read.wait()
    monkeypatch.undo()
    changing = asyncio.create_task(configuration.change({"routing.direct": 0.65}))
    await asyncio.wait([changing], timeout=0.05)
    may_go_on.set()
    await asyncio.gather(refreshing, changing)
    assert desk.settings.routing.direct == 0.65


async def test_the_remote_model_is_made_anew_only_if_it_is_another(
    configuration: Configuration, desk: FrontDesk
) -> None:
    await configuration.change({"remote.base_url": "https://models.example/v1", "remote.api_key": "sk-1"})
    first = desk.remote
    assert first is not None
    await configuration.change({"bot.welcome_zh": "您好"})
    assert desk.remote is first
    await configuration.change({"remote.model": "qwen-max"})
    assert desk.remote is not first
    await desk.close()
    assert first.closed  # type: ignore[attr-defined]


async def test_of_a_secret_only_its_being_there_is_shown(configuration: Configuration) -> None:
    assert shown(configuration, "remote.api_key").value is False
    await configuration.change({"remote.api_key": "sk-secret"})
    assert shown(configuration, "remote.api_key").value is True
    assert "sk-secret" not in repr(configuration.settings())


async def test_whoever_follows_is_told_once(configuration: Configuration, seen: list[Settings]) -> None:
    await configuration.change({"server.allowed_origins": ["https://shop.example"]})
    await configuration.refresh()
    assert [settings.server.allowed_origins for settings in seen] == [["https://shop.example"]]


async def test_a_setting_that_became_of_no_use_leaves_the_others_alone(
    configuration: Configuration, database: Database, desk: FrontDesk
) -> None:
    await SettingStore(database).change({"routing.direct": 7})
    await configuration.refresh()
    assert desk.settings.routing.direct == 0.85


def test_every_editable_setting_exists() -> None:
    settings = Settings()
    for section, names in EDITABLE.items():
        assert set(names) <= set(type(getattr(settings, section)).model_fields)


def test_what_the_base_fixes_stays() -> None:
    base = Settings(routing={"direct": 0.9})
    assert overlay(base, {"routing.direct": 0.8, "routing.grounded": 0.6}).routing.model_dump() == {
        "direct": 0.9,
        "grounded": 0.6,
        "clarify": 0.25,
        "handoff_after": 2,
    }

from __future__ import annotations

from pathlib import Path

import pytest

from bot.errors import SettingsError
from bot.plugins import kinds_of, open_plugin
from bot.sections import PluginSettings
from bot.settings import load_settings
from connectors.webhook import WebhookChannel

GOOD = {"secret": "a-long-enough-secret", "url": "http://127.0.0.1:9"}


@pytest.fixture
def third_party(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Install a package whose connector needs what is not there."""
    info = tmp_path / "site" / "acme_channels-1.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: acme-channels\nVersion: 1.0\n")
    points = "acme = acme_channels:Acme [acme]\nbare = acme_channels:Acme\n"
    (info / "entry_points.txt").write_text(f"[frontdesk.connectors]\n{points}")
    (tmp_path / "site" / "acme_channels.py").write_text("import there_is_no_such_sdk\n")
    monkeypatch.syspath_prepend(str(tmp_path / "site"))


@pytest.mark.parametrize("table", ["channels", "people", "tools"])
def test_each_kind_that_comes_along_has_settings_and_says_what_they_mean(table: str) -> None:
    kinds = kinds_of(table)
    assert kinds
    for point in kinds.values():
        settings = point.load().Settings
        assert settings.__doc__
        assert all(field.description for field in settings.model_fields.values())


def test_a_part_is_made_from_its_settings_under_any_name() -> None:
    assert isinstance(open_plugin("channels", "webhook", PluginSettings(**GOOD)), WebhookChannel)
    assert isinstance(open_plugin("channels", "mine", PluginSettings(kind="webhook", **GOOD)), WebhookChannel)


def test_a_kind_that_is_not_there_is_said_with_those_that_are() -> None:
    with pytest.raises(SettingsError, match=r"channels\.pigeon: there is no kind 'pigeon'; installed: .*slack.*wecom"):
        open_plugin("channels", "pigeon", PluginSettings())


def test_what_is_missing_or_unknown_is_said_by_name() -> None:
    with pytest.raises(SettingsError) as raised:
        open_plugin("channels", "webhook", PluginSettings(secret="short", urll="x"))
    said = str(raised.value)
    for part in ("channels.webhook.secret: ", "channels.webhook.url is missing", "channels.webhook.urll is no setting"):
        assert part in said


@pytest.mark.usefixtures("third_party")
@pytest.mark.parametrize("name", ["acme", "bare"])
def test_a_package_that_is_not_installed_is_said_with_the_command(name: str) -> None:
    with pytest.raises(SettingsError, match=rf"there_is_no_such_sdk is not installed; run: pip install .*\[{name}\]"):
        open_plugin("channels", name, PluginSettings())


def test_variables_set_up_parts_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FRONTDESK_CHANNELS__WEBHOOK__SECRET", GOOD["secret"])
    monkeypatch.setenv("FRONTDESK_CHANNELS__WEBHOOK__URL", GOOD["url"])
    monkeypatch.setenv("FRONTDESK_PEOPLE__EMAIL__HOST", "smtp.example.com")
    monkeypatch.setenv("FRONTDESK_TOOLS__ORDER_STATUS__URL", "https://shop/{number}")
    settings = load_settings()
    assert isinstance(open_plugin("channels", "webhook", settings.channels["webhook"]), WebhookChannel)
    assert settings.people["email"].model_extra == {"host": "smtp.example.com"}
    assert settings.tools["order_status"].model_extra == {"url": "https://shop/{number}"}


def test_secrets_of_parts_do_not_show() -> None:
    assert "a-long-enough-secret" not in repr(PluginSettings(**GOOD))
    assert "a-long-enough-secret" not in str(PluginSettings(**GOOD))

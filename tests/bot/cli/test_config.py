from __future__ import annotations

import socket
from pathlib import Path

import pytest

from bot.cli.config import describe_settings
from bot.settings import variable_names
from tests.bot.cli.conftest import Run


def test_settings_are_shown_with_their_values(frontdesk: Run) -> None:
    Path("frontdesk.toml").write_text('[bot]\nname = "小青 [red]"\n', encoding="utf-8")
    shown = frontdesk("config", "show")
    assert shown.status == 0
    assert 'name = "小青 [red]"' in shown.out
    assert "port = 8080" in shown.out
    assert str(Path("frontdesk.toml").resolve()) in shown.out


def test_a_file_that_is_not_there_is_said_so(frontdesk: Run) -> None:
    assert "not there" in frontdesk("config", "show").out


@pytest.mark.parametrize("name", ["REMOTE__API_KEY", "MODELS__EMBEDDING_API_KEY", "HANDOFF__WEBHOOK_SECRET"])
def test_secrets_stay_hidden(frontdesk: Run, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setenv(f"FRONTDESK_{name}", "hunter2")
    shown = frontdesk("config", "show")
    assert "hunter2" not in shown.out
    assert "**********" in shown.out


def test_the_keys_of_the_api_stay_hidden(frontdesk: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FRONTDESK_SERVER__API_KEYS", '["hunter2", "hunter3"]')
    assert "hunter" not in frontdesk("config", "show").out


def test_the_password_of_the_database_stays_hidden(frontdesk: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FRONTDESK_DATABASE_URL", "postgresql+psycopg://user:hunter2@db.example/frontdesk")
    shown = frontdesk("config", "show").out
    assert "hunter2" not in shown
    assert "db.example" in shown


@pytest.mark.parametrize(
    ("text", "named"), [("[bot]\nnmae = 'x'\n", "bot.nmae"), ("colour = 1\n", "colour"), ("[sever]\n", "sever")]
)
def test_an_unknown_setting_is_refused_by_name(frontdesk: Run, text: str, named: str) -> None:
    Path("frontdesk.toml").write_text(text, encoding="utf-8")
    result = frontdesk("config", "show")
    assert (result.status, result.out) == (1, "")
    assert result.err.startswith(f"error: {named} is no setting")
    assert len(result.err.strip().splitlines()) == 1


@pytest.mark.parametrize("command", [["config", "show"], ["faq", "list"], ["models", "list"], ["ask", "x"], ["serve"]])
def test_an_unknown_variable_is_refused_by_every_command(
    frontdesk: Run, monkeypatch: pytest.MonkeyPatch, command: list[str]
) -> None:
    monkeypatch.setenv("FRONTDESK_BOT__NMAE", "x")
    result = frontdesk(*command)
    assert result.status == 1
    assert "FRONTDESK_BOT__NMAE is no setting; did you mean FRONTDESK_BOT__NAME?" in result.err


def test_a_database_of_no_use_is_one_line(frontdesk: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FRONTDESK_DATABASE_URL", "mysql://user:hunter2@127.0.0.1/x")
    result = frontdesk("faq", "list")
    assert result.status == 1
    assert len(result.err.strip().splitlines()) == 1
    assert "hunter2" not in result.err


def test_an_sqlite_address_without_its_driver_is_one_line_or_works(
    frontdesk: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("FRONTDESK_DATABASE_URL", f"sqlite:///{tmp_path / 'x.db'}")
    result = frontdesk("faq", "list", "--json")
    assert result.status == 0 or result.err.startswith("error: ")


def test_the_page_of_documentation_names_every_variable(frontdesk: Run) -> None:
    page = frontdesk("config", "show", "--markdown").out
    assert page.strip() == describe_settings().strip()
    for name in variable_names():
        assert f"`{name}`" in page


def test_a_port_that_is_taken_is_one_line(frontdesk: Run) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        result = frontdesk("serve", "--port", port)
    assert result.status == 1
    assert port in result.err
    assert len(result.err.strip().splitlines()) == 1

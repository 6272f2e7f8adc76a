from __future__ import annotations

import stat
from pathlib import Path

import pytest

from bot.cli.tune import write_settings
from bot.errors import SettingsError
from bot.models.engine.measuring import Speed
from bot.settings import load_settings
from knowledge.weights.catalogue import find_record
from knowledge.weights.library import Weights
from tests.bot.cli.conftest import Run


@pytest.fixture
def measured(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let one thread be fastest."""
    plain = Weights(find_record("qwen2.5-coder-0.5b-instruct-q4_k_m"), Path("plain.gguf"))
    speeds = [Speed(1, 100.0, 50.0, 90.0), Speed(2, 90.0, 40.0, 80.0)]
    monkeypatch.setattr("bot.cli.tune.chat_weights", lambda *_: plain)
    monkeypatch.setattr("bot.cli.tune.measure", lambda *_: speeds)


@pytest.mark.usefixtures("measured")
def test_the_fastest_is_written_and_counts(frontdesk: Run) -> None:
    result = frontdesk("tune")
    assert result.status == 0
    assert "written to" in result.out
    assert load_settings().models.threads == 1


@pytest.mark.usefixtures("measured")
def test_a_dry_run_writes_nothing(frontdesk: Run) -> None:
    assert frontdesk("tune", "--dry-run").status == 0
    assert not Path("frontdesk.toml").exists()


def test_what_else_is_in_the_file_stays(tmp_path: Path) -> None:
    path = tmp_path / "frontdesk.toml"
    path.write_text('# ours\nlog_json = true\n\n[models]\nqueue = 9 # few\nthreads = 4\n\n[bot]\nname = "小青"\n')
    write_settings(path, {"models": {"threads": 2}, "remote": {"model": "qwen-plus"}})
    assert path.read_text() == (
        '# ours\nlog_json = true\n\n[models]\nqueue = 9 # few\nthreads = 2\n\n[bot]\nname = "小青"\n\n'
        '[remote]\nmodel = "qwen-plus"\n'
    )


@pytest.mark.parametrize("text", ["[models", "models = 1\n"])
def test_a_file_of_no_use_is_said(tmp_path: Path, text: str) -> None:
    path = tmp_path / "frontdesk.toml"
    path.write_text(text)
    with pytest.raises(SettingsError, match=r"frontdesk\.toml"):
        write_settings(path, {"models": {"threads": 2}})
    assert path.read_text() == text


def test_tuning_does_not_open_a_private_settings_file_to_all(tmp_path: Path) -> None:
    """The file may hold the remote model's key."""
    path = tmp_path / "frontdesk.toml"
    path.write_text('[remote]\napi_key = "secret"\n')
    path.chmod(0o600)
    write_settings(path, {"models": {"threads": 2}})
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_tuning_leaves_a_linked_settings_file_linked(tmp_path: Path) -> None:
    real, path = tmp_path / "real.toml", tmp_path / "frontdesk.toml"
    real.write_text("")
    path.symlink_to(real)
    write_settings(path, {"models": {"threads": 2}})
    assert path.is_symlink()
    assert "threads" in real.read_text()

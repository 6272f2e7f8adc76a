from __future__ import annotations

from pathlib import Path

import pytest

from bot.cli import models
from knowledge.errors import DownloadError
from knowledge.weights.catalogue import AUTOMATIC, LARGE_EMBEDDING, RECORDS, SMALL_EMBEDDING, find_record
from knowledge.weights.library import ModelLibrary, Weights
from tests.bot.cli.conftest import Run


@pytest.fixture(autouse=True)
def own_models(monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("FRONTDESK_MODELS_DIR", "models")
    monkeypatch.setenv("COLUMNS", "300")
    folder = Path("models")
    folder.mkdir()
    return folder


def test_every_model_of_the_catalogue_is_listed(frontdesk: Run) -> None:
    result = frontdesk("models", "list")
    assert result.status == 0
    for record in RECORDS:
        assert record.name[:12] in result.out


def test_the_list_fits_a_narrow_terminal(frontdesk: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    listed = frontdesk("models", "list").out
    for record in RECORDS:
        [line] = [line for line in listed.splitlines() if line.removeprefix("*").split()[:1] == [record.name]]
        assert "absent" in line
    assert "…" not in listed


def test_verifying_nothing_says_how_to_get_something(frontdesk: Run) -> None:
    result = frontdesk("models", "verify")
    assert result.status == 1
    assert "frontdesk models pull" in result.err


def test_a_file_that_is_not_the_described_one_fails(frontdesk: Run) -> None:
    record = RECORDS[0]
    Path("models", record.file).write_bytes(b"GGUF, but another one")
    result = frontdesk("models", "verify")
    assert result.status == 1
    assert record.name in result.err
    assert "sha256" in result.err


@pytest.mark.parametrize("command", ["pull", "verify"])
def test_an_unknown_model_is_one_line(frontdesk: Run, command: str) -> None:
    result = frontdesk("models", command, "gpt-9")
    assert (result.status, result.out) == (1, "")
    assert result.err.strip().startswith("error: ")
    assert "gpt-9" in result.err
    assert len(result.err.strip().splitlines()) == 1


def test_a_model_that_is_here_is_not_downloaded_again(frontdesk: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    record = find_record(SMALL_EMBEDDING)
    monkeypatch.setenv("FRONTDESK_MODELS__EMBEDDING", record.name)
    with Path("models", record.file).open("wb") as file:
        file.truncate(record.size)  # a hole: it takes no room
    result = frontdesk("models", "pull")
    assert result.status == 0
    assert f"{record.name} is here" in result.out


def test_a_type_that_does_not_exist_is_said(frontdesk: Run, tmp_path: Path) -> None:
    path = tmp_path / "mine.gguf"
    path.write_bytes(b"GGUF")
    result = frontdesk("models", "quantize", str(path), "q9")
    assert result.status == 1
    assert "q5_k_m" in result.err


@pytest.fixture
def asked_for(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Bring empty files instead of models, and fail for the large embedding model; give the names asked for."""
    asked: list[str] = []

    def pull(library: ModelLibrary, name: str, **_options: object) -> Weights:
        asked.append(name)
        record = find_record(name)
        if name == LARGE_EMBEDDING:
            raise DownloadError("[no] network")
        with Path(library.folder, record.file).open("wb") as file:
            file.truncate(record.size)
        return Weights(record, library.folder / record.file)

    monkeypatch.setattr(ModelLibrary, "pull", pull)
    monkeypatch.setattr(models, "_make_faster", lambda *_: None)
    monkeypatch.setenv("FRONTDESK_MODELS__EMBEDDING", AUTOMATIC)
    monkeypatch.setattr(models, "models_for_this_machine", lambda **_: (LARGE_EMBEDDING, SMALL_EMBEDDING))
    return asked


def test_the_small_model_is_brought_where_the_large_one_is_not_to_be_had(frontdesk: Run, asked_for: list[str]) -> None:
    result = frontdesk("models", "pull")
    assert (result.status, asked_for) == (0, [LARGE_EMBEDDING, SMALL_EMBEDDING])
    assert "[no] network" in result.err
    assert f"taking {SMALL_EMBEDDING} in its place" in result.err
    assert f"{SMALL_EMBEDDING} is here" in result.out
    assert "MIT" in result.out


def test_a_machine_that_has_the_small_model_stays_with_it(frontdesk: Run, asked_for: list[str]) -> None:
    frontdesk("models", "pull")
    asked_for.clear()
    result = frontdesk("models", "pull")
    assert (result.status, asked_for) == (0, [])
    assert f"{SMALL_EMBEDDING} is here" in result.out


def test_a_model_that_is_named_is_brought_and_no_other(frontdesk: Run, asked_for: list[str]) -> None:
    assert frontdesk("models", "pull", LARGE_EMBEDDING).status == 1
    assert asked_for == [LARGE_EMBEDDING]

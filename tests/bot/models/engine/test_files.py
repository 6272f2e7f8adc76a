from __future__ import annotations

import os
from pathlib import Path

import pytest

from bot.models.engine.files import StateFiles
from bot.models.engine.prefixes import PrefixStore, to_key
from bot.models.engine.vault import Vault

MINE, OTHER = b"m" * 32, b"o" * 32
KEY = to_key([1, 2, 3])
MB = 1 << 20


def open_files(folder: Path, fingerprint: bytes = MINE, budget: int = MB) -> StateFiles:
    return StateFiles(folder, fingerprint, budget)


def written(folder: Path, key: bytes = KEY, state: bytes = b"state", budget: int = MB) -> Path:
    files = open_files(folder, budget=budget)
    files.write(key, state)
    files.close()
    return max(folder.glob("*.state"), key=lambda path: path.stat().st_mtime_ns)


def test_a_state_survives_a_restart(tmp_path: Path) -> None:
    written(tmp_path)
    files = open_files(tmp_path)
    match = files.find(to_key([1, 2, 3, 4]))
    assert match is not None
    assert (match.key, match.length) == (KEY, 3)
    assert files.read(KEY) == b"state"
    assert KEY in files
    assert not list(tmp_path.glob("*.part"))
    files.close()


def test_a_state_of_another_model_is_passed_over_and_left(tmp_path: Path) -> None:
    path = written(tmp_path)
    files = open_files(tmp_path, OTHER)
    assert len(files) == 0
    assert files.find(KEY) is None
    files.close()
    assert path.exists()


@pytest.mark.parametrize(
    "spoil",
    [
        lambda data: data[:-1],
        lambda data: data[:-1] + b"!",
        lambda data: data + b"more",
        lambda data: data.replace(b"FDKV1", b"FDKV2"),
        lambda data: b"",
    ],
)
def test_a_spoilt_state_is_deleted_and_not_used(tmp_path: Path, spoil: object) -> None:
    path = written(tmp_path)
    files = open_files(tmp_path)
    path.write_bytes(spoil(path.read_bytes()))  # type: ignore[operator]
    assert files.read(KEY) is None
    assert KEY not in files
    assert not path.exists()
    files.close()


def test_a_file_that_is_no_state_is_passed_over(tmp_path: Path) -> None:
    (tmp_path / "notes.state").write_bytes(b"x" * 10_000)
    (tmp_path / "empty.state").touch()
    files = open_files(tmp_path)
    assert len(files) == 0
    files.close()


def test_the_least_recently_used_goes_when_the_folder_is_full(tmp_path: Path) -> None:
    old = written(tmp_path, to_key([1]), b"a" * 400)
    used = written(tmp_path, to_key([2]), b"b" * 400)
    os.utime(old, (1, 1))
    os.utime(used, (2, 2))
    files = open_files(tmp_path)
    assert files.read(to_key([1])) == b"a" * 400
    files.close()
    written(tmp_path, to_key([3]), b"c" * 400, budget=1_200)
    files = open_files(tmp_path)
    assert [to_key([number]) in files for number in (1, 2, 3)] == [True, False, True]
    files.close()


def test_a_folder_that_cannot_be_written_is_no_failure(tmp_path: Path) -> None:
    files = open_files(tmp_path / "states")
    (tmp_path / "states").rmdir()
    files.write(KEY, b"state")
    files.close()
    assert KEY not in files


def test_a_state_over_the_budget_drives_nothing_out(tmp_path: Path) -> None:
    written(tmp_path, to_key([1]), b"a" * 400, budget=1_000)
    files = open_files(tmp_path, budget=1_000)
    files.write(to_key([2]), b"b" * 1_200)
    files.close()
    assert [to_key([number]) in files for number in (1, 2)] == [True, False]


def test_the_writer_survives_whatever_happens(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise MemoryError

    files = open_files(tmp_path)
    with monkeypatch.context() as patch:
        patch.setattr(StateFiles, "_write", fail)
        for number in range(20):
            files.write(to_key([number]), b"state")
        while not files._writes.empty():
            files._writer.join(0.01)
    files.write(KEY, b"state")
    files.close()
    assert KEY in files


def test_states_are_for_their_owner_only(tmp_path: Path) -> None:
    path = written(tmp_path / "states")
    assert not path.stat().st_mode & 0o077
    assert not path.parent.stat().st_mode & 0o077


class TestVault:
    def test_what_is_to_last_is_found_on_disk_after_a_restart(self, tmp_path: Path) -> None:
        vault = Vault(PrefixStore(MB), open_files(tmp_path))
        vault.prepare(KEY, b"lasting")
        vault.put(to_key([9]), b"passing")
        vault.close()
        vault = Vault(PrefixStore(MB), open_files(tmp_path))
        assert KEY in vault
        assert to_key([9]) not in vault
        match = vault.find(to_key([1, 2, 3, 4]))
        assert match is not None
        assert vault.get(match.key) == b"lasting"
        assert KEY in vault.memory
        vault.close()

    def test_a_bad_file_gives_none(self, tmp_path: Path) -> None:
        path = written(tmp_path)
        vault = Vault(PrefixStore(MB), open_files(tmp_path))
        path.write_bytes(b"spoilt")
        assert vault.get(KEY) is None
        vault.close()

    def test_without_files_memory_is_all(self) -> None:
        vault = Vault(PrefixStore(MB))
        vault.prepare(KEY, b"state")
        assert vault.get(KEY) == b"state"
        assert vault.find(to_key([5])) is None
        vault.close()

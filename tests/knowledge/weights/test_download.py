from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import httpx
import pytest

from knowledge.errors import DownloadError, NotEnoughSpace
from knowledge.weights.download import Progress, check_space, download, ignore_progress
from tests.knowledge.fakes import FileServer, Page
from tests.knowledge.weights.conftest import WEIGHTS


@pytest.fixture
def target(tmp_path: Path) -> Path:
    return tmp_path / "tiny.partial"


def bring(url: str, target: Path, *, size: int = len(WEIGHTS), progress: Progress = ignore_progress) -> None:
    with httpx.Client(timeout=5) as client:
        download(client, url, target, size=size, progress=progress)


def test_a_file_is_brought(file_server: FileServer, target: Path) -> None:
    file_server.pages["/file"] = Page(WEIGHTS)
    bring(f"{file_server.url}/file", target)
    assert target.read_bytes() == WEIGHTS


def test_progress_ends_at_the_whole(file_server: FileServer, target: Path) -> None:
    file_server.pages["/file"] = Page(WEIGHTS)
    seen: list[tuple[str, int, int]] = []
    bring(f"{file_server.url}/file", target, progress=lambda *values: seen.append(values))
    assert seen[-1] == ("tiny.partial", len(WEIGHTS), len(WEIGHTS))


@pytest.mark.usefixtures("small_chunks")
def test_a_cut_download_goes_on_where_it_was_cut(file_server: FileServer, target: Path) -> None:
    file_server.pages["/file"] = Page(WEIGHTS, cuts=[3_000, 2_000])
    bring(f"{file_server.url}/file", target)
    assert file_server.ranges == [None, "bytes=3000-", "bytes=5000-"]
    assert target.read_bytes() == WEIGHTS


def test_what_an_earlier_run_left_is_not_brought_again(file_server: FileServer, target: Path) -> None:
    target.write_bytes(WEIGHTS[:4_000])
    file_server.pages["/file"] = Page(WEIGHTS)
    bring(f"{file_server.url}/file", target)
    assert file_server.ranges == ["bytes=4000-"]
    assert target.read_bytes() == WEIGHTS


@pytest.mark.usefixtures("small_chunks")
def test_a_server_without_ranges_begins_again(file_server: FileServer, target: Path) -> None:
    file_server.pages["/file"] = Page(WEIGHTS, serves_ranges=False, cuts=[3_000])
    bring(f"{file_server.url}/file", target)
    assert target.read_bytes() == WEIGHTS


def test_a_whole_file_is_not_asked_for(file_server: FileServer, target: Path) -> None:
    target.write_bytes(WEIGHTS)
    bring(f"{file_server.url}/file", target)
    assert file_server.requests == []


def test_a_file_that_is_too_long_is_brought_anew(file_server: FileServer, target: Path) -> None:
    target.write_bytes(WEIGHTS + b"x")
    file_server.pages["/file"] = Page(WEIGHTS)
    bring(f"{file_server.url}/file", target)
    assert target.read_bytes() == WEIGHTS


def test_a_server_that_gives_too_much_is_given_up(file_server: FileServer, target: Path) -> None:
    file_server.pages["/file"] = Page(WEIGHTS + b"more than the catalogue says")

    def no_more_than_ten(_label: str, _done: int, _total: int) -> None:
        assert len(file_server.requests) <= 10, "it asks again and again"

    with pytest.raises(DownloadError):
        bring(f"{file_server.url}/file", target, progress=no_more_than_ten)


def test_a_server_that_gives_too_little_is_given_up(file_server: FileServer, target: Path) -> None:
    file_server.pages["/file"] = Page(b"<html>please log in to this network</html>", serves_ranges=False)
    with pytest.raises(DownloadError, match="cut after 42 of 10240 bytes"):
        bring(f"{file_server.url}/file", target)


@pytest.mark.usefixtures("small_chunks")
def test_a_line_that_is_cut_again_and_again_still_brings_the_file(file_server: FileServer, target: Path) -> None:
    file_server.pages["/file"] = Page(WEIGHTS, cuts=[200] * 20)
    bring(f"{file_server.url}/file", target)
    assert target.read_bytes() == WEIGHTS


def test_a_line_that_brings_nothing_more_is_given_up_and_what_came_is_kept(
    file_server: FileServer, target: Path
) -> None:
    file_server.pages["/file"] = Page(WEIGHTS, cuts=[200, *[0] * 20])
    with pytest.raises(DownloadError):
        bring(f"{file_server.url}/file", target)
    kept = target.read_bytes()
    assert kept
    assert WEIGHTS.startswith(kept)


@pytest.mark.parametrize("status", [403, 404, 500, 503])
def test_a_refusal_is_told_with_the_host_and_the_status(file_server: FileServer, target: Path, status: int) -> None:
    file_server.pages["/file"] = Page(b"no", status=status)
    with pytest.raises(DownloadError, match=rf"127\.0\.0\.1: answered {status}"):
        bring(f"{file_server.url}/file", target)


def test_a_page_that_does_not_exist_is_asked_for_once(file_server: FileServer, target: Path) -> None:
    with pytest.raises(DownloadError):
        bring(f"{file_server.url}/file", target)
    assert file_server.paths == ["/file"]


def test_a_refusal_is_not_written_to_the_file(file_server: FileServer, target: Path) -> None:
    with pytest.raises(DownloadError):
        bring(f"{file_server.url}/file", target)
    assert not target.exists()


def test_a_server_that_cannot_be_reached_is_named(closed_url: str, target: Path) -> None:
    with pytest.raises(DownloadError, match=r"127\.0\.0\.1: cannot be reached"):
        bring(f"{closed_url}/file", target)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="a device that is always full is Linux's")
def test_a_disk_that_fills_up_is_told(file_server: FileServer, target: Path) -> None:
    target.symlink_to("/dev/full")
    file_server.pages["/file"] = Page(WEIGHTS)
    with pytest.raises(NotEnoughSpace, match="free some space"):
        bring(f"{file_server.url}/file", target)


def test_too_small_a_disk_is_told_with_both_sizes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shutil.disk_usage", lambda _folder: SimpleNamespace(free=120_000_000))
    with pytest.raises(NotEnoughSpace, match=r"0\.12 GB free and 0\.49 GB are needed"):
        check_space(tmp_path, 490_000_000)


def test_a_disk_that_just_holds_the_file_is_large_enough(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shutil.disk_usage", lambda _folder: SimpleNamespace(free=100))
    check_space(tmp_path, 100)

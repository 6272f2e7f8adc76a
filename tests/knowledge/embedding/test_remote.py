from __future__ import annotations

import json

import numpy as np
import pytest

from knowledge.embedding.base import Embedder
from knowledge.embedding.remote import BATCH_TEXTS, RemoteEmbedder
from knowledge.errors import ModelUnavailable
from tests.knowledge.embedding.contract import EmbedderContract
from tests.knowledge.fakes import FileServer, HashEmbedder, Page


def embeddings_of(request: str) -> bytes:
    vectors = 3 * HashEmbedder().embed_queries(json.loads(request)["input"])
    data = [{"object": "embedding", "index": n, "embedding": vector.tolist()} for n, vector in enumerate(vectors)]
    usage = {"prompt_tokens": 1, "total_tokens": 1}
    return json.dumps({"object": "list", "model": "m", "data": data, "usage": usage}).encode()


@pytest.fixture
def endpoint(file_server: FileServer) -> FileServer:
    """Give a server that embeds as the embedder of the tests does, but not to unit vectors."""
    file_server.pages["/v1/embeddings"] = Page(reply=embeddings_of, content_type="application/json")
    return file_server


@pytest.fixture
def remote(endpoint: FileServer) -> RemoteEmbedder:
    return RemoteEmbedder("m", base_url=f"{endpoint.url}/v1", api_key="secret-key")


class TestRemoteEmbedder(EmbedderContract):
    @pytest.fixture
    def embedder(self, remote: RemoteEmbedder) -> Embedder:
        return remote


def test_many_texts_go_in_several_requests_and_keep_their_order(remote: RemoteEmbedder, endpoint: FileServer) -> None:
    texts = [f"question {number}" for number in range(BATCH_TEXTS + 1)]
    assert np.allclose(remote.embed_queries(texts), HashEmbedder().embed_queries(texts), atol=1e-5)
    assert len(endpoint.requests) == 2


def test_warming_up_asks_the_endpoint(remote: RemoteEmbedder, endpoint: FileServer) -> None:
    remote.warm_up()
    assert endpoint.paths == ["/v1/embeddings"]


@pytest.mark.parametrize("status", [400, 401, 404])
def test_a_refusal_is_told_with_the_endpoint(remote: RemoteEmbedder, endpoint: FileServer, status: int) -> None:
    endpoint.pages["/v1/embeddings"] = Page(b"{}", status=status, content_type="application/json")
    with pytest.raises(ModelUnavailable, match=endpoint.url):
        remote.warm_up()


def test_an_answer_that_is_no_json_is_told(remote: RemoteEmbedder, endpoint: FileServer) -> None:
    endpoint.pages["/v1/embeddings"] = Page(b"<html>log in</html>", content_type="text/html")
    with pytest.raises(ModelUnavailable):
        remote.warm_up()


def test_too_few_vectors_are_told(remote: RemoteEmbedder, endpoint: FileServer) -> None:
    one = b'{"object": "list", "model": "m", "data": [{"object": "embedding", "index": 0, "embedding": [1.0]}]}'
    endpoint.pages["/v1/embeddings"] = Page(one, content_type="application/json")
    with pytest.raises(ModelUnavailable):
        remote.embed_queries(["a", "b"])


def test_an_error_does_not_hold_the_key(remote: RemoteEmbedder, endpoint: FileServer) -> None:
    endpoint.pages["/v1/embeddings"] = Page(b"{}", status=401, content_type="application/json")
    with pytest.raises(ModelUnavailable) as raised:
        remote.warm_up()
    assert "secret-key" not in f"{raised.value!r} {remote.fingerprint}"


def test_models_of_two_endpoints_have_two_fingerprints() -> None:
    one, two = (RemoteEmbedder("m", base_url=f"https://{host}/v1", api_key=None) for host in ("a.example", "b.example"))
    assert one.fingerprint != two.fingerprint

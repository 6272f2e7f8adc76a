"""Models that fail while customers ask: the larger one in every way an endpoint can, and a file that is spoilt."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from knowledge.weights.library import ModelLibrary
from tests.bot.models.test_remote import CUT, GOOD, PAUSE, Endpoint, chunk
from tests.bot.servers import serving
from tests.conftest import MODELS
from tests.scenarios.conftest import Served, served
from tests.scenarios.faults.chance import chance
from tests.scenarios.faults.conftest import WORDS_ONLY

UNKNOWN = "What is the capital of France, please tell me?"
SMALL = "smollm2-135m-instruct-q4_1"
FAILURES = {
    "500": 500,
    "overloaded": 429,
    "garbage": ["<html>502 Bad Gateway</html>"],
    "another shape": [{"error": {"message": "no"}}, {"choices": "none"}],
    "cut before a word": [CUT],
    "cut in the middle": [chunk("巴"), CUT],
    "silent": [PAUSE],
    "silent in the middle": [chunk("巴"), PAUSE],
    "empty": [chunk("", "stop"), "[DONE]"],
}


@pytest.fixture
def endpoint() -> Iterator[tuple[Endpoint, str]]:
    endpoint = Endpoint()
    with serving(endpoint) as address:
        yield endpoint, address


def test_a_larger_model_that_fails_in_any_way_costs_no_error_and_is_asked_again(
    home: Path, endpoint: tuple[Endpoint, str]
) -> None:
    larger, address = endpoint
    remote = {
        "FRONTDESK_REMOTE__BASE_URL": f"{address}/v1",
        "FRONTDESK_REMOTE__RETRIES": "0",
        "FRONTDESK_REMOTE__TIMEOUT_SECONDS": "1",
        "FRONTDESK_REMOTE__BREAK_AFTER": "100",
    }
    with served(home, **WORDS_ONLY, **remote) as server, server.client as client:
        for name, failure in FAILURES.items():
            larger.script = [failure]  # type: ignore[list-item]
            reply = client.post("/api/chat", json={"question": UNKNOWN})
            assert (name, reply.status_code) == (name, 200)
            assert (name, reply.json()["outcome"], reply.json()["model"]) == (name, "refused", None)
        larger.script = [GOOD]
        assert client.post("/api/chat", json={"question": UNKNOWN}).json()["outcome"] == "escalated"


@pytest.fixture
def own_models(tmp_path: Path) -> Path:
    """Give a folder with a copy of the small model, to be spoilt."""
    found = ModelLibrary(MODELS).pull(SMALL)
    folder = tmp_path / "models"
    folder.mkdir()
    shutil.copy(found.path, folder)
    return folder / found.path.name


def grounded(home: Path, own_models: Path) -> dict[str, str]:
    """Return settings by which the small model words every answer."""
    return {
        "FRONTDESK_MODELS_DIR": str(own_models.parent),
        "FRONTDESK_MODELS__CHAT": SMALL,
        "FRONTDESK_ROUTING__DIRECT": "1",
        "FRONTDESK_ROUTING__GROUNDED": "0.01",
        "FRONTDESK_ROUTING__CLARIFY": "0.01",
    }


def ask(server: Served, question: str) -> dict[str, object]:
    with server.client as client:
        reply = client.post("/api/chat", json={"question": question})
    assert reply.status_code == 200, reply.text
    return dict(reply.json())


def test_a_model_file_that_is_spoilt_while_it_is_used_costs_words_only(home: Path, own_models: Path) -> None:
    """Its pages are mapped, so what is written to the file is what the model computes with from then on."""
    settings = grounded(home, own_models)
    with served(home, **settings) as server:
        ask(server, "怎么开发票")
        with own_models.open("r+b") as file:
            file.seek(own_models.stat().st_size // 4)
            file.write(chance().randbytes(own_models.stat().st_size // 2))
        for question in ("怎么开发票啊", "怎么修改收货地址", "怎么申请退货"):
            answer = ask(server, question)
            assert answer["answer"]
            assert answer["outcome"] in ("direct", "grounded", "clarify")
        assert server.process.poll() is None


def test_a_model_file_that_was_cut_is_said_at_the_next_start(home: Path, own_models: Path) -> None:
    with own_models.open("r+b") as file:
        file.truncate(own_models.stat().st_size // 2)
    with served(home, **grounded(home, own_models)) as server:
        assert ask(server, "怎么开发票")["outcome"] in ("direct", "clarify")
        with server.client as client:
            problems = client.get("/readyz").json()["problems"]
    assert any("models pull smollm2" in problem for problem in problems), problems

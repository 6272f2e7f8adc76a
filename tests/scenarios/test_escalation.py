"""The larger model is a second real server: FrontDesk's own /v1 with another model; then that server misbehaves."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from knowledge.weights.library import ModelLibrary
from tests.conftest import MODELS
from tests.scenarios.conftest import Served, served

LARGER = "smollm2-135m-instruct-q4_1"
UNKNOWN = "What is the capital of France, please tell me?"

pytestmark = pytest.mark.xdist_group("escalation")


@pytest.fixture(scope="module")
def larger(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """Run the second server, which knows no FAQ."""
    ModelLibrary(MODELS).pull(LARGER)
    with served(tmp_path_factory.mktemp("larger"), FRONTDESK_MODELS__CHAT=LARGER) as server:
        yield server


def remote(url: str) -> dict[str, str]:
    return {
        "FRONTDESK_MODELS__CHAT": "",
        "FRONTDESK_REMOTE__BASE_URL": url + "/v1",
        "FRONTDESK_REMOTE__MODEL": LARGER,
        "FRONTDESK_REMOTE__RETRIES": "0",
    }


def test_what_the_faq_does_not_answer_goes_to_the_larger_model(home: Path, larger: Served) -> None:
    with served(home, **remote(larger.url)) as server, server.client as client:
        answer = client.post("/api/chat", json={"question": UNKNOWN}).json()
    assert (answer["outcome"], answer["model"]) == ("escalated", LARGER)
    assert answer["answer"]


def test_a_larger_model_that_is_down_costs_no_error_page(home: Path) -> None:
    with served(home, **remote("http://127.0.0.1:9")) as server, server.client as client:
        answers = [client.post("/api/chat", json={"question": UNKNOWN}) for _ in range(4)]
        problems = client.get("/readyz").json()["problems"]
    assert [answer.status_code for answer in answers] == [200] * 4
    assert {answer.json()["outcome"] for answer in answers} == {"refused"}
    assert any("left alone" in problem for problem in problems)

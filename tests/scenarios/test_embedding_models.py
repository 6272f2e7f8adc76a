"""The large embedding model: chosen by `auto` where the machine runs it fast, and better than the small one."""

from __future__ import annotations

import json
import subprocess
from contextlib import suppress
from pathlib import Path

import pytest

from knowledge.embedding.choosing import chosen_model, models_for_this_machine
from knowledge.importing.files import read_faq_file
from knowledge.weights.catalogue import AUTOMATIC, LARGE_EMBEDDING, SMALL_EMBEDDING
from knowledge.weights.library import ModelLibrary
from tests.conftest import MODELS
from tests.scenarios.conftest import ROOT, run, served

BANK = ROOT / "examples" / "bank-en"

pytestmark = [pytest.mark.xdist_group("large embedding model"), pytest.mark.timeout(900)]


@pytest.fixture(scope="module")
def best(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Bring the large model where this machine runs it fast, as its user would; give the one that `auto` is then."""
    if LARGE_EMBEDDING in models_for_this_machine():
        with suppress(subprocess.TimeoutExpired):  # with a bad network, and only then, the small one stays
            pulled = run(tmp_path_factory.mktemp("pulling"), "models", "pull", LARGE_EMBEDDING)
            assert pulled.returncode == 0 or "could not be downloaded" in pulled.stderr, pulled.stderr
    return chosen_model(AUTOMATIC, ModelLibrary(MODELS))


@pytest.fixture(scope="module")
def bank_home(best: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make a folder in which the English example is imported and indexed by it."""
    home = tmp_path_factory.mktemp("bank")
    result = run(home, "faq", "import", str(BANK / "faq.csv"), "--kb", "bank", FRONTDESK_MODELS__EMBEDDING=AUTOMATIC)
    assert result.returncode == 0, result.stderr
    return home


def hit_rate(home: Path, model: str) -> float:
    suite, report = str(BANK / "questions.csv"), home / f"{model}.json"
    result = run(home, "evaluate", suite, "--kb", "bank", "--json", str(report), FRONTDESK_MODELS__EMBEDDING=model)
    assert result.returncode == 0, result.stderr
    rate: float = json.loads(report.read_text())["figures"]["hit1"]
    return rate


def test_auto_finds_what_the_small_model_misses(bank_home: Path, best: str) -> None:
    gained = hit_rate(bank_home, AUTOMATIC) - hit_rate(bank_home, SMALL_EMBEDDING)
    assert gained > 0.05 if best == LARGE_EMBEDDING else gained == 0


def test_a_customer_is_answered_by_the_model_that_auto_is(bank_home: Path) -> None:
    settings = {"FRONTDESK_MODELS__EMBEDDING": AUTOMATIC, "FRONTDESK_MODELS__CHAT": ""}
    question = "Hi there! Somebody nicked my purse and my debit card was in it. Thanks a lot"
    with served(bank_home, **settings) as server, server.client as client:
        reply = client.post("/api/chat", json={"question": question}).raise_for_status().json()
    [stolen] = [entry for entry in read_faq_file(BANK / "faq.csv").entries if entry.key == "BANK-002"]
    assert reply["answer"] == stolen.answer


def test_the_doctor_names_it(bank_home: Path, best: str) -> None:
    found = run(bank_home, "doctor", FRONTDESK_MODELS__EMBEDDING=AUTOMATIC, FRONTDESK_MODELS__CHAT="").stdout
    text, weights = " ".join(found.split()), ModelLibrary(MODELS).find(best, "embedding")
    assert f"{weights.record.name} is here and whole" in text
    assert ("finds more" in text) == (best != models_for_this_machine()[0])

"""The bench with the smallest real model, and with models that fall or are not there."""

from __future__ import annotations

import os
import signal
from pathlib import Path
from typing import Any

import pytest

from bot.bench import measuring
from bot.bench.running import Plan, bench, find
from bot.bench.words import FIGURES
from knowledge.errors import ModelUnavailable, UnknownModel
from knowledge.weights.catalogue import find_record
from knowledge.weights.library import ModelLibrary
from tests.conftest import MODELS

TINY = "smollm2-135m-instruct-q4_1"
QUICK = Plan(choices=None, questions=1, faq=Path(__file__).parents[3] / "examples" / "bank-en", repeats=1)


async def run(names: list[str], library: ModelLibrary) -> dict[str, Any]:
    return await bench(names, library, QUICK, threads=1, on_progress=lambda *_: None)


async def test_a_real_model_is_measured(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FRONTDESK_MODELS_DIR", str(MODELS))
    monkeypatch.setenv("FRONTDESK_MODELS__THREADS", "1")
    monkeypatch.setenv("FRONTDESK_MODELS__CONTEXT_TOKENS", "1024")
    monkeypatch.setenv("FRONTDESK_MODELS__MAX_ANSWER_TOKENS", "16")
    ModelLibrary(MODELS).pull(TINY)
    report = await run([TINY, "phi-2-q4_k_m-as-q8_0"], ModelLibrary(MODELS))
    measured, absent = report["models"]
    assert (measured["status"], measured["reason"]) == ("measured", "")
    missing = set(FIGURES) - set(measured["figures"])
    assert missing == {"first_2048_p50_s", "first_2048_p90_s"}  # its context is smaller
    figures = measured["figures"]
    assert figures["parameters"] == 134_515_008
    assert figures["file_bytes"] == find_record(TINY).size
    assert figures["peak_bytes"] > figures["file_bytes"]
    assert figures["cold_start_s"] > figures["load_s"] > 0
    assert all(0 <= figures[name] <= 1 for name in ("choices", "python", "follow_ups", "faq_right", "faq_passed"))
    assert len(measured["answers"]["FAQ"]) == 1
    assert absent["reason"] == "run: frontdesk models quantize phi-2-q4_k_m q8_0"


async def test_a_file_of_no_use_is_a_row_that_says_why(tmp_path: Path) -> None:
    path = tmp_path / "mine.gguf"
    path.write_bytes(b"not a model")
    report = await run([str(path), str(tmp_path / "none.gguf")], ModelLibrary(tmp_path))
    first, second = report["models"]
    assert (first["model"], first["status"]) == ("mine", "failed")
    assert "not a model that llama.cpp can load" in first["reason"]
    assert (second["status"], "there is no file" in second["reason"]) == ("absent", True)


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        (f"import os; os.kill(os.getpid(), {int(signal.SIGSEGV)})", "SIGSEGV"),
        ("raise RuntimeError('no more memory')", "no more memory"),
        ("import time; time.sleep(600)", "said nothing"),
    ],
)
async def test_a_model_that_falls_is_a_row_and_the_next_is_measured(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: str, reason: str
) -> None:
    path = tmp_path / "mine.gguf"
    path.write_bytes(b"GGUF")
    module = tmp_path / "bot" / "bench"
    module.mkdir(parents=True)
    for folder in (module, module.parent):
        (folder / "__init__.py").touch()
    (module / "measuring.py").write_text(code)
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("bot.bench.running.SILENCE_SECONDS", 3)
    report = await run([str(path), "phi-2-q4_k_m"], ModelLibrary(tmp_path))
    assert [row["status"] for row in report["models"]] == ["failed", "absent"]
    assert reason in report["models"][0]["reason"]


async def test_an_unknown_name_is_said_before_anything_is_measured(tmp_path: Path) -> None:
    with pytest.raises(UnknownModel):
        await run(["gpt-7"], ModelLibrary(tmp_path))


def test_a_fallback_is_not_measured_in_a_models_place(tmp_path: Path) -> None:
    fallback = find_record("qwen2.5-coder-0.5b-instruct-q4_k_m")
    with (tmp_path / fallback.file).open("wb") as file:
        file.truncate(fallback.size)  # a hole: it takes no room
    with pytest.raises(ModelUnavailable, match=r"pull qwen2\.5-0\.5b-instruct-q4_k_m"):
        find("qwen2.5-0.5b-instruct-q4_k_m", ModelLibrary(tmp_path))
    with pytest.raises(ModelUnavailable, match=r"bring https.*ggml-model-q4_k\.gguf to .*alpaca"):
        find("alpaca-7b-native-enhanced-q4_k", ModelLibrary(tmp_path))


def test_peak_memory_is_that_of_this_process() -> None:
    assert measuring.peak_memory() > 10 << 20
    assert measuring.peak_memory() < os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")

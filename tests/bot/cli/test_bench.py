from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.bot.cli.conftest import Run

FAQ = Path(__file__).parents[3] / "examples" / "bank-en"


@pytest.fixture(autouse=True)
def no_models(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("FRONTDESK_MODELS_DIR", str(tmp_path / "models"))


def test_models_that_are_absent_are_rows_and_say_how_to_get_them(frontdesk: Run) -> None:
    files = ("--json", "report.json", "--html", "report.html", "--markdown", "report.md")
    result = frontdesk("bench", "models", "phi-2-q4_k_m", "none.gguf", "--faq", str(FAQ), *files)
    assert result.status == 0
    assert "phi-2-q4_k_m absent: run: frontdesk models pull phi-2-q4_k_m" in result.out
    assert "none.gguf absent: there is no file none.gguf" in result.out
    report = json.loads(Path("report.json").read_text(encoding="utf-8"))
    assert [row["status"] for row in report["models"]] == ["absent", "absent"]
    assert "phi-2-q4_k_m" in Path("report.html").read_text(encoding="utf-8")
    assert "| phi-2-q4_k_m (absent" in Path("report.md").read_text(encoding="utf-8")
    assert list(Path("data/benchmarks").glob("models-*.json"))


def test_without_names_every_chat_model_is_a_row(frontdesk: Run) -> None:
    out = frontdesk("bench", "models", "--faq", str(FAQ)).out
    for name in ("gemma-3-270m", "tinyllama-1.1b", "phi-2", "alpaca-7b", "smollm2-135m", "qwen2.5-0.5b"):
        assert f"\n{name}" in out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("gpt-7", "--faq", str(FAQ)), "no model is called 'gpt-7'"),
        (("phi-2-q4_k_m",), "--faq"),
        (("phi-2-q4_k_m", "--faq", str(FAQ), "--choices", "none.csv"), "none.csv"),
    ],
)
def test_what_cannot_be_measured_is_one_line(frontdesk: Run, arguments: tuple[str, ...], message: str) -> None:
    result = frontdesk("bench", "models", *arguments)
    assert result.status == 1
    assert message in result.err
    assert "Traceback" not in result.err

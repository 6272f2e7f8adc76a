from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from tests.bot.cli.conftest import Run
from tests.bot.cli.test_faq import write

SUITE = "question,expected\n怎么退货,RET-1\n我要发票 怎么开,INV-1\n讲个笑话吧,none\n"


@pytest.fixture
def shop(frontdesk: Run) -> str:
    """Import the FAQ; give the path of a suite."""
    assert frontdesk("faq", "import", write()).status == 0
    return write(SUITE, "suite.csv")


def test_a_suite_gives_figures_a_report_and_a_page(frontdesk: Run, shop: str) -> None:
    result = frontdesk("evaluate", shop, "--json", "r.json", "--html", "r.html")
    assert result.status == 0, result.err
    assert "right entry first (hit@1)" in result.out
    report = json.loads(Path("r.json").read_text())
    assert report["figures"]["hit1"] == 1.0
    assert report["results"]["rightly silent"] == 1
    assert "<svg" in Path("r.html").read_text()


def test_the_second_time_it_says_what_changed(frontdesk: Run, shop: str) -> None:
    frontdesk("evaluate", shop)
    write("编号,问题,答案\nRET-2,怎么退货,十四天。\nRET-1,退款多久到账,三天。\n", "next.csv")
    assert frontdesk("faq", "import", "next.csv").status == 0
    again = frontdesk("evaluate", shop)
    assert "before" in again.out
    assert "right → wrong" in again.out
    assert len(list(Path("data/evaluations").glob("*/*.json"))) == 2


@pytest.mark.parametrize(("floor", "status"), [("hit1=0.9", 0), ("hit1=1.01", 1), ("false_answers=0", 0), ("ece=0", 1)])
def test_below_its_floor_it_fails(frontdesk: Run, shop: str, floor: str, status: int) -> None:
    assert frontdesk("evaluate", shop, "--floor", floor).status == status


@pytest.mark.parametrize("floor", ["hit9=1", "hit1", "hit1=much", "questions=3"])
def test_a_floor_that_means_nothing_is_refused(frontdesk: Run, shop: str, floor: str) -> None:
    assert frontdesk("evaluate", shop, "--floor", floor).status == 2


def test_the_knowledge_base_asks_its_own_variants(frontdesk: Run, shop: str) -> None:
    result = frontdesk("evaluate", "variants", "--json", "r.json")
    assert result.status == 0, result.err
    [question] = json.loads(Path("r.json").read_text())["questions"]
    assert (question["expected"], question["question"] in ("我要退货", "退货流程")) == (["RET-1"], True)
    assert "the harder this is" in " ".join(result.out.split())


def test_two_settings_are_compared(frontdesk: Run, shop: str) -> None:
    Path("a.toml").write_text("[routing]\ndirect = 0.85\n")
    Path("b.toml").write_text("[routing]\nclarify = 1.0\ngrounded = 1.0\ndirect = 1.0\n")
    result = frontdesk("evaluate", shop, "--compare", "a.toml", "b.toml", "--json", "r.json")
    assert result.status == 0, result.err
    assert json.loads(Path("r.json").read_text())["about"]["settings"] == "b.toml"
    assert "right → missed 我要发票 怎么开" in result.out
    assert "FRONTDESK_CONFIG" not in os.environ


def test_only_some_questions_are_asked(frontdesk: Run, shop: str) -> None:
    frontdesk("evaluate", shop, "--limit", "2", "--json", "r.json")
    assert json.loads(Path("r.json").read_text())["figures"]["questions"] == 2


def test_answers_are_asked_of_the_whole_path(frontdesk: Run, shop: str) -> None:
    write('{"question": "怎么退货", "expected": "RET-1", "phrases": ["30天"]}\n', "phrases.jsonl")
    result = frontdesk("evaluate", "phrases.jsonl", "--answers", "--json", "r.json")
    assert result.status == 0, result.err
    report = json.loads(Path("r.json").read_text())
    assert (report["outcomes"], report["results"]) == ({"direct": 1}, {"wrong": 1})


@pytest.mark.parametrize(("suite", "said"), [("absent.csv", "is neither a file"), ("log", "no agent has answered")])
def test_what_cannot_be_asked_is_said_in_one_line(frontdesk: Run, shop: str, suite: str, said: str) -> None:
    result = frontdesk("evaluate", suite)
    assert (result.status, result.err.count("error:")) == (1, 1)
    assert said in result.err


def test_without_entries_it_says_what_to_do(frontdesk: Run) -> None:
    result = frontdesk("evaluate", write(SUITE, "suite.csv"))
    assert result.status == 1
    assert "frontdesk faq import" in result.err

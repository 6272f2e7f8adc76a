from __future__ import annotations

import csv
from pathlib import Path

import pytest

from tests.bot.cli.conftest import Run
from tests.knowledge.calibration.test_fitting import ASKING, THINGS


@pytest.fixture
def shop(frontdesk: Run) -> None:
    """Import a shop whose entries have six variants each."""
    with Path("many.csv").open("w", encoding="utf-8", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["编号", "问题", "相似问", "答案"])
        for thing in [*THINGS, *(f"团购{thing}" for thing in THINGS)]:
            variants = "\n".join(asking.format(thing) for asking in ASKING)
            rows.writerow([thing, f"{thing}？", variants, f"{thing}请看这里。"])
    assert frontdesk("faq", "import", "many.csv").status == 0


def test_it_says_how_far_the_confidence_can_be_trusted(frontdesk: Run, shop: None) -> None:
    result = frontdesk("calibrate")
    assert result.status == 0, result.err
    assert "calibration error" in result.out
    assert all(outcome in result.out for outcome in ("direct", "grounded", "clarify", "none of these"))


def test_thresholds_are_applied_when_that_is_wished(frontdesk: Run, shop: None) -> None:
    wanted = ("calibrate", "--direct", "0.6", "--grounded", "0.6")
    assert "0.85" in frontdesk(*wanted).out
    assert frontdesk(*wanted, "--apply").status == 0
    assert "0.85" not in frontdesk(*wanted).out


def test_with_few_variants_it_says_what_to_do(frontdesk: Run) -> None:
    Path("few.csv").write_text("问题,答案\n怎么退货？,七天内。\n", encoding="utf-8")
    frontdesk("faq", "import", "few.csv")
    result = frontdesk("calibrate")
    assert (result.status, "more ways of asking" in result.err) == (1, True)


def test_without_entries_it_says_what_to_do(frontdesk: Run) -> None:
    result = frontdesk("calibrate")
    assert (result.status, "frontdesk faq import" in result.err) == (1, True)

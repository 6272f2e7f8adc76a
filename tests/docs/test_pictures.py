"""The pictures of the documents."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from typing import Any

import pytest

from docs.tools.thresholds import COLORS, pictures
from tests.docs.pages import ROOT

IMAGES = ROOT / "docs" / "images"


def asked(confidence: float, expected: list[str], found: list[str]) -> dict[str, Any]:
    return {"confidence": confidence, "expected": expected, "found": found}


REPORT = {
    "about": {"bands": {"direct": 0.85, "grounded": 0.5, "clarify": 0.25}},
    "questions": [
        *[asked(0.9, ["A"], ["A", "B"])] * 30,
        *[asked(0.6, ["A"], ["B"])] * 10,
        *[asked(0.1, [], ["B"])] * 20,
    ],
}


def heights(drawing: str, kind: str) -> list[float]:
    bars = [
        part
        for part in ET.fromstring(drawing).iter()
        if part.get("fill") == COLORS[kind] and part.get("height") != "12.0"
    ]
    return [float(bar.get("height", 0)) for bar in bars if float(bar.get("height", 0)) > 0]


@pytest.mark.parametrize("ending", ["svg", "zh-CN.svg"])
def test_a_bar_is_as_high_as_its_questions_are_many(ending: str) -> None:
    drawing = pictures(REPORT)[f"confidence.{ending}"]
    [right], [other], [none] = (heights(drawing, kind) for kind in ("right", "other", "none"))
    assert right / other == pytest.approx(3, abs=0.01)
    assert none / other == pytest.approx(2, abs=0.01)


def test_every_drawing_is_kept_with_the_documents() -> None:
    assert all(ET.parse(IMAGES / name) for name in pictures(REPORT))


def test_photographs_are_small() -> None:
    photographs = sorted(IMAGES.glob("*.png"))
    assert [path.name for path in photographs] == ["chat.png", "chat.zh-CN.png", "inbox.png", "inbox.zh-CN.png"]
    assert all(path.stat().st_size < 150_000 for path in photographs)

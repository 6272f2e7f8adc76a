from __future__ import annotations

from html.parser import HTMLParser
from typing import Any

import pytest

from bot.bench.page import to_html, to_markdown
from bot.bench.words import FIGURES, WORDS

FIGURES_OF_ONE = dict.fromkeys(FIGURES, 0.5) | {"parameters": 135e6, "file_bytes": 98e6, "peak_bytes": 300e6}
REPORT: dict[str, Any] = {
    "about": {
        "at": "2026-11-25T20:00:00+00:00",
        "processor": "some <processor>",
        "cores": 2,
        "threads": 2,
        "load_average": 0.1,
        "llama_cpp_python": "0.3.36",
        "choices": "choices_zh.csv",
        "faq": "shop-zh",
        "questions": 0,
        "repeats": 5,
    },
    "models": [
        {
            "model": "one",
            "status": "measured",
            "reason": "",
            "figures": FIGURES_OF_ONE,
            "answers": {
                "FAQ": [{"question": "几天？", "answer": "<script>alert(1)</script>", "right": False, "passed": True}],
                "Python": [{"task": "f", "answer": "def f(): ...", "problem": "raised NameError"}],
            },
        },
        {"model": "two", "status": "absent", "reason": "run: frontdesk models pull two", "figures": {}, "answers": {}},
        {
            "model": "three|3",
            "status": "failed",
            "reason": "ended by SIGKILL",
            "figures": {"load_s": 1.0},
            "answers": {},
        },
    ],
}


class Tags(HTMLParser):
    """Notes what a page would load, and whether its tags are balanced."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.seen: set[str] = set()
        self.loads: list[str] = []

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.seen.add(tag)
        self.loads += [str(value) for name, value in attributes if name in ("src", "href")]
        if tag not in ("meta", "br"):
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.seen.add(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


@pytest.mark.parametrize("language", ["zh", "en"])
def test_the_page_stands_alone(language: str) -> None:
    tags = Tags()
    tags.feed(to_html(REPORT, language))
    assert (tags.open, tags.loads) == ([], [])
    assert "script" not in tags.seen
    assert "circle" in tags.seen


def test_the_page_says_why_a_model_has_no_figures() -> None:
    text = to_html(REPORT, "en")
    assert "run: frontdesk models pull two" in text
    assert "ended by SIGKILL" in text
    assert "some &lt;processor&gt;" in text


def test_a_page_without_a_measured_model_can_be_made() -> None:
    assert "run: frontdesk models pull two" in to_html({**REPORT, "models": REPORT["models"][1:2]}, "zh")


def test_markdown_has_a_row_for_each_model() -> None:
    lines = to_markdown(REPORT).splitlines()
    rows = [line for line in lines if line.startswith("|")][2:]
    assert [row.split(" ")[1] for row in rows] == ["one", "two", "three\\|3"]
    assert "absent: run: frontdesk models pull two" in rows[1]
    assert len({row.replace("\\|", "").count("|") for row in rows}) == 1


def test_words_are_there_in_both_languages() -> None:
    assert WORDS["zh"].keys() == WORDS["en"].keys()

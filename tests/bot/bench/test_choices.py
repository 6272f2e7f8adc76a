from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import pytest

from bot.bench.choices import LETTERS, Choice, Chooser, read_choices
from knowledge.errors import SuiteUnreadable
from knowledge.weights.catalogue import CHATML
from knowledge.weights.library import ModelLibrary
from tests.conftest import MODELS

ROW = {"question": "中国的首都是哪里？", "options": {"A": "上海", "B": "北京"}, "answer": "B"}


def test_our_own_questions_are_a_hundred_with_evenly_spread_answers() -> None:
    choices = read_choices(None, 0)
    assert len(choices) == len({choice.question for choice in choices}) == 100
    assert Counter(choice.answer for choice in choices) == dict.fromkeys(LETTERS, 25)


def test_the_options_of_our_own_questions_differ() -> None:
    for choice in read_choices(None, 0):
        assert len(set(choice.options.values())) == len(LETTERS), choice.question
        assert all(choice.options.values()), choice.question


def test_fin_eva_is_read_from_its_file_or_folder(tmp_path: Path) -> None:
    path = tmp_path / "mcq.jsonl"
    path.write_text(json.dumps(ROW, ensure_ascii=False) + "\n\n", encoding="utf-8")
    expected = [Choice("中国的首都是哪里？", {"A": "上海", "B": "北京"}, "B")]
    assert read_choices(path, 0) == read_choices(tmp_path, 0) == expected


def test_fewer_are_evenly_chosen() -> None:
    every = read_choices(None, 0)
    assert read_choices(None, 4) == [every[0], every[25], every[50], every[75]]
    assert read_choices(None, 1_000) == every


@pytest.mark.parametrize("text", ["", "{", "7", '{"question": "?"}'])
def test_a_file_of_no_use_is_said(tmp_path: Path, text: str) -> None:
    path = tmp_path / "mine.jsonl"
    path.write_text(text)
    with pytest.raises(SuiteUnreadable, match=r"mine\.jsonl"):
        read_choices(path, 0)


def test_a_missing_file_is_said(tmp_path: Path) -> None:
    with pytest.raises(SuiteUnreadable, match=r"none\.csv"):
        read_choices(tmp_path / "none.csv", 0)


def test_a_real_model_chooses_one_of_the_letters() -> None:
    chooser = Chooser(ModelLibrary(MODELS).pull("smollm2-135m-instruct-q4_1").path, CHATML, threads=1)
    choice, other = read_choices(None, 2)
    chosen = chooser.choose(choice)
    assert chosen in choice.options
    chooser.choose(other)
    assert chooser.choose(choice) == chosen  # nothing is left of the one before
    assert chooser.choose(Choice("谁？" * 3_000, choice.options, "A")) is None
    only = Choice(choice.question, {"E": "以上都不是"}, "E")
    assert chooser.choose(only) == "E"
    chooser.close()

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest

import knowledge.calibration.fitting as fitting
from knowledge.calibration.fitting import calibrate
from knowledge.calibration.questions import out_of_scope
from knowledge.confidence import calibration_for
from knowledge.embedding.gguf import GgufEmbedder
from knowledge.entries import Entry
from knowledge.index.snapshot import Located, Snapshot, open_snapshot
from knowledge.text import Language, bare
from tests.knowledge.fakes import HashEmbedder

THINGS = ["退货", "发票", "运费", "积分", "优惠券", "门店", "安装", "保修", "会员", "地址", "尺码", "清洗"]
ASKING = ["怎么办理{}", "{}要多久呀", "请问{}在哪里弄", "我想问一下{}的事情", "关于{}有什么规定", "{}找谁"]


@pytest.fixture
def shop_of_twelve(tmp_path: Path, hash_embedder: HashEmbedder) -> Snapshot:
    """Give a shop whose questions have six variants each."""
    entries = [
        Located(
            "shop", Entry(key=thing, question=f"{thing}？", variants=variants_of(thing), answer=f"{thing}请看这里。")
        )
        for thing in THINGS
    ]
    return open_snapshot(tmp_path / "index", entries, hash_embedder)


def variants_of(thing: str) -> tuple[str, ...]:
    return tuple(asking.format(thing) for asking in ASKING)


def test_a_knowledge_base_with_variants_calibrates_itself(
    shop_of_twelve: Snapshot, hash_embedder: HashEmbedder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fitting, "MIN_QUESTIONS", 30)
    fitted = calibrate(shop_of_twelve, hash_embedder)
    variants, twelve = fitting.FOLDS * len(THINGS), fitting.OUT_OF_SCOPE
    assert fitted.questions == 2 * variants + twelve
    assert fitted.calibration != calibration_for(hash_embedder.name)
    assert fitted.right[:twelve].any()
    assert not fitted.right[-twelve:].any()
    assert fitted.confidence[fitted.right].mean() > fitted.confidence[~fitted.right].mean() + 0.2


def test_what_has_no_answer_weighs_as_much_as_is_said(
    shop_of_twelve: Snapshot, hash_embedder: HashEmbedder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fitting, "MIN_QUESTIONS", 30)
    weights = calibrate(shop_of_twelve, hash_embedder).weights
    unanswered = weights[weights != 1.0].sum()
    assert unanswered / weights.sum() == pytest.approx(fitting.UNANSWERED)


def test_with_few_variants_the_shipped_calibration_stays(
    tmp_path: Path, shop: list[Located], hash_embedder: HashEmbedder
) -> None:
    fitted = calibrate(open_snapshot(tmp_path, shop, hash_embedder), hash_embedder)
    assert (fitted.calibration, fitted.questions) == (calibration_for(hash_embedder.name), 0)


def test_it_is_the_same_each_time(
    shop_of_twelve: Snapshot, hash_embedder: HashEmbedder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fitting, "MIN_QUESTIONS", 30)
    first, second = (calibrate(shop_of_twelve, hash_embedder) for _ in range(2))
    assert first.calibration == second.calibration
    assert np.array_equal(first.confidence, second.confidence)


@pytest.mark.parametrize("language", ["zh", "en"])
def test_there_are_enough_questions_that_nobody_answers(language: Language) -> None:
    questions = out_of_scope(language)
    assert len({bare(question) for question in questions}) == len(questions) >= 300
    path = Path(fitting.__file__).with_name(f"out_of_scope_{language}.csv")
    with path.open(encoding="utf-8", newline="") as file:
        assert {row["kind"] for row in csv.DictReader(file)} == {"smalltalk", "knowledge", "task", "life", "elsewhere"}


def test_the_real_model_tells_its_variants_from_what_is_out_of_scope(
    tmp_path: Path, e5: GgufEmbedder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fitting, "MIN_QUESTIONS", 30)
    entries = [
        Located(
            "shop", Entry(key=thing, question=f"{thing}？", variants=variants_of(thing), answer=f"{thing}请看这里。")
        )
        for thing in THINGS
    ]
    fitted = calibrate(open_snapshot(tmp_path, entries, e5), e5)
    assert fitted.confidence[fitted.right].mean() > fitted.confidence[-fitting.OUT_OF_SCOPE :].mean() + 0.3

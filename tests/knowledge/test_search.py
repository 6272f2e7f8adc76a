from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import pytest

from knowledge import search
from knowledge.confidence import calibration_for
from knowledge.embedding.absent import AbsentEmbedder
from knowledge.embedding.base import Embedder
from knowledge.embedding.gguf import GgufEmbedder
from knowledge.entries import Entry
from knowledge.importing.files import read_faq_file
from knowledge.index.base import UnreachedIndex
from knowledge.index.snapshot import Located, open_snapshot
from knowledge.opening import open_searcher
from knowledge.search import Query, Searcher
from tests.knowledge.fakes import HashEmbedder

EXAMPLES = Path(__file__).parents[2] / "examples"
TODAY = date(2026, 5, 1)
DAY = timedelta(days=1)


def searcher(folder: Path, entries: list[Located], embedder: Embedder) -> Searcher:
    return Searcher(open_snapshot(folder, entries, embedder), embedder, calibration_for(embedder.name))


@pytest.fixture
def small(tmp_path: Path, shop: list[Located], hash_embedder: HashEmbedder) -> Searcher:
    """Give a searcher over three entries, without a model."""
    return searcher(tmp_path / "index", shop, hash_embedder)


def found(searcher: Searcher, question: str, *, today: date = TODAY) -> list[str]:
    return [candidate.entry.key for candidate in searcher.search(Query(question), today=today).candidates]


def at_shop(**values: object) -> Located:
    given = {"key": "returns", "question": "怎么退货？", "answer": "七天内。", **values}
    return Located("shop", Entry(**given))  # type: ignore[arg-type]


# Rules, with the embedder of the tests


@pytest.mark.parametrize(
    "question", ["怎么退货？", " 怎么 退货", "我要退货!", "东西不想要了。", "ＷＨＥＮ are you open"]
)
def test_a_question_in_the_words_of_an_entry_is_certain(small: Searcher, question: str) -> None:
    assert small.search(Query(question), today=TODAY).confidence == 1.0


def test_a_question_in_the_words_of_an_entry_puts_it_first(small: Searcher) -> None:
    assert found(small, "要发票")[0] == "invoice"


@pytest.mark.parametrize("question", ["发票怎么弄", "彩虹是什么颜色", "", "？", "x" * 2_000, "\u200b"])
def test_any_other_question_has_a_probability(small: Searcher, question: str) -> None:
    assert 0 <= small.search(Query(question), today=TODAY).confidence <= 1


def test_candidates_come_best_first_and_no_more_than_asked(small: Searcher) -> None:
    candidates = small.search(Query("发票怎么弄"), today=TODAY, count=2).candidates
    assert len(candidates) == 2
    assert candidates[0].fused_score >= candidates[1].fused_score


def test_a_candidate_names_the_line_that_matched(small: Searcher) -> None:
    best = small.search(Query("我要退货呀"), today=TODAY).best
    assert best is not None
    assert (best.entry.key, best.matched, best.knowledge_base) == ("returns", "我要退货", "shop")


def test_a_candidate_is_shown_with_every_score(small: Searcher) -> None:
    best = small.search(Query("我要退货呀"), today=TODAY).best
    assert best is not None
    shown = best.to_dict()
    assert {name for name in shown if name.endswith("_score")} == {
        "question_score",
        "answer_score",
        "bm25_score",
        "classifier_score",
        "fused_score",
    }


@pytest.mark.parametrize("status", ["draft", "disabled"])
def test_an_entry_that_is_not_published_is_hidden(tmp_path: Path, shop: list[Located], status: str) -> None:
    hidden = replace(shop[0], entry=replace(shop[0].entry, status=status))  # type: ignore[arg-type]
    assert "returns" not in found(searcher(tmp_path, [hidden, *shop[1:]], HashEmbedder()), "怎么退货？")


@pytest.mark.parametrize(("day", "shown"), [(-1, False), (0, True), (1, True), (2, False)])
def test_an_entry_is_shown_on_its_days_only(tmp_path: Path, shop: list[Located], day: int, shown: bool) -> None:
    season = at_shop(key="season", question="春节发货吗？", valid_from=TODAY, valid_until=TODAY + DAY)
    keys = found(searcher(tmp_path, [*shop, season], HashEmbedder()), "春节发货吗？", today=TODAY + day * DAY)
    assert ("season" in keys) is shown


def test_nothing_live_is_no_evidence(tmp_path: Path) -> None:
    evidence = searcher(tmp_path, [at_shop(status="draft")], HashEmbedder()).search(Query("怎么退货？"), today=TODAY)
    assert (evidence.candidates, evidence.confidence, evidence.best) == ([], 0.0, None)


def test_the_answer_of_the_season_is_certain_though_last_seasons_has_the_same_question(tmp_path: Path) -> None:
    last = at_shop(key="last", answer="过年不发货。", valid_until=TODAY - DAY)
    current = at_shop(key="current", answer="每天都发货。", valid_from=TODAY)
    other = at_shop(key="other", question="怎么开发票？", answer="在订单里。")
    evidence = searcher(tmp_path, [last, current, other], HashEmbedder()).search(Query("怎么退货？"), today=TODAY)
    assert evidence.best is not None
    assert (evidence.best.entry.key, evidence.confidence) == ("current", 1.0)


def test_a_crowd_of_hidden_entries_does_not_push_out_a_live_one(tmp_path: Path) -> None:
    hidden = [at_shop(key=f"old{n}", question=f"怎么退货 {n}", status="disabled") for n in range(60)]
    live = at_shop(key="live", question="退货地址在哪里？", answer="仓库。")
    assert found(searcher(tmp_path, [*hidden, live], HashEmbedder()), "怎么退货 7") == ["live"]


def test_an_earlier_question_gives_a_short_one_its_topic(small: Searcher) -> None:
    def score(query: Query) -> float:
        candidates = small.search(query, today=TODAY).candidates
        return next(candidate.fused_score for candidate in candidates if candidate.entry.key == "invoice")

    alone = score(Query("怎么弄"))
    assert score(Query("怎么弄", topic="开发票")) > alone
    assert score(Query("怎么弄", topic="纸张", about="怎么开发票？")) > score(Query("怎么弄", topic="纸张"))


def test_a_question_in_the_words_of_an_entry_ignores_the_topic(small: Searcher) -> None:
    evidence = small.search(Query("怎么退货？", topic="开发票"), today=TODAY)
    assert evidence.best is not None
    assert (evidence.best.entry.key, evidence.confidence) == ("returns", 1.0)


def test_an_entry_may_stand_alone(tmp_path: Path) -> None:
    assert found(searcher(tmp_path, [at_shop()], HashEmbedder()), "退货") == ["returns"]


# Words alone


def test_words_alone_still_find(tmp_path: Path, shop: list[Located]) -> None:
    words_only = searcher(tmp_path, shop, AbsentEmbedder())
    assert found(words_only, "发票在哪里申请")[0] == "invoice"
    assert found(words_only, "opening hours: are you open today?")[0] == "hours"


def test_words_alone_are_certain_of_the_words_of_an_entry(tmp_path: Path, shop: list[Located]) -> None:
    assert searcher(tmp_path, shop, AbsentEmbedder()).search(Query("要发票"), today=TODAY).confidence == 1.0


def test_a_question_of_stop_words_is_found_among_many_by_words_alone(tmp_path: Path) -> None:
    crowd = [at_shop(key=f"k{n}", question=f"第{n}个问题", answer=f"{n}") for n in range(60)]
    last = at_shop(key="last", question="What can I do?", answer="Shop.")
    assert found(searcher(tmp_path, [*crowd, last], AbsentEmbedder()), "what can i do")[:1] == ["last"]


# The example, with the real model


@pytest.fixture(scope="module")
def example(e5: GgufEmbedder, tmp_path_factory: pytest.TempPathFactory) -> Searcher:
    """Give a searcher over the example shop's first entries."""
    entries = read_faq_file(EXAMPLES / "shop-zh/faq.csv").entries[:20]
    short = [replace(entry, variants=entry.variants[:2]) for entry in entries]
    return searcher(tmp_path_factory.mktemp("shop"), [Located("shop", entry) for entry in short], e5)


@pytest.mark.xdist_group("e5")
def test_every_entry_of_the_example_is_found_by_its_own_question(example: Searcher) -> None:
    for located in example.snapshot.entries:
        evidence = example.search(Query(located.entry.question), today=TODAY)
        assert evidence.best is not None
        assert (evidence.best.entry.key, evidence.confidence) == (located.entry.key, 1.0)


@pytest.mark.xdist_group("e5")
@pytest.mark.parametrize(
    ("question", "key"),
    [
        ("下了单不付钱能给我留多长时间啊", "SHOP-006"),
        ("刚买的不想要了可以取消吗 状态是待发货", "SHOP-004"),
        ("礼品卡有没有使用期限 一次花不完怎么办", "SHOP-016"),
        ("两千多的沙发能用信用卡分几期还不", "SHOP-014"),
    ],
)
def test_a_paraphrase_finds_its_entry(example: Searcher, question: str, key: str) -> None:
    assert found(example, question)[0] == key


@pytest.mark.xdist_group("e5")
def test_a_paraphrase_is_trusted_more_than_a_question_from_elsewhere(example: Searcher) -> None:
    near = example.search(Query("下了单不付钱能给我留多长时间啊"), today=TODAY).confidence
    far = example.search(Query("珠穆朗玛峰有多高"), today=TODAY).confidence
    assert near > far


# Read as it was meant


def test_traditional_characters_find_an_entry_in_simplified_ones_and_the_other_way_round(tmp_path: Path) -> None:
    simplified, traditional = at_shop(key="s", question="怎么开发票？"), at_shop(key="t", question="運費怎麼計算")
    both = searcher(tmp_path, [simplified, traditional], HashEmbedder())
    assert both.search(Query("怎麼開發票"), today=TODAY).confidence == 1.0
    assert both.search(Query("运费怎么计算？"), today=TODAY).confidence == 1.0


def test_synonyms_are_read_as_the_words_of_the_faq(small: Searcher) -> None:
    assert found(small.with_synonyms(["发票，小禾票"]), "小禾票呢")[0] == "invoice"


def test_a_misspelt_question_is_searched_as_it_was_meant(tmp_path: Path, shop: list[Located]) -> None:
    opened = open_searcher(tmp_path, shop, HashEmbedder())
    as_meant = opened.search(Query("退货呢，几天"), today=TODAY)
    assert opened.search(Query("退获呢，几天"), today=TODAY) == as_meant
    assert opened.search(Query("退货呢，几天"), today=TODAY) == as_meant


# Follow-ups


def test_a_follow_up_leaves_the_entry_before_if_another_has_its_words(small: Searcher) -> None:
    stays = small.search(Query("那几天呢", "怎么退", "怎么退货？"), today=TODAY)
    leaves = small.search(Query("那发票呢", "怎么退", "怎么退货？"), today=TODAY)
    assert stays.best is not None
    assert leaves.best is not None
    assert (stays.best.entry.key, leaves.best.entry.key) == ("returns", "invoice")


def test_what_it_was_about_may_be_gone(small: Searcher) -> None:
    assert small.search(Query("那发票呢", "怎么退", "没有这条"), today=TODAY).candidates


# Very many entries


@pytest.mark.parametrize("question", ["发票怎么弄", "我要退货呀", "when do you open", "彩虹是什么颜色"])
def test_very_many_entries_are_searched_as_a_few_are(
    small: Searcher, question: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    few = small.search(Query(question), today=TODAY, count=2)
    monkeypatch.setattr(search, "SORTED", 2)
    monkeypatch.setattr(search, "CLASSIFIED", 2)
    many = small.search(Query(question), today=TODAY, count=2)
    assert [each.entry.key for each in many.candidates] == [each.entry.key for each in few.candidates]
    assert many.confidence == pytest.approx(few.confidence, abs=1e-4)


def test_each_day_has_its_own_entries(tmp_path: Path, hash_embedder: HashEmbedder) -> None:
    entries = [at_shop(valid_until=TODAY), at_shop(key="later", question="要怎么退货", valid_from=TODAY + DAY)]
    both = searcher(tmp_path / "index", entries, hash_embedder)
    days = (TODAY, TODAY + DAY, TODAY)
    assert [found(both, "怎么才能退货", today=day) for day in days] == [["returns"], ["later"], ["returns"]]


# Without the index of vectors


@pytest.mark.parametrize("classified", [20_000, 1])
def test_while_the_index_is_away_words_and_the_classifier_find_what_there_is(
    tmp_path: Path, shop: list[Located], monkeypatch: pytest.MonkeyPatch, classified: int
) -> None:
    monkeypatch.setattr("knowledge.search.CLASSIFIED", classified)
    opened = open_searcher(tmp_path, shop, HashEmbedder())
    whole = opened.search(Query("发票怎么弄"), today=TODAY)
    opened.snapshot.dense = UnreachedIndex("gone")
    without = opened.search(Query("发票怎么弄"), today=TODAY)
    assert (whole.whole, without.whole) == (True, False)
    assert without.best
    assert without.best.entry.key == "invoice"
    assert without.best.bm25_score > 0
    assert without.best.classifier_score > without.candidates[-1].classifier_score
    assert 0 < without.confidence < whole.confidence
    exact = opened.search(Query("怎么开发票？"), today=TODAY)
    assert (exact.confidence, exact.whole) == (1.0, False)

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from bot import review as review_module
from bot.review import Cluster, Nearest, Review, with_variants
from bot.store.database import Database
from bot.store.review import ReviewStore
from knowledge.embedding.base import Vectors
from knowledge.errors import IndexUnavailable, ModelUnavailable
from tests.bot.fakes import RETURNS, StubKnowledge
from tests.bot.past import Past, server_in
from tests.knowledge.fakes import HashEmbedder


class _Centered:
    """A searcher of which only the centre matters."""

    def __init__(self) -> None:
        self.snapshot = self
        self.center = HashEmbedder().embed_queries(["which day is the museum shut"])[0] / 2


def days_ago(days: float) -> datetime:
    return datetime.now(UTC) - timedelta(days=days)


@pytest.fixture
def past(database: Database) -> Past:
    return Past(database)


@pytest.fixture
def knowledge() -> StubKnowledge:
    knowledge = StubKnowledge(0.3)
    knowledge.embedder = HashEmbedder()
    return knowledge


@pytest.fixture
def review(database: Database, knowledge: StubKnowledge) -> Review:
    return Review(ReviewStore(database), knowledge)  # type: ignore[arg-type]


async def clusters(review: Review, days: int = 30, **values: Any) -> list[Cluster]:
    listing = await review.listing(days, **values)
    assert listing.total == len(listing.clusters)
    return listing.clusters


async def ask(past: Past, *questions: str, outcome: str = "refused") -> None:
    for question in questions:
        await past.asked(days_ago(0), outcome, question=question)


async def test_questions_that_mean_the_same_are_one_matter_the_commonest_first(
    past: Past, review: Review, knowledge: StubKnowledge
) -> None:
    knowledge.searcher = _Centered()  # type: ignore[assignment]
    await ask(past, "which day is the museum shut", "怎么修理电视机")
    await ask(past, "怎么修理电视机啊", "请问怎么修理电视机", outcome="clarify")
    televisions, museum = await clusters(review)
    assert televisions.count == 3
    assert set(televisions.questions) == {"怎么修理电视机", "怎么修理电视机啊", "请问怎么修理电视机"}
    assert televisions.question == televisions.questions[0] == "怎么修理电视机"
    assert televisions.kinds == {"refused": 1, "escalated": 0, "clarify": 2, "down": 0}
    assert museum.questions == ["which day is the museum shut"]
    assert televisions.id != museum.id


async def test_a_cluster_has_what_a_person_last_answered(past: Past, review: Review) -> None:
    for day in (3, 2, 1):
        await past.asked(days_ago(day), "refused", question="怎么修电视", conversation=f"talk-{day}")
    await past.wrote(days_ago(2.9), "我们不修电视。", conversation="talk-3")
    await past.wrote(days_ago(1.9), "请联系厂家。", conversation="talk-2")
    (found,) = await clusters(review)
    assert found.agent_answer == "请联系厂家。"


async def test_the_same_words_are_one_question_in_the_newest_wording(past: Past, review: Review) -> None:
    await past.asked(days_ago(1), "refused", question="怎么修电视")
    await past.asked(days_ago(0), "refused", question="怎么修电视？？")
    (found,) = await clusters(review)
    assert (found.questions, found.count) == (["怎么修电视？？"], 2)


async def test_the_trend_has_a_number_a_day_of_the_server_oldest_first(past: Past, review: Review) -> None:
    noon = datetime.now(UTC).replace(hour=12)
    with server_in("UTC"):
        for days in (3, 2, 0, 0):
            await past.asked(noon - timedelta(days=days), "refused", question="怎么修电视")
        (found,) = await clusters(review, days=3)
    assert found.trend == [1, 0, 2]
    assert found.count == 3
    assert found.last_at == noon


async def test_one_kind_is_listed_alone(past: Past, review: Review) -> None:
    await ask(past, "怎么修电视")
    await past.asked(days_ago(0), "direct", question="bad answer", rating="down")
    assert [found.question for found in await clusters(review, kind="down")] == ["bad answer"]


async def test_what_has_no_words_is_not_for_review(past: Past, review: Review) -> None:
    await ask(past, "？？？")
    assert await clusters(review) == []


async def test_the_nearest_entry_stands_beside_and_is_found_once(
    past: Past, review: Review, knowledge: StubKnowledge
) -> None:
    await ask(past, "怎么修电视")
    assert (await clusters(review))[0].nearest == Nearest("default", "RET-1", RETURNS.question, 0.3)
    await clusters(review)
    assert [query.text for query in knowledge.queries] == ["怎么修电视"]


async def test_the_nearest_entry_is_found_anew_in_a_new_release(
    past: Past, review: Review, knowledge: StubKnowledge
) -> None:
    await ask(past, "怎么修电视")
    await clusters(review)
    knowledge.searcher, knowledge.confidence = _Centered(), 0.9  # type: ignore[assignment]
    (found,) = await clusters(review)
    assert found.nearest is not None
    assert found.nearest.confidence == 0.9


async def test_the_nearest_entry_is_sought_for_the_first_and_only_so_many_are_listed(
    past: Past, review: Review, knowledge: StubKnowledge, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(review_module, "MAX_NEAREST", 1)
    monkeypatch.setattr(review_module, "MAX_CLUSTERS", 2)
    await ask(past, "怎么修电视", "which day is the museum shut", "怎么修电视？", "0123456789")
    listing = await review.listing(30)
    assert (listing.total, len(listing.clusters)) == (3, 2)
    assert [found.nearest is None for found in listing.clusters] == [False, True]
    assert [query.text for query in knowledge.queries] == ["怎么修电视？"]


async def test_without_a_release_nothing_is_near_but_once_there_is_one(
    past: Past, review: Review, knowledge: StubKnowledge
) -> None:
    await ask(past, "怎么修电视")
    knowledge.failure = IndexUnavailable("nothing")
    assert (await clusters(review))[0].nearest is None
    knowledge.failure = None
    assert (await clusters(review))[0].nearest is not None


async def test_two_questions_are_told_together_by_what_is_published_not_by_each_other(
    past: Past, review: Review, knowledge: StubKnowledge
) -> None:
    await ask(past, "怎么修理电视机", "怎么修理电视机啊")
    assert len(await clusters(review)) == 2
    knowledge.searcher = _Centered()  # type: ignore[assignment]
    assert len(await clusters(review)) == 1


async def test_questions_are_embedded_once(past: Past, review: Review, knowledge: StubKnowledge) -> None:
    await ask(past, "怎么修电视")
    await clusters(review)
    await ask(past, "怎么退货")
    await clusters(review)
    assert isinstance(knowledge.embedder, HashEmbedder)
    assert knowledge.embedder.embedded == ["怎么修电视", "怎么退货"]


async def test_the_memory_of_vectors_is_bounded(
    past: Past, review: Review, knowledge: StubKnowledge, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(review_module, "MAX_VECTORS", 1)
    await ask(past, "怎么修电视", "怎么退货")
    assert len(await clusters(review)) == len(await clusters(review)) == 2
    assert isinstance(knowledge.embedder, HashEmbedder)
    assert len(knowledge.embedder.embedded) == 3


async def test_only_the_newest_questions_are_looked_at(
    past: Past, review: Review, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(review_module, "MAX_QUESTIONS", 2)
    for number in range(3):
        await past.asked(days_ago(number), "refused", question=f"{number * 7} apples")
    assert {found.question for found in await clusters(review)} == {"0 apples", "7 apples"}


async def test_without_an_embedding_model_the_same_words_still_meet(
    past: Past, review: Review, knowledge: StubKnowledge
) -> None:
    knowledge.embedder = StubKnowledge().embedder
    await ask(past, "怎么修电视", "怎么修电视？", "怎么修电视啊")
    assert sorted(found.count for found in await clusters(review)) == [1, 2]


async def test_nobody_waits_long_for_questions_to_be_compared(
    past: Past, review: Review, knowledge: StubKnowledge, monkeypatch: pytest.MonkeyPatch
) -> None:
    knowledge.searcher = _Centered()  # type: ignore[assignment]
    monkeypatch.setattr(review_module, "EMBED_TEXTS", 1)
    monkeypatch.setattr(review_module, "EMBED_SECONDS", -1)
    await ask(past, "怎么修理电视机", "怎么修理电视机啊")
    first, second = await review.listing(30), await review.listing(30)
    assert (first.ungrouped, first.total) == (1, 2)
    assert (second.ungrouped, second.total) == (0, 1)


class _FailingEmbedder(HashEmbedder):
    def embed_queries(self, texts: Sequence[str]) -> Vectors:
        raise ModelUnavailable("far away")


async def test_an_embedder_that_fails_does_not_close_the_page(
    past: Past, review: Review, knowledge: StubKnowledge
) -> None:
    knowledge.embedder = _FailingEmbedder()
    await ask(past, "怎么修电视", "怎么修电视？", "怎么退货")
    listing = await review.listing(30)
    assert sorted(found.count for found in listing.clusters) == [1, 2]
    assert listing.ungrouped == 2


async def test_what_is_resolved_comes_back_once_it_is_asked_again(past: Past, review: Review) -> None:
    await past.asked(days_ago(0.5), "refused", question="怎么修电视")
    assert await review.resolve(["怎么修电视？", "怎么修电视", "！"], "ignore", "Olga") == 1
    assert await clusters(review) == []
    await ask(past, "怎么修电视!")
    assert [found.count for found in await clusters(review)] == [1]


async def test_with_all_that_is_shown_the_rest_is_resolved(
    past: Past, review: Review, knowledge: StubKnowledge
) -> None:
    knowledge.searcher = _Centered()  # type: ignore[assignment]
    await ask(past, *(f"请问怎么修理电视机{'啊' * number}" for number in range(12)))
    (found,) = await clusters(review)
    assert (len(found.questions), found.count) == (10, 12)
    await review.resolve(found.questions[:9], "variant", "Olga")
    (left,) = await clusters(review)
    assert left.count == 3
    assert await review.resolve(found.questions, "ignore", "Olga") == 12
    assert await clusters(review) == []


def test_variants_say_something_new() -> None:
    entry = with_variants(RETURNS, ["怎么退货", "我要退货！", " 如何  退货", "如何退货？", "？"])
    assert entry.variants == ("我要退货", "如何 退货")
    assert entry.question == RETURNS.question

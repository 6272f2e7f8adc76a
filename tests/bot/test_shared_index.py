"""The whole path with each kind of index: published, asked, away and back, shared by two."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from bot import published, shared_index
from bot.assembly import make_indexes
from bot.doctor import examine
from bot.errors import SettingsError
from bot.published import PublishedKnowledge
from bot.settings import load_settings
from bot.store.database import Database
from bot.store.knowledge import KnowledgeStore
from knowledge.importing.files import read_faq_file
from knowledge.index import base
from knowledge.index.milvus import MilvusIndexes
from knowledge.index.pgvector import PgvectorIndexes
from knowledge.search import Query
from tests.bot.servers import unused_port
from tests.knowledge.fakes import HashEmbedder
from tests.knowledge.index import places
from tests.knowledge.index.places import Place
from tests.postgres import PostgresServer

FAQ = Path(__file__).parents[2] / "examples" / "shop-zh" / "faq.csv"
ENTRIES = [replace(entry, variants=entry.variants[:2]) for entry in read_faq_file(FAQ).entries[:40]]
QUESTIONS = ["衣服不合身想退", "什么时候发货", "发票开错了怎么办", "优惠券用不了", "可以改地址吗", "今天天气怎么样"]


@pytest.fixture(params=["pgvector", "milvus"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Place]:
    """Give each place that may be shared, in turn."""
    if request.param == "milvus":
        with places.milvus(tmp_path / "milvus") as place:
            yield place
        return
    server: PostgresServer = request.getfixturevalue("postgres_server")
    with places.postgres(server) as place:
        yield place


@pytest.fixture
def embedder() -> HashEmbedder:
    return HashEmbedder()


@pytest.fixture
async def store(database: Database) -> KnowledgeStore:
    """Give a store in which some of the shop's FAQ is published."""
    store = KnowledgeStore(database)
    await store.upsert("shop", ENTRIES)
    await store.publish("shop")
    return store


@pytest.fixture
def known(
    place: Place, store: KnowledgeStore, embedder: HashEmbedder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Callable[[str], PublishedKnowledge]]:
    """Give what makes the knowledge of a server, with a folder of its own and the shared index."""
    monkeypatch.setattr(base, "BREAK_SECONDS", 0.05)
    clients = []

    def make(folder: str) -> PublishedKnowledge:
        clients.append(place.connect())
        return PublishedKnowledge(store, embedder, tmp_path / folder, indexes=clients[-1])

    yield make
    for client in clients:
        client.close()


async def until(is_so: Callable[[], bool]) -> None:
    while not is_so():  # noqa: ASYNC110 - a thread makes it so; the test's own limit ends it
        await asyncio.sleep(0.05)


@pytest.mark.parametrize("kept", ["whole", "in cells"])
async def test_the_same_entries_are_found_with_the_same_confidence(
    known: Callable[[str], PublishedKnowledge],
    store: KnowledgeStore,
    embedder: HashEmbedder,
    tmp_path: Path,
    kept: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    if kept == "in cells":
        monkeypatch.setattr(base, "FLAT_ROWS", 100)
    shared, alone = known("shared"), PublishedKnowledge(store, embedder, tmp_path / "alone")
    for knowledge in (shared, alone):
        await knowledge.refresh()
    for question in QUESTIONS:
        there, here = [await knowledge.search(Query(question)) for knowledge in (shared, alone)]
        assert there.whole
        assert there.confidence == pytest.approx(here.confidence, abs=1e-4 if kept == "whole" else 0.02)
        for one, other in zip(there.candidates[:3], here.candidates[:3], strict=True):
            assert one.entry.key == other.entry.key or kept == "in cells"
            assert one.fused_score == pytest.approx(other.fused_score, abs=1e-3 if kept == "whole" else 0.1)


async def test_while_it_is_away_words_answer_and_then_it_is_back(
    known: Callable[[str], PublishedKnowledge], place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(published, "POLL_SECONDS", 0.05)
    knowledge = known("shared")
    await knowledge.refresh()
    before = await knowledge.search(Query("衣服不合身想退"))
    follower = asyncio.create_task(knowledge.follow())
    assert place.go_away
    assert place.come_back
    place.go_away()
    during = await knowledge.search(Query("帮别人下单寄到他家"))
    assert not during.whole
    assert during.best
    assert during.best.entry.question == "可以帮别人下单、寄到别人家吗？"
    assert (await knowledge.search(Query("衣服不合身想退"))) is before  # what is remembered is the whole of it
    await until(lambda: knowledge.problem is not None)
    assert "by words only" in str(knowledge.problem)
    place.come_back()
    await until(lambda: knowledge.problem is None)
    assert (await knowledge.search(Query("帮别人下单寄到他家"))).whole  # what words found is not remembered
    follower.cancel()


async def test_it_starts_while_it_is_away_and_fills_it_later(
    known: Callable[[str], PublishedKnowledge], place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(published, "POLL_SECONDS", 0.05)
    assert place.go_away
    assert place.come_back
    place.go_away()
    knowledge = known("shared")
    await knowledge.refresh()
    assert knowledge.is_ready
    assert knowledge.problem
    assert not (await knowledge.search(Query("什么时候发货"))).whole
    follower = asyncio.create_task(knowledge.follow())
    place.come_back()
    await until(lambda: knowledge.problem is None)
    assert (await knowledge.search(Query("什么时候发货"))).whole
    follower.cancel()


async def test_an_index_that_was_lost_is_filled_again(
    known: Callable[[str], PublishedKnowledge],
    place: Place,
    embedder: HashEmbedder,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(published, "POLL_SECONDS", 0.05)
    monkeypatch.setattr(base, "UNUSED_SECONDS", -5)
    knowledge = known("shared")
    await knowledge.refresh()
    embedder.embedded.clear()
    other = place.connect()
    other.remove_old(keep=0)
    assert place.names() == []
    assert not (await knowledge.search(Query("什么时候发货"))).whole
    follower = asyncio.create_task(knowledge.follow())
    await until(lambda: place.names() != [])
    await until(lambda: knowledge._shared._next > 0)  # type: ignore[union-attr]
    follower.cancel()
    assert (await knowledge.search(Query("什么时候发货"))).whole
    assert set(embedder.embedded) == {"什么时候发货"}
    other.close()


async def test_a_second_server_fills_nothing_and_going_back_neither(
    known: Callable[[str], PublishedKnowledge], place: Place, store: KnowledgeStore
) -> None:
    first, second = known("first"), known("second")
    filled: list[tuple[int, int]] = []
    await first.refresh(lambda *progress: filled.append(progress))
    texts = len(filled) - 1
    assert first.searcher
    assert filled[-1] == first.searcher.snapshot.vectors.shape[:1] * 2
    filled.clear()
    await second.refresh(lambda *progress: filled.append(progress))
    assert len(filled) == texts  # its own folder is filled, the index is not
    await store.delete("shop", [ENTRIES[0].key])
    await store.publish("shop")
    await asyncio.gather(first.refresh(), second.refresh())
    assert len(place.names()) == 2  # the one before is not old enough to be removed
    await store.restore("shop", 1)
    filled.clear()
    await first.refresh(lambda *progress: filled.append(progress))
    assert filled == []
    assert (await first.search(Query(QUESTIONS[0]))).whole
    assert (await second.search(Query(QUESTIONS[0]))).whole


async def test_trying_out_fills_nothing(known: Callable[[str], PublishedKnowledge], place: Place) -> None:
    knowledge = known("shared")
    await knowledge.refresh()
    before = place.names()
    await knowledge.rehearse("shop", [replace(ENTRIES[0], answer="改了")])
    searcher = await knowledge.rehearse("shop", [replace(ENTRIES[1], answer="改了")])
    assert searcher.search(Query("什么时候发货"), today=published.today()).whole
    assert place.names() == before


async def test_saying_that_it_is_in_use_is_not_done_all_the_time(
    known: Callable[[str], PublishedKnowledge], monkeypatch: pytest.MonkeyPatch
) -> None:
    knowledge = known("shared")
    await knowledge.refresh()
    searcher = knowledge.searcher
    assert searcher
    dense = searcher.snapshot.dense
    await knowledge._attend()
    assert searcher.snapshot.dense is dense
    monkeypatch.setattr(shared_index, "IN_USE_SECONDS", 0)
    await knowledge._attend(now=True)
    assert searcher.snapshot.dense is not dense


# Settings and doctor


def test_the_kinds_are_chosen_by_the_settings() -> None:
    assert make_indexes(load_settings()) is None
    for url in ("postgresql://me@there/db", "postgres://me@there/db", "postgresql+psycopg://me@there/db"):
        assert isinstance(make_indexes(load_settings(index={"kind": "pgvector"}, database_url=url)), PgvectorIndexes)
        assert isinstance(make_indexes(load_settings(index={"kind": "pgvector", "url": url})), PgvectorIndexes)
    milvus = {"kind": "milvus", "url": "http://there:19530", "token": "root:secret"}
    assert isinstance(make_indexes(load_settings(index=milvus)), MilvusIndexes)


@pytest.mark.parametrize(
    ("index", "told"),
    [
        ({"kind": "pgvector"}, "index.url, by default database_url, is of no use: it must be that of a PostgreSQL"),
        ({"kind": "pgvector", "url": "nonsense"}, "it is no address of a database"),
        ({"kind": "milvus"}, "kind is milvus, so url must be set too"),
        ({"kind": "qdrant"}, "index.kind"),
    ],
)
def test_what_cannot_be_is_told_in_a_line(index: dict[str, Any], told: str) -> None:
    with pytest.raises(SettingsError, match=told) as error:
        make_indexes(load_settings(index=index))
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("kind", ["pgvector", "milvus"])
def test_a_missing_package_is_told_with_the_command(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, f"knowledge.index.{kind}", None)
    settings = load_settings(index={"kind": kind, "url": "http://there"})
    with pytest.raises(SettingsError, match=rf"pip install 'frontdesk-bot\[{kind}\]'"):
        make_indexes(settings)


def findings(**settings: object) -> list[tuple[str, str]]:
    found = examine(load_settings(server={"port": unused_port()}, models={"chat": ""}, **settings))
    return [(finding.state, finding.sentence) for finding in found if finding.subject == "index"]


def test_doctor_looks_at_the_index(postgres_server: PostgresServer, tmp_path: Path) -> None:
    assert findings() == []
    url = postgres_server.url("postgres")
    [(state, sentence)] = findings(index={"kind": "pgvector", "url": url})
    assert (state, sentence.split(" ")[0]) == ("well", "pgvector")
    nobody = f"postgresql://nobody@127.0.0.1:{unused_port()}/none"
    [(state, sentence)] = findings(index={"kind": "pgvector", "url": nobody})
    assert state == "broken"
    assert sentence.startswith("the vector database at 127.0.0.1 does not answer")
    [(state, sentence)] = findings(index={"kind": "pgvector"})
    assert (state, "PostgreSQL" in sentence) == ("broken", True)
    [(state, sentence)] = findings(index={"kind": "milvus", "url": str(tmp_path / "milvus.db")})
    assert (state, sentence.split(" ")[0]) == ("well", "Milvus")

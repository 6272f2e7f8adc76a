from __future__ import annotations

import pytest

from bot.store.database import Database
from bot.store.knowledge import KnowledgeStore
from bot.store.testcases import TestCaseStore
from knowledge.errors import UnknownEntry
from knowledge.evaluation.cases import TestCase


@pytest.fixture
async def store(database: Database) -> TestCaseStore:
    for base in ("a", "b"):
        await KnowledgeStore(database).add_base(base)
    return TestCaseStore(database)


async def test_each_knowledge_base_has_its_own_test_set(store: TestCaseStore) -> None:
    await store.add("a", [TestCase("怎么退货", ("RET",)), TestCase("发票", ("INV",))])
    await store.add("b", [TestCase("怎么退货", ("B-1",))])
    assert await store.cases("a") == [TestCase("怎么退货", ("RET",)), TestCase("发票", ("INV",))]
    await store.delete("a", ["怎么退货", "never asked"])
    assert (await store.cases("a"), len(await store.cases("b"))) == ([TestCase("发票", ("INV",))], 1)


async def test_a_question_has_one_right_answer_the_newest(store: TestCaseStore) -> None:
    await store.add("a", [TestCase("怎么退货", ("RET",))])
    await store.add("a", [TestCase("怎么退货", ("X",)), TestCase("怎么退货", ("RET-2",))])
    assert await store.cases("a") == [TestCase("怎么退货", ("RET-2",))]


async def test_an_unknown_knowledge_base_has_none(store: TestCaseStore) -> None:
    with pytest.raises(UnknownEntry):
        await store.cases("absent")

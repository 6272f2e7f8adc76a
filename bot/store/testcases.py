"""The test set of each knowledge base, in SQL."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import delete, select
from sqlalchemy.ext.asyncio import AsyncSession

from bot.store.database import Store, whole
from bot.store.entries import find_base
from bot.store.tables import TestCaseRow
from knowledge.evaluation.cases import TestCase


class TestCaseStore(Store):
    """Keeps questions with the entry that should answer each."""

    __test__ = False

    @whole
    async def cases(self, knowledge_base: str) -> list[TestCase]:
        """List the test set of a knowledge base; raises UnknownEntry without such a base."""
        async with self.database.transaction() as session:
            base = await find_base(session, knowledge_base)
            rows = await session.scalars(
                select(TestCaseRow).where(TestCaseRow.knowledge_base_id == base.id).order_by(TestCaseRow.id)
            )
            return [TestCase(row.question, (row.key,)) for row in rows]

    @whole
    async def add(self, knowledge_base: str, cases: Sequence[TestCase]) -> None:
        """Add questions; one that is there already gets the new key."""
        newest = {case.question: case.keys[0] for case in cases}
        async with self.database.transaction() as session:
            base = await find_base(session, knowledge_base)
            await self._delete(session, base.id, list(newest))
            session.add_all(
                TestCaseRow(knowledge_base_id=base.id, question=question, key=key) for question, key in newest.items()
            )

    @whole
    async def delete(self, knowledge_base: str, questions: Sequence[str]) -> None:
        """Take questions out."""
        async with self.database.transaction() as session:
            base = await find_base(session, knowledge_base)
            await self._delete(session, base.id, questions)

    async def _delete(self, session: AsyncSession, base_id: int, questions: Sequence[str]) -> None:
        await session.execute(
            delete(TestCaseRow).where(TestCaseRow.knowledge_base_id == base_id, TestCaseRow.question.in_(questions))
        )

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from bot.models.base import ChatMessage
from bot.preparing import keep_prepared, openings
from bot.store.database import Database
from tests.bot.fakes import HOURS, INVOICE, PAYMENT, RETURNS, ScriptedModel, StubKnowledge, ask, make_desk


class PreparedModel(ScriptedModel):
    """Notes what it is to prepare."""

    def __init__(self) -> None:
        super().__init__()
        self.wishes: list[Sequence[Sequence[ChatMessage]]] = []
        self.loop, self.wished = asyncio.get_running_loop(), asyncio.Event()

    def prepare(self, prompts: Sequence[Sequence[ChatMessage]]) -> None:
        self.wishes.append(prompts)
        self.loop.call_soon_threadsafe(self.wished.set)


async def test_entries_that_are_asked_for_come_first(database: Database) -> None:
    desk = make_desk(database)
    for found in (INVOICE, HOURS, INVOICE):
        desk.knowledge = StubKnowledge(0.95, found)  # type: ignore[assignment]
        await ask(desk, found.question)
    desk.knowledge = StubKnowledge(0.95, RETURNS, HOURS, INVOICE, PAYMENT)  # type: ignore[assignment]
    prompts = await openings(desk)
    assert INVOICE.answer in prompts[0][0].content
    assert HOURS.answer in prompts[1][0].content
    assert [prompt[1].content for prompt in prompts] == [""] * 4


async def test_an_opening_is_what_a_question_on_the_entry_begins_with(database: Database) -> None:
    local = ScriptedModel("签收后7天内可以申请退货。")
    desk = make_desk(database, StubKnowledge(0.6), local=local)
    await ask(desk, "退货有什么规定？")
    assert local.prompts[0][0] == (await openings(desk))[0][0]


async def test_a_model_is_prepared_once_for_each_release(database: Database) -> None:
    model, desk = PreparedModel(), make_desk(database, StubKnowledge(0.6))
    keeping = asyncio.create_task(keep_prepared(model, [desk]))  # type: ignore[arg-type]
    await asyncio.wait_for(model.wished.wait(), 30)
    keeping.cancel()
    assert len(model.wishes) == 1
    assert len(model.wishes[0]) == len(desk.knowledge.entries)

from __future__ import annotations

import asyncio
from contextlib import aclosing
from dataclasses import replace

import pytest

from bot.errors import ModelBusy
from bot.question import Finished, Question, Started, Token
from bot.store.database import Database
from knowledge.errors import ModelError
from tests.bot.fakes import INVOICE, RETURNS, ScriptedModel, StubKnowledge, ask, make_desk, streamed

GOOD = "签收后7天内可以申请退货，运费12元由买家承担。"
GROUNDED = 0.6


async def test_a_busy_model_is_replaced_by_the_entrys_own_words(database: Database) -> None:
    local = ScriptedModel(busy=ModelBusy(16, 48))
    answer, _ = await ask(make_desk(database, StubKnowledge(GROUNDED), local=local), "退货有什么规定？")
    assert (answer.outcome, answer.text) == ("direct", RETURNS.answer)
    assert (answer.degraded, answer.model) == (True, None)


@pytest.mark.parametrize("said", [[], ["签收后7天内可以", "申请退货，运费"]])
async def test_a_model_that_breaks_is_replaced_by_the_entrys_own_words(database: Database, said: list[str]) -> None:
    local = ScriptedModel(*said, ModelError("broken"))
    answer, events = await ask(make_desk(database, StubKnowledge(GROUNDED), local=local), "退货有什么规定？")
    assert (answer.outcome, answer.text, answer.degraded) == ("direct", RETURNS.answer, True)
    assert [event.answer.outcome for event in events if isinstance(event, Finished)] == ["direct"]
    assert local.generations[0].closed.is_set()


@pytest.mark.parametrize("said", [[], ["签收后7天"]])
async def test_whoever_would_wait_for_too_long_is_given_the_entrys_own_words(
    database: Database, said: list[str]
) -> None:
    local = ScriptedModel(*said, asyncio.Event())
    patience = {"models": {"patience_seconds": 0.05}}
    desk = make_desk(database, StubKnowledge(GROUNDED), local=local, settings=patience)
    answer, events = await ask(desk, "退货有什么规定？")
    assert (answer.outcome, answer.text, answer.degraded) == ("direct", RETURNS.answer, True)
    assert streamed(events) == RETURNS.answer
    assert local.generations[0].closed.is_set()


async def test_whoever_has_read_the_first_words_may_wait_for_the_rest(database: Database) -> None:
    slow = asyncio.Event()
    local = ScriptedModel("签收后7天内可以申请退货，运", slow, "费12元由买家承担。")
    patience = {"models": {"patience_seconds": 0.3}}
    desk = make_desk(database, StubKnowledge(GROUNDED), local=local, settings=patience)
    asyncio.get_running_loop().call_later(0.6, slow.set)
    answer, _ = await ask(desk, "退货有什么规定？")
    assert (answer.text, answer.outcome, answer.degraded) == (GOOD, "grounded", False)


def pieces_of(text: str, size: int) -> list[str]:
    return [text[start : start + size] for start in range(0, len(text), size)]


@pytest.mark.parametrize("size", [1, 2, 3, 5, 100])
@pytest.mark.parametrize(
    "wrong", ["签收后7天内可以退，运费88元由买家承担。", "运费88.12元。", "7天内可以，88", "满7.88元，可以退。"]
)
async def test_a_wrong_number_never_reaches_the_customer(database: Database, wrong: str, size: int) -> None:
    local = ScriptedModel(*pieces_of(wrong, size))
    answer, events = await ask(make_desk(database, StubKnowledge(GROUNDED), local=local), "退货有什么规定？")
    assert "88" not in streamed(events)
    assert (answer.text, answer.degraded, answer.outcome) == (RETURNS.answer, True, "direct")


@pytest.mark.parametrize("size", [1, 2, 3, 100])
async def test_a_number_made_of_two_of_the_entrys_never_reaches_the_customer(database: Database, size: int) -> None:
    local = ScriptedModel(*pieces_of("可以申请退货，运费7.12元。", size))
    answer, events = await ask(make_desk(database, StubKnowledge(GROUNDED), local=local), "退货有什么规定？")
    assert "7.12" not in streamed(events)
    assert (answer.text, answer.degraded) == (RETURNS.answer, True)


@pytest.mark.parametrize("size", [1, 2, 3, 100])
async def test_a_decimal_of_the_entry_may_be_said(database: Database, size: int) -> None:
    entry = replace(RETURNS, answer="退货的运费是12.5元，由买家承担。")
    local = ScriptedModel(*pieces_of(entry.answer, size))
    answer, _ = await ask(make_desk(database, StubKnowledge(GROUNDED, entry), local=local), "退货有什么规定？")
    assert (answer.outcome, answer.text, answer.degraded) == ("grounded", entry.answer, False)


async def test_a_wrong_number_ends_the_models_work(database: Database) -> None:
    local = ScriptedModel("运费88元，", "其他", asyncio.Event())  # it would go on for ever
    await ask(make_desk(database, StubKnowledge(GROUNDED), local=local), "退货有什么规定？")
    assert local.generations[0].closed.is_set()


async def test_an_answer_in_words_of_its_own_is_replaced(database: Database) -> None:
    local = ScriptedModel("本店支持货到付款以及分期付款的各种服务哦。")
    answer, _ = await ask(make_desk(database, StubKnowledge(GROUNDED), local=local), "退货有什么规定？")
    assert (answer.text, answer.degraded) == (RETURNS.answer, True)


async def test_an_empty_answer_is_replaced(database: Database) -> None:
    answer, _ = await ask(make_desk(database, StubKnowledge(GROUNDED), local=ScriptedModel()), "退货有什么规定？")
    assert (answer.text, answer.degraded) == (RETURNS.answer, True)


async def test_the_page_is_told_that_the_answer_changed(database: Database) -> None:
    local = ScriptedModel("运费88元。", "完")
    _, events = await ask(make_desk(database, StubKnowledge(GROUNDED), local=local), "退货有什么规定？")
    assert [type(event) for event in events if not isinstance(event, Token)] == [Started, Started, Finished]


async def test_the_local_model_is_given_the_best_entry_alone(database: Database) -> None:
    local = ScriptedModel(GOOD)
    await ask(make_desk(database, StubKnowledge(GROUNDED), local=local), "退货有什么规定？")
    assert RETURNS.answer in local.prompts[0][0].content
    assert INVOICE.answer not in local.prompts[0][0].content


async def test_a_reader_that_goes_away_frees_the_model(database: Database) -> None:
    local = ScriptedModel("签收后7天内可以", "申请退货，", "运费", asyncio.Event())
    desk = make_desk(database, StubKnowledge(GROUNDED), local=local)
    async with aclosing(desk.answer(Question(text="退货有什么规定？"))) as events:
        async for event in events:
            if isinstance(event, Token):
                break
    assert local.generations[0].closed.is_set()


async def test_when_nothing_is_borne_out_the_entrys_own_words_are_streamed(database: Database) -> None:
    desk = make_desk(database, StubKnowledge(0.6), local=ScriptedModel("本店支持货到付款，", "也支持分期付款。"))
    answer, events = await ask(desk, "退货有什么规定？")
    assert (streamed(events), answer.text, answer.degraded) == (RETURNS.answer, RETURNS.answer, True)

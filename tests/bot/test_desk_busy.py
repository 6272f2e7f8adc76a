"""What a question gets when the local model has too much to do."""

from __future__ import annotations

from contextlib import aclosing

import pytest

from bot.errors import ModelBusy, RemoteModelError
from bot.question import Question, Started
from bot.store.database import Database
from tests.bot.fakes import RETURNS, ScriptedModel, StubKnowledge, ask, make_desk

GROUNDED = 0.6
TO_REMOTE = {"models": {"when_busy": "remote"}}


def busy() -> ScriptedModel:
    return ScriptedModel(busy=ModelBusy(16, 48))


async def test_it_gets_the_entrys_own_words_at_once(database: Database) -> None:
    remote = ScriptedModel("可以申请退货。")
    desk = make_desk(database, StubKnowledge(GROUNDED), local=busy(), remote=remote)
    answer, _ = await ask(desk, "退货有什么规定？")
    assert (answer.outcome, answer.text, answer.degraded, answer.model) == ("direct", RETURNS.answer, True, None)
    assert remote.prompts == []


async def test_it_goes_to_the_remote_model_where_that_is_wanted(database: Database) -> None:
    desk = make_desk(
        database,
        StubKnowledge(GROUNDED),
        local=busy(),
        remote=ScriptedModel("签收后7天内", "可以申请退货。"),
        settings=TO_REMOTE,
    )
    answer, events = await ask(desk, "退货有什么规定？")
    assert (answer.outcome, answer.text, answer.degraded) == ("escalated", "签收后7天内可以申请退货。", True)
    assert [event.answer.outcome for event in events if isinstance(event, Started)] == ["escalated"]


@pytest.mark.parametrize("is_away", [True, False])
async def test_it_gets_the_entrys_own_words_when_the_remote_model_is_of_no_help_either(
    database: Database, *, is_away: bool
) -> None:
    remote = ScriptedModel(RemoteModelError("boom"))
    remote.available = not is_away
    desk = make_desk(database, StubKnowledge(GROUNDED), local=busy(), remote=remote, settings=TO_REMOTE)
    answer, _ = await ask(desk, "退货有什么规定？")
    assert (answer.outcome, answer.text, answer.degraded, answer.model) == ("direct", RETURNS.answer, True, None)


async def test_an_answer_has_a_time_limit(database: Database) -> None:
    local = ScriptedModel("签收后7天内可以申请退货。")
    desk = make_desk(database, StubKnowledge(GROUNDED), local=local, settings={"models": {"answer_seconds": 12}})
    await ask(desk, "退货有什么规定？")
    assert local.samplings[0].seconds == 12


async def test_a_customer_who_leaves_at_the_start_stops_the_model(database: Database) -> None:
    """The generation is queued before Started is given out; who leaves there never closes it."""
    local = ScriptedModel("签收后7天内可以申请退货。")
    desk = make_desk(database, StubKnowledge(0.6), local=local)
    async with aclosing(desk.answer(Question(text="退货有什么规定？"))) as events:
        assert isinstance(await anext(events), Started)
    assert local.generations[0].closed.is_set()

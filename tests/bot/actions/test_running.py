"""Questions that actions answer, on the whole path of a question."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from sqlalchemy import select, update

from bot import messages
from bot.actions.opening import open_actions
from bot.desk import FrontDesk
from bot.question import Answer, Question
from bot.rehearsal import rehearse
from bot.settings import Settings
from bot.store.database import Database
from bot.store.tables import HandoffRow, TrackerRow, TurnRow, now
from tests.bot.actions.company import write_actions
from tests.bot.fakes import INVOICE, RETURNS, ScriptedModel, StubKnowledge, ask, make_desk


class Talk:
    """A conversation with a desk whose best entry names an action."""

    def __init__(self, desk: FrontDesk, knowledge: StubKnowledge) -> None:
        self.desk, self.knowledge = desk, knowledge
        self.conversation_id: str | None = None

    def about(self, action: str | None, confidence: float = 0.95) -> None:
        self.knowledge.found = (replace(RETURNS, action=action), INVOICE)
        self.knowledge.confidence = confidence

    async def says(self, text: str, **more: Any) -> Answer:
        question = Question(text=text, conversation_id=self.conversation_id, language="en", **more)
        answer, _ = await ask(self.desk, question)
        self.conversation_id = answer.conversation_id
        return answer


@pytest_asyncio.fixture
async def talk(database: Database, tmp_path: Path) -> AsyncIterator[Talk]:
    domain = tmp_path / "domain.yml"
    domain.write_text("responses:\n  utter_weather:\n  - text: Sunny in {city}, {name}\nslots:\n  name: {}\n")
    actions = {"folder": write_actions(tmp_path), "domain": domain, "timeout_seconds": 2}
    knowledge = StubKnowledge()
    desk = make_desk(database, knowledge, settings={"actions": actions})
    yield Talk(desk, knowledge)
    await desk.actions.close()


@pytest.mark.parametrize("confidence", [0.95, 0.6])
async def test_an_entrys_action_answers_in_its_place(talk: Talk, confidence: float) -> None:
    talk.about("action_hello", confidence)
    answer = await talk.says("hello?")
    assert (answer.outcome, answer.text, answer.action) == ("direct", "Hello, you!", "action_hello")
    assert [cited.key for cited in answer.citations] == [RETURNS.key]
    assert not answer.degraded


async def test_which_action_answered_is_logged(talk: Talk, database: Database) -> None:
    talk.about("action_hello")
    answer = await talk.says("hello?")
    async with database.transaction() as session:
        turn = await session.get_one(TurnRow, answer.turn_id)
    assert (turn.action, turn.answer) == ("action_hello", "Hello, you!")
    assert (await talk.desk.conversations.answer(answer.turn_id)).action == "action_hello"


async def test_when_it_is_unsure_which_entry_is_meant_no_action_runs(talk: Talk) -> None:
    talk.about("action_hello", 0.3)
    answer = await talk.says("hello?")
    assert (answer.outcome, answer.action) == ("clarify", None)


async def test_the_action_knows_the_conversation(talk: Talk) -> None:
    talk.about(None)
    await talk.says("How do I send it back?")
    talk.about("action_hello")
    await talk.says("hello?")
    talk.about("action_shown")
    shown = eval((await talk.says("what do you know?", visitor=None)).text)
    assert shown["sender"] == talk.conversation_id
    assert shown["slots"] == {"greeted": True, "name": None}
    assert (shown["intent"], shown["channel"], shown["last"]) == (RETURNS.key, "api", "action_hello")
    assert [text for _, text in shown["said"]] == [
        "How do I send it back?",
        RETURNS.answer,
        "hello?",
        "Hello, you!",
        "Hello, you!",
        "what do you know?",
    ]


async def test_an_action_that_asks_gets_the_next_words_and_the_one_after_it_follows(talk: Talk) -> None:
    talk.about("action_ask_name")
    asked = await talk.says("hello?")
    assert (asked.text, [each.question for each in asked.suggestions]) == ("What is your name?", ["Ann"])
    talk.about(None, 0.05)
    answer = await talk.says("Zoe")
    assert (answer.outcome, answer.text, answer.action) == ("direct", "Hello, Zoe!", "action_ask_name")
    assert (await talk.says("Zoe")).outcome == "refused"  # nothing is awaited any more


async def test_a_number_picks_what_the_action_offered(talk: Talk) -> None:
    talk.about("action_ask_name")
    await talk.says("hello?")
    talk.about(None, 0.05)
    assert (await talk.says("1")).text == "Hello, Ann!"


async def test_another_certain_question_is_answered_and_the_action_waits_on(talk: Talk) -> None:
    talk.about("action_ask_name")
    await talk.says("hello?")
    talk.about(None, 0.95)
    assert (await talk.says("How do I send it back?")).text == RETURNS.answer
    talk.about(None, 0.05)
    assert (await talk.says("Zoe")).text == "Hello, Zoe!"


async def test_a_call_for_people_goes_before_what_an_action_asked(talk: Talk) -> None:
    talk.about("action_ask_name")
    await talk.says("hello?")
    assert (await talk.says("human please")).outcome == "handoff"


async def test_words_that_the_action_declines_go_the_ordinary_way_and_it_waits_no_more(talk: Talk) -> None:
    talk.about("action_ask_name")
    await talk.says("hello?")
    talk.about(None, 0.3)
    assert (await talk.says("never mind, the returns")).outcome == "clarify"
    talk.about(None, 0.05)
    assert (await talk.says("Zoe")).action is None


async def test_what_an_action_asked_long_ago_is_not_awaited(talk: Talk, database: Database) -> None:
    talk.about("action_ask_name")
    await talk.says("hello?")
    async with database.transaction() as session:
        await session.execute(update(TrackerRow).values(updated_at=now() - timedelta(hours=2)))
    talk.about(None, 0.05)
    assert (await talk.says("Zoe")).action is None


async def test_a_loop_keeps_the_next_words(talk: Talk) -> None:
    talk.about("action_loop")
    assert (await talk.says("begin")).text == "in"
    talk.about(None, 0.05)
    assert (await talk.says("anything")).text == "out"
    assert (await talk.says("anything")).action is None


async def test_actions_that_go_in_circles_end(talk: Talk) -> None:
    talk.about("action_circle")
    assert (await talk.says("go")).text == "\n\n".join(["round"] * 5)


@pytest.mark.parametrize("said", ["all slots", "everything"])
async def test_slots_may_be_forgotten(talk: Talk, database: Database, said: str) -> None:
    talk.about("action_hello")
    await talk.says("hello?")
    talk.about("action_reset")
    await talk.says(said)
    async with database.transaction() as session:
        tracker = await session.scalar(select(TrackerRow))
    assert tracker is not None
    assert tracker.slots == {}


async def test_an_action_may_call_people(talk: Talk, database: Database) -> None:
    talk.about("action_pause")
    answer = await talk.says("a person is needed")
    assert (answer.outcome, answer.handoff) == ("handoff", "waiting")
    assert answer.text == f"I will get somebody.\n\n{messages.handed_off('en')}"
    async with database.transaction() as session:
        handoff = await session.scalar(select(HandoffRow))
    assert handoff is not None
    assert handoff.reason == "action"
    assert (
        await talk.says("hello?")
    ).text == f"{messages.still_waiting('en')}\n{messages.way_back('en')}"  # the bot is silent now


async def test_an_action_calls_nobody_where_they_could_not_be_heard(talk: Talk) -> None:
    talk.about("action_pause")
    answer = await talk.says("a person is needed", channel="openai")
    assert (answer.outcome, answer.handoff, answer.text) == ("direct", "bot", "I will get somebody.")


async def test_a_pause_that_is_taken_back_calls_nobody(talk: Talk) -> None:
    talk.about("action_pause")
    assert (await talk.says("no")).handoff == "bot"


async def test_without_people_a_pause_is_only_words(database: Database, tmp_path: Path) -> None:
    settings = {"actions": {"folder": write_actions(tmp_path)}, "handoff": {"enabled": False}}
    talk = Talk(make_desk(database, knowledge := StubKnowledge(), settings=settings), knowledge)
    talk.about("action_pause")
    answer = await talk.says("help")
    assert (answer.outcome, answer.text) == ("direct", "I will get somebody.")
    await talk.desk.actions.close()


async def test_an_action_that_says_nothing_leaves_the_words_to_the_entry(talk: Talk) -> None:
    talk.about("action_silent")
    answer = await talk.says("hello?")
    assert (answer.text, answer.action, answer.degraded) == (RETURNS.answer, "action_silent", False)


async def test_a_response_of_the_domain_is_worded(talk: Talk) -> None:
    talk.about("action_template")
    assert (await talk.says("weather?")).text == "Sunny in Hangzhou, {name}"


@pytest.mark.parametrize("action", ["action_breaks", "action_sleeps"])
async def test_an_action_that_fails_or_takes_too_long_gives_way_to_the_entry(talk: Talk, action: str) -> None:
    talk.about(action)
    answer = await talk.says("hello?")
    assert (answer.outcome, answer.text, answer.degraded, answer.action) == ("direct", RETURNS.answer, True, None)


async def test_a_likely_entry_is_worded_by_the_model_when_its_action_fails(database: Database, tmp_path: Path) -> None:
    settings = {"actions": {"folder": write_actions(tmp_path)}}
    local = ScriptedModel("签收后7天内可以申请退货。")
    talk = Talk(make_desk(database, knowledge := StubKnowledge(), local=local, settings=settings), knowledge)
    talk.about("action_breaks", 0.6)
    assert (await talk.says("hello?")).outcome == "grounded"
    await talk.desk.actions.close()


async def test_an_action_that_declines_gives_way_to_the_entry(talk: Talk) -> None:
    talk.about("action_declines")
    answer = await talk.says("hello?")
    assert (answer.text, answer.degraded) == (RETURNS.answer, False)


async def test_an_entry_whose_action_is_not_there_gives_its_own_words_and_that_is_known(talk: Talk) -> None:
    talk.about("action_unheard_of")
    answer = await talk.says("hello?")
    assert (answer.text, answer.action) == (RETURNS.answer, None)
    assert talk.desk.unknown_actions == {"action_unheard_of"}


async def test_trying_out_runs_the_action_and_keeps_nothing(talk: Talk, database: Database) -> None:
    talk.about("action_hello")
    answer, _ = await ask(rehearse(talk.desk), "hello?")
    assert answer.text == "Hello, you!"
    async with database.transaction() as session:
        assert await session.scalar(select(TrackerRow)) is None


async def test_what_cannot_be_had_is_named_and_the_rest_runs(database: Database, tmp_path: Path) -> None:
    problems: list[str] = []
    settings = Settings(
        actions={"folder": tmp_path / "none", "server": "endpoints.yml", "domain": "domain.yml"},  # type: ignore[arg-type]
        tools={"order_status": {}, "juggling": {}, "site_search": {"url": "https://x/?q={question}"}},  # type: ignore[dict-item]
    )
    actions = open_actions(settings, database, problems)
    assert [problem.split(" ")[0].rstrip(":") for problem in problems] == [
        "actions.domain",
        "tools.order_status.url",
        "tools.juggling",
        "actions.folder",
        "actions.server",
    ]
    assert actions.offers("action_site_search")
    assert not actions.offers("action_order_status")
    await actions.close()


async def test_an_action_that_cannot_be_made_does_not_stop_the_rest(database: Database, tmp_path: Path) -> None:
    (tmp_path / "greedy_actions.py").write_text(
        "from rasa_sdk import Action\nclass Greedy(Action):\n    def __init__(self, more): ...\n"
    )
    problems: list[str] = []
    settings = Settings(actions={"folder": tmp_path / "greedy_actions.py"})  # type: ignore[arg-type]
    actions = open_actions(settings, database, problems)
    assert "Greedy" in problems[0]
    assert not actions.offers("action_greedy")
    await actions.close()

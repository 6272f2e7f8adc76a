"""What a reviewer broke the engine with: faults in the middle, little room, many bots, nobody waiting any more."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path
from types import SimpleNamespace

import pytest

from bot import preparing
from bot.errors import ModelBusy, SettingsError
from bot.models.base import ChatMessage, Sampling
from bot.models.engine.composing import OUTPUTS
from bot.models.engine.prefixes import PrefixStore, to_key
from bot.models.likelihood import LikelihoodReranker
from bot.models.local import LocalChatModel
from bot.settings import load_settings
from knowledge.entries import Entry
from knowledge.errors import ModelError, ModelUnavailable
from knowledge.index.snapshot import Located
from knowledge.reranking.patient import PatientReranking
from knowledge.weights.library import ModelLibrary, Weights
from tests.bot.models.contract import complete
from tests.bot.models.engine.test_engine import COUNT, asked, options, until
from tests.conftest import MODELS

SHORT = "You are a helpful assistant of a large shop."
MIDDLE = SHORT + " We sell lamps and chairs and tables, and we are open every day."


@pytest.fixture(scope="session")
def small() -> Weights:
    return ModelLibrary(MODELS).pull("smollm2-135m-instruct-q4_1")


async def test_a_state_that_does_not_fit_changes_no_answer(small: Weights, monkeypatch: pytest.MonkeyPatch) -> None:
    """A long state is found for a short common beginning, and there are no cells for it."""
    monkeypatch.setattr("bot.models.local.CELLS_A_SLOT", 64)
    question = [ChatMessage("system", MIDDLE), ChatMessage("user", "What do you sell?")]
    fresh = LocalChatModel(small, options(slots=2, context_tokens=256, drafting=False))
    fresh.warm_up()
    right = await complete(fresh.generate(question, Sampling(max_tokens=16)))
    await fresh.close()

    model = LocalChatModel(small, options(slots=2, context_tokens=256, drafting=False))
    model.warm_up()
    long = [ChatMessage("system", MIDDLE + " word" * 170), ChatMessage("user", "Hi")]
    await complete(model.generate(long, Sampling(max_tokens=1)))
    other = [ChatMessage("system", SHORT + " Be kind."), ChatMessage("user", "Hi")]
    await complete(model.generate(other, Sampling(max_tokens=1)))
    running = model.generate([ChatMessage("user", "Count: " + "1, 2, " * 9)], Sampling(max_tokens=100))
    pieces = aiter(running)
    await anext(pieces)
    answer = await complete(model.generate(question, Sampling(max_tokens=16)))
    await running.aclose()
    prefix, _ = model._to_tokens(question)
    state = model._vault.get(to_key(prefix)) or b""
    assert model._model is not None
    kept = len(state) // model._model.state_bytes_a_token
    await model.close()
    assert kept in (0, len(prefix)), "the state that is kept, on disk too, has a hole; it spoils answers for ever"
    assert answer == right


async def test_an_exception_while_a_slot_is_given_ends_the_request(
    small: Weights, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It has left the queue and does not run yet: nobody ends it, not even its deadline."""
    model = LocalChatModel(small, options())
    model.warm_up()

    def fail(*_: object) -> None:
        raise MemoryError

    with monkeypatch.context() as patch:
        patch.setattr("bot.models.engine.vault.Vault.find", fail)
        generation = model.generate(asked(0), Sampling(max_tokens=2, seconds=1))
        try:
            with pytest.raises(Exception, match=r"failed|long"):
                await asyncio.wait_for(complete(generation), 60)
        finally:
            await model.close()


async def test_an_exception_while_one_is_suspended_ends_it(small: Weights, monkeypatch: pytest.MonkeyPatch) -> None:
    model = LocalChatModel(small, options(slots=1))
    model.warm_up()

    def fail(*_: object) -> bytes:
        raise MemoryError

    monkeypatch.setattr("bot.models.engine.context.Context.save", fail)
    long = asyncio.create_task(complete(model.generate(COUNT, Sampling(max_tokens=200, seconds=8))))
    await asyncio.sleep(0)
    short = asyncio.create_task(complete(model.generate([ChatMessage("user", "Hi")], Sampling(max_tokens=2))))
    try:
        _, pending = await asyncio.wait((long, short), timeout=90)
        assert not pending
    finally:
        long.cancel(), short.cancel()
        await model.close()


async def test_likelihoods_that_are_refused_half_way_leave_nothing_behind(small: Weights) -> None:
    model = LocalChatModel(small, options(slots=1, queue=3))
    model.warm_up()
    running = model.generate(COUNT, Sampling(max_tokens=100))
    reader = asyncio.create_task(complete(running))
    await until(lambda: model.counters.generated > 0)
    with pytest.raises(ModelBusy):
        await asyncio.to_thread(model.likelihoods, [asked(entry) for entry in range(5)])
    await reader
    await until(lambda: model._engine is not None and model._engine._slots.free == 1 and not model._engine._waiting)
    cancelled, finished = model.counters.cancelled, model.counters.finished
    await model.close()
    assert (finished, cancelled) == (1, 3)  # (4, 0): computed for nobody


async def test_so_many_slots_as_the_settings_allow(small: Weights) -> None:
    """With more than OUTPUTS of them, an assertion of llama.cpp would end the process."""
    model = LocalChatModel(small, options(slots=OUTPUTS))
    model.warm_up()
    answers = await asyncio.gather(
        *(complete(model.generate(asked(place % 5), Sampling(max_tokens=3))) for place in range(OUTPUTS))
    )
    await model.close()
    assert all(answers)
    with pytest.raises(SettingsError, match="slots"):
        load_settings(models={"slots": OUTPUTS + 1})


async def test_a_system_message_of_the_api_is_not_written_to_disk(small: Weights, tmp_path: Path) -> None:
    """The OpenAI endpoint hands on whatever its caller wrote; desks' prompts hold only the company's entries."""
    model = LocalChatModel(small, options(state_folder=tmp_path, state_folder_bytes=64 << 20))
    model.warm_up()
    secret = "The customer is Jane Doe, card 4111 1111 1111 1111."
    await complete(model.generate([ChatMessage("system", secret), ChatMessage("user", "Hi")], Sampling(max_tokens=1)))
    tokens = to_key(model._model.tokenise(secret))
    await model.close()
    assert not any(tokens in path.read_bytes() for path in tmp_path.glob("*.state"))  # noqa: ASYNC240


def test_a_state_folder_that_cannot_be_made_only_costs_the_states(small: Weights, tmp_path: Path) -> None:
    """Else the whole program does not start: assembly expects ModelError only."""
    (tmp_path / "states").write_text("a file")
    model = LocalChatModel(small, options(state_folder=tmp_path / "states", state_folder_bytes=1 << 20))
    model.warm_up()


async def test_a_long_answer_is_not_starved_by_short_ones(small: Weights) -> None:
    """Suspended after 64 tokens, it comes after every new one, for as long as one waits."""
    model = LocalChatModel(small, options(slots=1))
    model.warm_up()
    long = asyncio.create_task(complete(model.generate(COUNT, Sampling(max_tokens=100))))
    served = 0

    async def customer() -> None:
        nonlocal served
        while not long.done() and served < 150:
            await complete(model.generate(asked(served % 5), Sampling(max_tokens=8)))
            served += 1

    await asyncio.gather(customer(), customer())
    starved = not long.done()
    long.cancel()
    await model.close()
    assert not starved, f"{served} others were answered meanwhile"


async def test_the_entries_of_every_bot_are_prepared(small: Weights) -> None:
    """With room for ten, the first bot's coldest entries go before the second bot's hottest."""

    class Desk:
        def __init__(self, name: str) -> None:
            entries = [Located(name, Entry(key=str(n), question=f"{name} {n}?", answer="Yes.")) for n in range(20)]
            self.knowledge = SimpleNamespace(searcher=object(), entries=entries)
            self.settings = SimpleNamespace(bot=SimpleNamespace(language="en"))
            self.conversations = self

        async def often_cited(self, _turns: int) -> list[object]:
            return [(entry.knowledge_base, entry.entry.key) for entry in self.knowledge.entries[:3]]

    prepared: list[str] = []

    class Model:
        def prepare(self, prompts: list[list[ChatMessage]]) -> None:
            prepared.extend(prompt[0].content for prompt in prompts)

    work = asyncio.create_task(preparing.keep_prepared(Model(), [Desk("first"), Desk("second")]))  # type: ignore[arg-type, list-item]
    await until(lambda: bool(prepared))
    work.cancel()
    assert any("second 0?" in text for text in prepared[:10])


async def test_a_state_no_longer_than_needed_is_restored(small: Weights) -> None:
    """Of states with the same beginning in common, the shortest is right: others are copied for nothing."""
    store = PrefixStore(1 << 20)
    store.put(to_key([5, 6]), b"short")
    store.put(to_key([5, 6, 9, *range(3_000)]), b"long")
    store.put(to_key([5, 6, 4, *range(3_000)]), b"long")
    match = store.find(to_key([5, 6, 7, 8]))
    assert match is not None
    assert match.key == to_key([5, 6])


async def test_scoring_that_nobody_waits_for_any_more_stops(small: Weights) -> None:
    """Whoever asked has gone on after a second; the prompts are computed to their end, and the next question waits."""
    model = LocalChatModel(small, options())
    model.warm_up()
    reranking = PatientReranking(LikelihoodReranker(model, seconds=0.1), patience=0.1)
    entries = [Entry(key=str(n), question=f"Item {n}?", answer="It is here. " * 60) for n in range(4)]
    assert await asyncio.to_thread(reranking.bonus, "Where is it?", entries) is None
    await until(lambda: model.counters.finished + model.counters.cancelled + model.counters.late == 4)
    finished = model.counters.finished
    await model.close()
    assert finished < 4


async def test_a_closed_model_says_so_as_a_model_error(small: Weights) -> None:
    model = LocalChatModel(small, options())
    model.warm_up()
    await model.close()
    with pytest.raises(ModelError):
        model.generate(asked(0), Sampling())


async def test_a_model_without_room_for_its_context_gives_its_weights_back(
    small: Weights, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise ModelUnavailable("there is not enough memory")

    monkeypatch.setattr("bot.models.local.Context", fail)
    model = LocalChatModel(small, options())
    with pytest.raises(ModelUnavailable):
        model.warm_up()
    await model.close()
    assert model._model is None or model._model.handle is None


async def test_a_large_prompt_that_does_not_fit_yet_holds_nobody_up(
    small: Weights, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Three slots are free and there is room for a short question, which waits behind a long one all the same."""
    monkeypatch.setattr("bot.models.local.CELLS_A_SLOT", 64)
    model = LocalChatModel(small, options(context_tokens=512))
    model.warm_up()
    running = asyncio.create_task(
        complete(model.generate([ChatMessage("user", "Count: " + "1, 2, " * 40)], Sampling(max_tokens=200)))
    )
    await until(lambda: model.counters.generated > 0)
    large = asyncio.create_task(
        complete(model.generate([ChatMessage("user", "Say: " + "word " * 300)], Sampling(max_tokens=2)))
    )
    await asyncio.sleep(0)
    await complete(model.generate([ChatMessage("user", "Hi")], Sampling(max_tokens=2)))
    held_up = running.done()
    await asyncio.gather(running, large)
    await model.close()
    assert not held_up


async def test_wording_leaves_the_processor_to_all_else(small: Weights) -> None:
    """Else an entry's own words, which need a hundredth of it, wait for their turn beside two threads at work."""
    model = LocalChatModel(small, options())
    model.warm_up()
    assert model._engine is not None
    thread = model._engine._thread.native_id
    assert thread is not None
    nice, own = os.getpriority(os.PRIO_PROCESS, thread), os.getpriority(os.PRIO_PROCESS, 0)
    await model.close()
    assert nice > own

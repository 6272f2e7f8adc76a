"""The engine with a real model of 135 million parameters: many requests at once, and what goes wrong."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest
import pytest_asyncio

from bot.errors import ModelBusy
from bot.models.base import ChatMessage, Sampling
from bot.models.engine.composing import OUTPUTS
from bot.models.engine.context import Context
from bot.models.engine.costs import StepCosts
from bot.models.engine.options import EngineOptions
from bot.models.local import LocalChatModel
from knowledge.errors import ModelError
from knowledge.weights.library import ModelLibrary, Weights
from tests.bot.models.contract import ChatModelContract, complete
from tests.conftest import MODELS

ENTRIES = [
    ChatMessage(
        "system", f"You are a helpful assistant.\n\nMaterial:\nQ: How do I return {item}?\nA: Send {item} back."
    )
    for item in ("a lamp", "a chair", "two cups", "the sofa", "a rug")
]
COUNT = [ChatMessage("user", "Count from 1 to 200, separated by commas: 1, 2, 3, 4,")]


def asked(entry: int, question: str = "How do I send it back?") -> list[ChatMessage]:
    return [ENTRIES[entry], ChatMessage("user", question)]


@pytest.fixture(scope="session")
def small() -> Weights:
    return ModelLibrary(MODELS).pull("smollm2-135m-instruct-q4_1")


def options(**changes: object) -> EngineOptions:
    return EngineOptions(**{"threads": 1, "context_tokens": 1_024, "slots": 4, "patience": 600, **changes})  # type: ignore[arg-type]


@pytest_asyncio.fixture
async def model(small: Weights) -> AsyncIterator[LocalChatModel]:
    model = LocalChatModel(small, options())
    model.warm_up()
    yield model
    await model.close()


class TestEngine(ChatModelContract):
    pass


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(60):
        while not condition():  # noqa: ASYNC110 - the engine's thread tells nobody of what it does for nobody
            await asyncio.sleep(0.01)


def cheap_guesses(model: LocalChatModel) -> None:
    """Let guesses pay, however long steps take here."""

    class Flat(StepCosts):
        def __call__(self, rows: int) -> float:
            return 0.01 + rows / 10_000

    assert model._engine is not None
    model._engine.costs = Flat()


async def alone(weights: Weights, prompts: list[list[ChatMessage]], **changes: object) -> list[str]:
    """Answer one after the other, on an engine of their own."""
    model = LocalChatModel(weights, options(**changes))
    model.warm_up()
    cheap_guesses(model)
    try:
        return [await complete(model.generate(prompt, Sampling(max_tokens=24))) for prompt in prompts]
    finally:
        await model.close()


PROMPTS = [
    asked(entry, question) for entry in range(3) for question in ("How do I send it back?", "What can I return?")
]


async def test_answers_are_alike_alone_together_and_with_guesses(small: Weights, model: LocalChatModel) -> None:
    """Rows are multiplied four at a time, so sums differ in their last bits: a tie may fall the other way."""
    plain = await alone(small, PROMPTS, drafting=False, state_bytes=0)
    guessed = await alone(small, PROMPTS)
    together = await asyncio.gather(*(complete(model.generate(prompt, Sampling(max_tokens=24))) for prompt in PROMPTS))
    for others in (guessed, list(together)):
        assert sum(one == other for one, other in zip(plain, others, strict=True)) >= len(PROMPTS) - 1
    assert model.counters.occupancy > model.counters.steps


async def test_no_thread_computes_but_the_engines_own(small: Weights, monkeypatch: pytest.MonkeyPatch) -> None:
    """A second one would have OpenMP's threads, more than there are cores then, sleep at each barrier."""
    computing: set[str] = set()
    compute = Context.compute

    def watched(context: Context) -> object:
        computing.add(threading.current_thread().name)
        return compute(context)

    monkeypatch.setattr(Context, "compute", watched)
    model = LocalChatModel(small, options())
    await asyncio.to_thread(model.warm_up)
    await complete(model.generate(asked(0), Sampling(max_tokens=4)))
    await model.close()
    assert computing == {"chat-model"}


async def test_beside_a_program_that_wants_the_cores_one_thread_computes(
    small: Weights, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.models.engine.engine.time.thread_time", lambda: 0.0)  # as if it never got to run
    monkeypatch.setattr("bot.models.engine.threads.WINDOW", 0.0)  # however fast the machine is
    used: list[int] = []
    use = Context.use
    monkeypatch.setattr(Context, "use", lambda context, threads: (used.append(threads), use(context, threads)))
    model = LocalChatModel(small, options(threads=2))
    await asyncio.to_thread(model.warm_up)
    assert model.threads == 2
    assert await complete(model.generate(asked(0), Sampling(max_tokens=60)))
    assert (used[0], used[-1], model.threads) == (2, 1, 1)
    await model.close()


def test_a_model_that_cannot_compute_says_so_at_the_start(small: Weights, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(_context: Context) -> object:
        raise ModelError("llama.cpp could not compute a step")

    monkeypatch.setattr(Context, "compute", broken)
    model = LocalChatModel(small, options())
    before = set(threading.enumerate())
    for _ in range(2):
        with pytest.raises(ModelError, match="could not compute"):
            model.warm_up()
        assert model._model is not None
        assert (model._model.handle, model._context._handle) == (None, None)
        assert set(threading.enumerate()) <= before


async def test_guesses_are_made_and_counted(model: LocalChatModel) -> None:
    cheap_guesses(model)
    generation = model.generate([ChatMessage("user", "Write the word hello 30 times.")], Sampling(max_tokens=60))
    await complete(generation)
    assert 0 < model.counters.accepted <= model.counters.drafted
    assert model.counters.steps < generation.usage.completion


async def test_a_question_on_an_entry_seen_before_computes_the_question_only(model: LocalChatModel) -> None:
    for entry in range(5):
        await complete(model.generate(asked(entry), Sampling(max_tokens=1)))
    again = model.generate(asked(0, "Is it free?"), Sampling(max_tokens=1))
    await complete(again)
    assert again.usage.prompt - again.usage.cached < 15


async def test_an_entry_is_shared_by_those_who_ask_at_once(model: LocalChatModel) -> None:
    first = model.generate([ENTRIES[0], COUNT[0]], Sampling(max_tokens=60))
    pieces = aiter(first)
    await anext(pieces)
    second = model.generate(asked(0), Sampling(max_tokens=1))
    await complete(second)
    assert second.usage.prompt - second.usage.cached < 15
    await first.aclose()


async def test_more_than_there_are_slots_take_turns(model: LocalChatModel) -> None:
    """A customer without a word is served before an answer that already is long."""
    long = [model.generate([ENTRIES[0], COUNT[0]], Sampling(max_tokens=100)) for _ in range(4)]
    readers = [asyncio.create_task(complete(generation)) for generation in long]
    await asyncio.sleep(0)
    assert await complete(model.generate(asked(1), Sampling(max_tokens=4)))
    assert any(generation.usage.completion < 100 for generation in long)
    texts = await asyncio.gather(*readers)
    assert len(set(texts)) == 1
    assert all(generation.usage.completion == long[0].usage.completion for generation in long)


async def test_what_was_suspended_goes_on_as_if_nothing_had_been(small: Weights) -> None:
    results = []
    for slots in (2, 1):
        model = LocalChatModel(small, options(slots=slots))
        model.warm_up()
        first = asyncio.create_task(complete(model.generate(COUNT, Sampling(max_tokens=100))))
        await asyncio.sleep(0)
        second = asyncio.create_task(complete(model.generate(asked(0), Sampling(max_tokens=2))))
        results.append((await first, await second))
        suspended = model.counters.suspended
        await model.close()
    assert suspended == 1
    assert results[0] == results[1]


async def test_a_context_that_is_full_makes_room(small: Weights, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bot.models.local.CELLS_A_SLOT", 64)
    model = LocalChatModel(small, options(context_tokens=256, drafting=False))
    model.warm_up()
    generations = [
        model.generate([ChatMessage("user", f"Count from {number} to 200:")], Sampling(max_tokens=90))
        for number in range(6)
    ]
    await asyncio.gather(*(complete(generation) for generation in generations))
    assert model.counters.finished == 6
    assert model.counters.suspended > 0
    await model.close()


async def test_an_answer_that_takes_too_long_is_given_up(model: LocalChatModel) -> None:
    generation = model.generate(COUNT, Sampling(max_tokens=900, seconds=0.2))
    with pytest.raises(ModelError, match="too long"):
        await complete(generation)
    assert await complete(model.generate(asked(0), Sampling(max_tokens=2)))
    assert model.counters.late == 1


async def test_whoever_waits_too_long_for_a_slot_is_told_that_it_is_busy(small: Weights) -> None:
    model = LocalChatModel(small, options(slots=1))
    model.warm_up()
    running = model.generate(COUNT, Sampling(max_tokens=60))
    with pytest.raises(ModelBusy):
        await complete(model.generate(asked(0), Sampling(seconds=0.001)))
    assert await complete(running)
    await model.close()


async def test_a_wait_that_would_be_too_long_is_not_begun(small: Weights) -> None:
    model = LocalChatModel(small, options(slots=1, patience=0.000_1))
    model.warm_up()
    running = model.generate(COUNT, Sampling(max_tokens=60))
    with pytest.raises(ModelBusy) as caught:
        model.generate(asked(0), Sampling())
    assert caught.value.retry_after >= 1
    assert model.counters.shed == 1
    assert await complete(running)
    await model.close()


async def test_clients_that_leave_free_their_slots(model: LocalChatModel) -> None:
    for round_ in range(5):
        generations = [model.generate([ENTRIES[round_], COUNT[0]], Sampling(max_tokens=500)) for _ in range(8)]
        await anext(aiter(generations[0]))
        for generation in generations:
            await generation.aclose()
    assert await complete(model.generate(asked(0), Sampling(max_tokens=2)))
    assert model.counters.generated < 400
    assert model.counters.cancelled == 40


async def test_entries_are_prepared_while_nobody_asks(model: LocalChatModel) -> None:
    model.prepare([asked(entry) for entry in range(5)])
    await until(lambda: model.counters.finished == 5)
    first = model.generate(asked(3), Sampling(max_tokens=1))
    await complete(first)
    assert first.usage.prompt - first.usage.cached < 15


async def test_preparations_do_not_drive_out_what_a_customer_asked(small: Weights) -> None:
    model = LocalChatModel(small, options(state_bytes=3 << 20))  # two entries' states, of 1.2 MB each
    model.warm_up()
    await complete(model.generate(asked(0), Sampling(max_tokens=2)))
    model.prepare([asked(entry) for entry in (1, 2)])
    await until(lambda: model.counters.finished == 3)
    model.prepare([asked(entry) for entry in (3, 4)])
    await until(lambda: model.counters.finished == 5)
    again = model.generate(asked(0, "What can I return?"), Sampling(max_tokens=1))
    await complete(again)
    assert again.usage.prompt - again.usage.cached < 15
    await model.close()


async def test_a_customer_does_not_wait_for_preparations(model: LocalChatModel) -> None:
    long = ChatMessage("system", "word " * 300)
    model.prepare([[long, COUNT[0]], asked(1)])
    await asyncio.sleep(0.05)
    assert await complete(model.generate(asked(2), Sampling(max_tokens=2)))
    assert model.counters.prompt_computed < 300
    await until(lambda: model.counters.finished == 3)


async def test_states_survive_a_restart(small: Weights, tmp_path: Path) -> None:
    lasting = options(state_folder=tmp_path / "states", state_folder_bytes=64 << 20)
    texts = []
    for _ in range(2):
        model = LocalChatModel(small, lasting)
        model.warm_up()
        model.prepare([asked(0)])
        await until(lambda: model.counters.finished == 1 or len(texts) == 1)  # noqa: B023
        generation = model.generate(asked(0), Sampling(max_tokens=12))
        texts.append(await complete(generation))
        await model.close()
    assert texts[0] == texts[1]
    assert generation.usage.cached > 0


async def test_the_likelihood_of_a_question_says_which_entry_it_is_about(model: LocalChatModel) -> None:
    question = "How can I send the sofa back?"
    scores = await asyncio.to_thread(model.likelihoods, [asked(entry, question) for entry in range(5)])
    assert max(range(5), key=lambda entry: scores[entry]) == 3
    assert all(score < 0 for score in scores)
    again = await asyncio.to_thread(model.likelihoods, [asked(3, question)])
    assert again[0] == pytest.approx(scores[3], abs=0.5)


async def test_a_long_question_is_scored_in_several_steps(model: LocalChatModel) -> None:
    question = "sofa " * (OUTPUTS + 20)
    whole = await asyncio.to_thread(model.likelihoods, [asked(0, question)])
    assert whole[0] < -OUTPUTS / 10


async def test_scoring_leaves_what_answering_needs(model: LocalChatModel) -> None:
    question = "How can I send the sofa back, please?"
    await asyncio.to_thread(model.likelihoods, [asked(entry, question) for entry in (2, 3)])
    generation = model.generate(asked(3, question), Sampling(max_tokens=1))
    await complete(generation)
    assert generation.usage.prompt - generation.usage.cached <= 8


async def test_a_model_that_is_closed_lets_what_is_running_end(small: Weights) -> None:
    model = LocalChatModel(small, options())
    model.warm_up()
    running = asyncio.create_task(complete(model.generate(asked(0), Sampling(max_tokens=8))))
    await asyncio.sleep(0)
    await model.close()
    assert await running

from __future__ import annotations

from bot.models.base import Sampling
from bot.models.engine.composing import OUTPUTS, ROWS, ROWS_WARMING, compose, next_slice
from bot.models.engine.drafting import FILLED
from bot.models.engine.request import Request


class Anyone:
    """A channel that nobody reads."""

    is_left = False

    def send(self, item: object) -> None:
        pass


def prompt(size: int, anchor: int = 0, scored: int = 0) -> Request:
    return Request(list(range(size)), anchor=anchor, sampling=Sampling(), channel=Anyone(), scored=scored)


def answering(tokens: list[int] | None = None) -> Request:
    request = prompt(20)
    request.tokens += tokens or [100]
    request.given = 1
    request.computed = len(request.tokens) - 1
    return request


def flat(_rows: int) -> float:
    return 1.0


def test_a_prompt_is_cut_where_others_begin_alike() -> None:
    request = prompt(55, anchor=40)
    part = next_slice(request, ROWS, OUTPUTS)
    assert (part.count, part.outputs) == (40, 0)
    request.computed = 40
    part = next_slice(request, ROWS, OUTPUTS)
    assert (part.count, part.outputs) == (15, 1)


def test_scored_tokens_give_logits_each_and_the_last_is_not_needed() -> None:
    part = next_slice(prompt(30, scored=10), ROWS, OUTPUTS)
    assert (part.count, part.outputs) == (29, 10)


def test_no_more_logits_are_asked_for_than_there_is_room_for() -> None:
    request = prompt(100, scored=80)
    part = next_slice(request, 60, 32)
    assert (part.count, part.outputs) == (19 + 32, 32)
    request.computed = part.count
    assert next_slice(request, ROWS, 0).count == 0


def test_a_state_that_is_warmed_gives_no_logits() -> None:
    request = Request(list(range(200)), anchor=200, sampling=Sampling())
    [part] = compose([request], flat, drafting=True)
    assert (part.count, part.outputs) == (ROWS_WARMING, 0)


def test_whoever_needs_one_step_only_goes_first() -> None:
    long, longer, short = prompt(100), prompt(90), prompt(40)
    parts = compose([long, longer, short], flat, drafting=False)
    assert [(part.request, part.count) for part in parts] == [(short, 40), (long, ROWS - 40)]


def test_answers_go_on_beside_prompts() -> None:
    parts = compose([answering(), prompt(100)], flat, drafting=False)
    assert [part.count for part in parts] == [1, ROWS - 1]


def test_guesses_fill_a_step() -> None:
    request = answering([1, 2, 3, 4])
    [part] = compose([request], flat, drafting=True)
    assert part.guesses == list(range(5, 20))
    assert part.outputs == 16


def test_whoever_waits_for_a_first_word_does_not_wait_for_guesses() -> None:
    parts = compose([answering([1, 2, 3, 4]), prompt(30)], flat, drafting=True)
    assert 0 < len(parts[0].guesses) < FILLED
    assert (sum(part.count for part in parts) + len(parts[0].guesses)) % FILLED == 0


def test_no_more_is_guessed_than_may_still_be_said() -> None:
    request = answering([1, 2, 3, 4])
    request.sampling = Sampling(max_tokens=4)
    [part] = compose([request], flat, drafting=True)
    assert len(part.guesses) <= 2


def test_sampled_answers_are_not_guessed() -> None:
    request = Request([1, 2, 3, 1, 2], anchor=0, sampling=Sampling(temperature=1.0), channel=Anyone())
    request.given, request.computed = 1, 4
    [part] = compose([request], flat, drafting=True)
    assert part.guesses == []


def test_any_seed_that_the_api_lets_in_can_be_used() -> None:
    Request([1], anchor=0, sampling=Sampling(temperature=1.0, seed=-1))


def test_a_step_never_has_more_rows_or_logits_than_there_is_room_for() -> None:
    running = [answering([1, 2, 3, 4]) for _ in range(OUTPUTS)] + [prompt(100), prompt(100)]
    parts = compose(running, flat, drafting=True)
    assert sum(part.count + len(part.guesses) for part in parts) <= ROWS
    assert sum(part.outputs for part in parts) <= OUTPUTS

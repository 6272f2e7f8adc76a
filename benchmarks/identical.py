"""Whether a greedy answer is the same with batching, guesses and kept states, token for token.

    python -m benchmarks.identical            # 200 prompts; --prompts 40 for a look

Asks them plainly: alone, without guesses, nothing kept. Then with guesses, with kept states, eight at once, and with
all of it. Where two answers part, the two tokens are scored after what the answers have in common: in steps of 64 rows
and more llama.cpp adds up in another order, so near ties might fall the other way. Prints how many are identical, and
of those that are not, how near the ties were.
"""

from __future__ import annotations

import argparse
import asyncio
import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from benchmarks.engine import Messages, make_prompts
from bot.assembly import chat_weights
from bot.models.base import ChatMessage, Sampling
from bot.models.engine.options import EngineOptions
from bot.models.engine.request import Request, ThreadChannel
from bot.models.local import LocalChatModel
from bot.settings import load_settings
from knowledge.weights.library import Weights

RESULTS = Path(__file__).parent / "results"
MAX_TOKENS, AT_ONCE = 64, 8
PLAIN = EngineOptions(slots=1, state_bytes=0, queue=10_000, patience=1e9, drafting=False)
WAYS = {
    "guesses": replace(PLAIN, drafting=True),
    "kept states": replace(PLAIN, state_bytes=512 << 20),
    "eight at once": replace(PLAIN, slots=AT_ONCE),
    "all of it": replace(PLAIN, slots=AT_ONCE, state_bytes=512 << 20, drafting=True),
}


async def answers(weights: Weights, options: EngineOptions, prompts: Sequence[Messages]) -> list[tuple[int, ...]]:
    """Return the tokens of each prompt and its answer."""
    model = LocalChatModel(weights, options)
    model.warm_up()
    waiting = iter(enumerate(prompts))
    found: dict[int, tuple[int, ...]] = {}

    async def worker() -> None:
        for place, prompt in waiting:
            messages = [ChatMessage(message["role"], message["content"]) for message in prompt]  # type: ignore[arg-type]
            generation = model.generate(messages, Sampling(max_tokens=MAX_TOKENS))
            async for _ in generation:
                pass
            found[place] = tuple(generation._request.tokens)

    await asyncio.gather(*(worker() for _ in range(options.slots)))
    await model.close()
    return [found[place] for place in range(len(prompts))]


def margin(model: LocalChatModel, end: int, one: tuple[int, ...], other: tuple[int, ...]) -> float:
    """Return how much likelier, in nats, the first token that differs is than the other's; an answer's `end` is one."""
    one, other = (*one, end), (*other, end)
    common = next(place for place, (a, b) in enumerate(zip(one, other, strict=False)) if a != b)
    scores = []
    for tokens in (one, other):
        channel = ThreadChannel()
        request = Request(list(tokens[: common + 1]), 0, Sampling(), channel, scored=1)
        assert model._engine is not None
        model._engine.submit(request)
        channel.wait()
        scores.append(request.logprobs[0])
    return abs(scores[0] - scores[1])


def main() -> None:
    """Compare, print, save."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", maxsplit=1)[0])
    parser.add_argument("--prompts", type=int, default=200)
    count = parser.parse_args().prompts
    weights, prompts = chat_weights(load_settings()), make_prompts(count, seed=42)
    plain = asyncio.run(answers(weights, PLAIN, prompts))
    again = asyncio.run(answers(weights, PLAIN, prompts[:5]))
    assert again == plain[:5], "the plain way itself does not repeat itself"
    judge = LocalChatModel(weights, PLAIN)
    judge.warm_up()
    assert judge._model is not None
    assert weights.record.template is not None
    end = judge._model.tokenise(weights.record.template.assistant[1], markers=True)[0]
    report = {}
    for way, options in WAYS.items():
        others = asyncio.run(answers(weights, options, prompts))
        parted = [(one, other) for one, other in zip(plain, others, strict=True) if one != other]
        margins = sorted(margin(judge, end, one, other) for one, other in parted)
        report[way] = {"identical": count - len(parted), "margins": margins}
        print(f"{way}: {count - len(parted)} of {count} identical; where they part, nats between the two tokens: "
              f"{', '.join(f'{one:.3f}' for one in margins) or '-'}")  # fmt: skip
    asyncio.run(judge.close())
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / "identical.json").write_text(json.dumps({"model": weights.path.stem, **report}, indent=1))


if __name__ == "__main__":
    main()

"""What every chat model must do; a subclass gives the fixture `model`."""

from __future__ import annotations

from contextlib import aclosing

from bot.models.base import ChatMessage, ChatModel, Generation, Sampling

PROMPT = [ChatMessage("system", "你是客服助手。"), ChatMessage("user", "你好，请介绍一下你自己。")]


async def complete(generation: Generation) -> str:
    """Read an answer to its end."""
    return "".join([piece async for piece in generation])


class ChatModelContract:
    """Subclass it as Test…, and give `model`: warmed up, with more than one token to say to PROMPT."""

    async def test_it_has_a_name(self, model: ChatModel) -> None:
        assert model.name

    async def test_it_answers_and_counts_its_tokens(self, model: ChatModel) -> None:
        generation = model.generate(PROMPT, Sampling(max_tokens=8))
        assert await complete(generation)
        assert generation.usage.prompt > 0
        assert generation.usage.completion > 0
        assert 0 <= generation.usage.cached <= generation.usage.prompt
        assert generation.finish_reason in ("stop", "length")

    async def test_it_can_be_stopped_in_the_middle_and_answers_the_next(self, model: ChatModel) -> None:
        generation = model.generate(PROMPT, Sampling(max_tokens=200))
        async with aclosing(aiter(generation)) as pieces:  # type: ignore[type-var]
            await anext(pieces)
            await generation.aclose()
        assert await complete(model.generate(PROMPT, Sampling(max_tokens=4)))

    async def test_it_can_be_stopped_before_it_begins(self, model: ChatModel) -> None:
        await model.generate(PROMPT, Sampling(max_tokens=200)).aclose()
        assert await complete(model.generate(PROMPT, Sampling(max_tokens=4)))

    async def test_stopping_twice_is_harmless(self, model: ChatModel) -> None:
        generation = model.generate(PROMPT, Sampling(max_tokens=4))
        await complete(generation)
        await generation.aclose()
        await generation.aclose()

    async def test_warming_up_twice_is_harmless(self, model: ChatModel) -> None:
        model.warm_up()
        assert await complete(model.generate(PROMPT, Sampling(max_tokens=4)))

"""What every connector must do, as tests: subclass ConnectorContract in your own.

    class TestOurs(ConnectorContract):
        settings = {"url": "http://127.0.0.1:9/hook", "secret": "s3cret"}
        secrets = ("s3cret",)
        connector_class = Ours

        async def write(self, client, message_id, text): ...

The methods need nothing but pytest, and no server: the host keeps what it is told in memory.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any, ClassVar, Literal, cast

import httpx
from fastapi import FastAPI, Request
from pydantic import ValidationError

from bot.errors import SendFailed, SendHeld
from bot.question import Answer, Citation, Event, Finished, Question, Started, Suggestion, Token
from connectors.base import Address, Connector, Delivery, Host, Incoming

LONG = "这是一个很长的句子，用来看怎么切分。" * 2_000
"""36,000 characters, 108,000 bytes: more than any platform takes at once."""


class RecordingMemory:
    """Keeps values as SQL would: as JSON."""

    def __init__(self) -> None:
        """Begin with nothing."""
        self.kept: dict[str, str] = {}

    async def get(self, key: str) -> Any:
        """Return a value, None if there is none."""
        return json.loads(self.kept[key]) if key in self.kept else None

    async def put(self, key: str, value: Any) -> None:
        """Keep a value; None forgets it."""
        if value is None:
            self.kept.pop(key, None)
        else:
            self.kept[key] = json.dumps(value)


class RecordingHost:
    """Takes what a connector hands over, answers with what it is told to, and remembers all of it."""

    def __init__(self, path: str = "/channels/contract") -> None:
        """Begin with nothing."""
        self.path = path
        self.memory = RecordingMemory()
        self.taken: dict[str, Incoming] = {}
        self.said: list[tuple[str, ...]] = []
        self.problem: str | None = None
        self.reply = answer("好的")

    async def take(self, incoming: Incoming) -> bool:
        """Keep what came in; False if it came before."""
        is_new = incoming.message_id not in self.taken
        self.taken.setdefault(incoming.message_id, incoming)
        return is_new

    async def ask(self, question: Question) -> AsyncIterator[Event]:
        """Answer at once."""
        del question
        for event in events_of(self.reply):
            yield event

    def report(self, problem: str | None) -> None:
        """Remember a problem."""
        self.problem = problem

    async def admit(self, request: Request, visitor: str, *, trusted: bool = False) -> None:
        """Let everybody pass."""
        del request, visitor, trusted

    def welcome(self) -> str:
        """Return a greeting."""
        return "您好"

    async def rate(self, turn_id: str, rating: Literal["up", "down"], comment: str | None = None) -> None:
        """Remember a thumb."""
        self.said.append(("rate", turn_id, rating, comment or ""))

    async def rate_message(self, message_id: str, rating: Literal["up", "down"], comment: str | None = None) -> None:
        """Remember a thumb."""
        self.said.append(("rate_message", message_id, rating, comment or ""))

    async def agent_says(self, conversation_id: str, agent: str, text: str, message_id: str) -> None:
        """Remember a person's words."""
        self.said.append(("agent_says", conversation_id, agent, text, message_id))

    async def agent_leaves(self, conversation_id: str, agent: str, state: Literal["bot", "closed"]) -> None:
        """Remember that a person left."""
        self.said.append(("agent_leaves", conversation_id, agent, state))

    async def people_took(self, thread: str, agent: str) -> None:
        """Remember that a person came."""
        self.said.append(("people_took", thread, agent))

    async def people_said(self, thread: str, agent: str, text: str, message_id: str) -> None:
        """Remember a person's words."""
        self.said.append(("people_said", thread, agent, text, message_id))

    async def people_left(self, thread: str) -> None:
        """Remember that a person left."""
        self.said.append(("people_left", thread))


class RecordingDelivery:
    """An answer on its way."""

    def __init__(self, address: Address, answer: Answer) -> None:
        """Deliver this answer there."""
        self.address, self.sent, self.again, self._answer = address, 0, False, answer

    async def events(self) -> AsyncIterator[Event]:
        """Yield the answer as it is made."""
        for event in events_of(self._answer):
            yield event

    async def mark_sent(self, count: int) -> None:
        """Remember how many messages arrived."""
        self.sent = count


class ConnectorContract:
    """Subclass it, and say how a platform writes to the connector."""

    connector_class: ClassVar[type[Any]]
    settings: ClassVar[Mapping[str, Any]]
    """Settings that are complete, of a platform that cannot be reached, such as http://127.0.0.1:9."""

    required: ClassVar[tuple[str, ...]] = ()
    """The settings that cannot be left out."""

    secrets: ClassVar[tuple[str, ...]] = ()
    """The values among the settings that nobody may see."""

    path: ClassVar[str] = "/channels/contract"

    async def write(self, client: httpx.AsyncClient, message_id: str, text: str) -> httpx.Response:
        """Bring a customer's message, as the platform does: always the same customer."""
        raise NotImplementedError

    def fits(self, message: Mapping[str, Any]) -> bool:
        """Say whether the platform takes a message of this length."""
        return bool(message)

    def text_in(self, message: Mapping[str, Any]) -> str:
        """Return what a customer reads of a message, for platforms where it has more in it, such as a summary."""
        return json.dumps(message, ensure_ascii=False)

    def make(self) -> Connector:
        """Return the connector."""
        return cast("Connector", self.connector_class(self.connector_class.Settings(**self.settings)))

    @asynccontextmanager
    async def joined(self) -> AsyncIterator[tuple[Connector, RecordingHost, httpx.AsyncClient]]:
        """Give the connector at work, its host, and a client that calls its routes."""
        connector, host, app = self.make(), RecordingHost(self.path), FastAPI()
        app.include_router(connector.routes(_typed(host)))
        transport = httpx.ASGITransport(app)
        running = asyncio.create_task(connector.run(_typed(host)))
        async with httpx.AsyncClient(transport=transport, base_url="http://contract") as client:
            yield connector, host, client
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        await connector.close()

    def test_what_is_missing_is_named(self) -> None:
        """A setting that is needed and not there is said by its name."""
        for name in self.required:
            rest = {key: value for key, value in self.settings.items() if key != name}
            assert name in _refused(self.connector_class.Settings, rest)

    def test_what_is_no_setting_is_refused(self) -> None:
        """A misspelt setting is not taken in silence."""
        assert "misspelt" in _refused(self.connector_class.Settings, {**self.settings, "misspelt": 1})

    def test_secrets_do_not_show(self) -> None:
        """What is logged of the settings has no secret in it."""
        shown = repr(self.connector_class.Settings(**self.settings))
        assert not [secret for secret in self.secrets if secret in shown]

    def test_a_message_reaches_the_host(self) -> None:
        """With the platform's own identifier, a thread, and an address of texts."""

        async def run() -> None:
            async with self.joined() as (_, host, client):
                response = await self.write(client, "m-1", "怎么退货？")
                assert response.status_code < 300, response.text
                [incoming] = host.taken.values()
                assert (incoming.text, incoming.kind) == ("怎么退货？", "text")
                assert incoming.thread
                assert all(isinstance(value, str) for value in incoming.address.values())

        asyncio.run(run())

    def test_the_same_message_four_times_is_one(self) -> None:
        """Platforms deliver again what was acknowledged late; each time it is acknowledged."""

        async def run() -> None:
            async with self.joined() as (_, host, client):
                replies = await asyncio.gather(*(self.write(client, "m-1", "怎么退货？") for _ in range(4)))
                assert [reply.status_code for reply in replies if reply.status_code >= 300] == []
                assert len(host.taken) == 1
                await self.write(client, "m-2", "怎么退货？")
                assert len(host.taken) == 2
                assert len({incoming.thread for incoming in host.taken.values()}) == 1

        asyncio.run(run())

    def test_an_answer_is_shown_and_silence_is_not(self) -> None:
        """While people answer, an answer has no text."""
        connector = self.make()
        assert "好的" in self._read(connector.from_answer(answer("好的")))
        assert connector.from_answer(answer("")) == []
        assert "您好" in self._read(connector.from_text("您好"))

    def test_a_long_answer_is_split_and_nothing_is_lost(self) -> None:
        """No piece is longer than the platform takes."""
        for messages in (self.make().from_answer(answer(LONG)), self.make().from_text(LONG)):
            assert [message for message in messages if not self.fits(message)] == []
            assert self._read(messages).count("用来看怎么切分") == LONG.count("用来看怎么切分")

    def test_choices_are_offered(self) -> None:
        """In whatever way the platform has."""
        offer = answer("您是不是想问：", Suggestion("A", "怎么退货？"), Suggestion("B", "怎么开发票？"))
        shown = self._read(self.make().from_answer(offer))
        assert all(question in shown for question in ("怎么退货？", "怎么开发票？"))

    def test_a_platform_that_is_away_is_tried_again(self) -> None:
        """What did not arrive is no loss: SendFailed has it sent again, or SendHeld once the customer has written."""

        async def run() -> None:
            async with self.joined() as (connector, host, client):
                await self.write(client, "m-1", "怎么退货？")
                [incoming] = host.taken.values()
                delivery = RecordingDelivery(incoming.address, answer("好的"))
                try:
                    await connector.deliver(cast("Delivery", delivery))
                except (SendFailed, SendHeld):
                    assert delivery.sent == 0
                else:
                    self.check_delivered(connector, host)

        asyncio.run(run())

    def _read(self, messages: Sequence[Mapping[str, Any]]) -> str:
        return "\n".join(self.text_in(message) for message in messages)

    def check_delivered(self, connector: Connector, host: RecordingHost) -> None:
        """For connectors that need not call the platform: check that the answer is kept for it."""
        raise AssertionError(f"{connector} delivered to a platform that is away; {host.memory.kept}")


def answer(text: str, *suggestions: Suggestion) -> Answer:
    """Return an answer as the desk gives it."""
    return Answer(
        conversation_id="c-1",
        turn_id="t-1",
        outcome="clarify" if suggestions else "direct",
        text=text,
        citations=[] if suggestions else [Citation(1, "shop", "A", "怎么退货？", text)],
        suggestions=list(suggestions),
    )


def events_of(whole: Answer) -> list[Event]:
    """Return an answer as it is made."""
    return [Started(whole), Token(whole.text), Finished(whole)]


def _refused(settings: type[Any], values: Mapping[str, Any]) -> str:
    try:
        settings(**values)
    except ValidationError as error:
        return str(error)
    raise AssertionError(f"these settings were taken: {sorted(values)}")


def _typed(host: RecordingHost) -> Host:
    """Say that this is a host: mypy checks it."""
    return host

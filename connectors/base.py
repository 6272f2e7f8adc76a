"""What joins a channel to the bot: two pure conversions and a way to send; all else is the bot's.

A connector verifies what its platform sends, hands it to its host, which keeps it, and acknowledges at once. The host
asks, one question of a thread after the other, and has the connector deliver the answer: again and again while the
platform is down, and also if the program was killed meanwhile.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Literal, Protocol

from fastapi import APIRouter, Request
from pydantic import BaseModel, ConfigDict

from bot.errors import SendFailed
from bot.question import Answer, Event, Finished, Message, Question, Started, Token

Outgoing = dict[str, Any]
"""One message as the platform takes it, a JSON object."""

Address = Mapping[str, str]
"""What a connector needs to reach a customer again; the bot keeps it and never looks into it."""

IncomingKind = Literal["text", "media", "entered"]

MALFORMED = (AttributeError, LookupError, TypeError, ValueError)
"""What reading a message raises that is not as its platform says."""


class ConnectorSettings(BaseModel):
    """The parent of each connector's settings: a table [channels.NAME], or FRONTDESK_CHANNELS__NAME__* variables."""

    model_config = ConfigDict(extra="forbid", frozen=True, str_strip_whitespace=True)


@dataclass(frozen=True, kw_only=True)
class Incoming:
    """Something a customer sent.

    The same `message_id` is taken once. What has the same `thread` belongs together: one customer in one place. Media
    (an image, a voice message, a file) and entering a chat have no text. What cannot be kept raises ValueError.
    """

    message_id: str
    thread: str
    address: Address
    text: str = ""
    kind: IncomingKind = "text"

    def __post_init__(self) -> None:
        """Refuse what a platform left out, or sent as something else."""
        for name in ("message_id", "thread", "text"):
            value = getattr(self, name)
            if not isinstance(value, str) or not (value or name == "text"):
                raise ValueError(f"{name} must be text, not {value!r}")
            value.encode()  # half a character, which no database takes


@dataclass(frozen=True, kw_only=True)
class Call:
    """A person is wanted in a conversation; its personal data is masked."""

    conversation_id: str
    channel: str
    reason: str
    summary: str
    transcript: Sequence[Message]


class HandoffAdapter(Protocol):
    """Tells people that one of them is wanted; what it does not need is left as it is here."""

    async def call(self, call: Call) -> None:
        """Tell them; raises ChannelError if they do not know, and it is tried again."""
        ...

    async def forward(self, conversation_id: str, text: str) -> None:
        """Show what the customer wrote since, to people who answer from there; raises as `call` does."""
        del conversation_id, text

    async def check(self) -> str:
        """Say what can be said of whether it works; raises ChannelError."""
        ...

    async def close(self) -> None:
        """Give connections back."""
        return


class Memory(Protocol):
    """A few values that a connector keeps between runs, such as a cursor."""

    async def get(self, key: str) -> Any:
        """Return a value, None if there is none."""
        ...

    async def put(self, key: str, value: Any) -> None:
        """Keep a value that can be written as JSON; None forgets it."""
        ...


class Host(Protocol):
    """What the bot does for one connector."""

    @property
    def path(self) -> str:
        """Where the connector's routes begin, such as /channels/wecom."""
        ...

    @property
    def memory(self) -> Memory:
        """What the connector keeps."""
        ...

    async def take(self, incoming: Incoming) -> bool:
        """Keep what came in, so that it is answered whatever happens; False if it came before."""
        ...

    def ask(self, question: Question) -> AsyncIterator[Event]:
        """Answer at once, for channels that wait for the answer; the question's channel and bot are filled in."""
        ...

    def report(self, problem: str | None) -> None:
        """Say on the health page what does not work, or that it works again."""
        ...

    async def admit(self, request: Request, visitor: str, *, trusted: bool = False) -> None:
        """Refuse what a page of another site sends, and whoever asks too often; of a trusted server only the latter.

        For channels that anyone may call. What it raises becomes a reply with status 403 or 429.
        """
        ...

    def welcome(self) -> str:
        """Return what greets a customer, for channels that must do so at once."""
        ...

    async def rate_message(self, message_id: str, rating: Literal["up", "down"], comment: str | None = None) -> None:
        """Keep a customer's thumb for the answer to a message; for an unknown one it is ignored."""
        ...

    async def agent_says(self, conversation_id: str, agent: str, text: str, message_id: str) -> None:
        """Have a person write to the customer of any channel, each message once; they have the conversation then."""
        ...

    async def agent_leaves(self, conversation_id: str, agent: str, state: Literal["bot", "closed"]) -> None:
        """Give a conversation back to the bot, or close it."""
        ...

    async def people_took(self, thread: str, agent: str) -> None:
        """Leave a thread to a person of the platform's; the bot is silent."""
        ...

    async def people_said(self, thread: str, agent: str, text: str, message_id: str) -> None:
        """Keep what a person of the platform's wrote to the customer, who has read it there; each message once."""
        ...

    async def people_left(self, thread: str) -> None:
        """Give a thread back to the bot."""
        ...

    async def rate(self, turn_id: str, rating: Literal["up", "down"], comment: str | None = None) -> None:
        """Keep a customer's thumb; one for a turn that does not exist is ignored."""
        ...


class Sending(Protocol):
    """Messages on their way to a customer."""

    @property
    def address(self) -> Address:
        """Where to."""
        ...

    @property
    def sent(self) -> int:
        """How many of them have arrived."""
        ...

    @property
    def again(self) -> bool:
        """Whether this was begun before, so that one more may have arrived than is known."""
        ...

    async def mark_sent(self, count: int) -> None:
        """Note that so many of them have arrived."""
        ...


class Delivery(Sending, Protocol):
    """An answer on its way to a customer."""

    def events(self) -> AsyncIterator[Event]:
        """The answer as it is made; the same again at a later attempt."""
        ...


class Connector(Protocol):
    """Joins one channel to the bot; what a channel does not need is left as it is here."""

    one_connection: ClassVar[bool] = False
    """Whether the platform allows one connection only, so that of several replicas one may `run`."""

    def routes(self, host: Host) -> APIRouter:
        """Return what the platform calls, below `host.path`; by default nothing."""
        return APIRouter(prefix=host.path)

    async def run(self, host: Host) -> None:
        """Do what goes on in the background, until cancelled; return at once if there is nothing."""
        del host

    def from_answer(self, answer: Answer) -> list[Outgoing]:
        """Return what the platform shows for an answer, split by its limits; nothing while people answer."""
        ...

    def from_text(self, text: str) -> list[Outgoing]:
        """Return what the platform shows for a person's words, or a sentence of ours."""
        ...

    async def send(self, address: Address, message: Outgoing, message_id: str) -> None:
        """Send one message; the same `message_id` is the same message, sent again.

        Raises:
            SendFailed: it did not arrive, and may later.
            SendRefused: it never will.
        """
        ...

    async def send_again(self, address: Address, message: Outgoing, message_id: str) -> None:
        """Send one message that may have arrived before, for platforms that must be told; raises as `send` does."""
        await self.send(address, message, message_id)

    async def deliver(self, delivery: Delivery) -> None:
        """Bring an answer to the customer: by default whole, message by message. Raises as `send` does."""
        answer = await finished(delivery.events())
        await self.push(delivery, self.from_answer(answer), answer.turn_id)

    async def say(self, sending: Sending, text: str, name: str) -> None:
        """Bring a sentence of ours to the customer; raises as `send` does."""
        await self.push(sending, self.from_text(text), name)

    async def push(self, sending: Sending, messages: Sequence[Outgoing], name: str) -> None:
        """Send those messages that have not arrived yet; raises as `send` does."""
        first = sending.sent
        for number, message in enumerate(messages[first:], start=first):
            send = self.send_again if sending.again and number == first else self.send
            await send(sending.address, message, f"{name}-{number}")
            await sending.mark_sent(number + 1)

    async def settled(self, address: Address) -> None:
        """Learn that nothing more will be said to a message, for channels that wait for it."""
        del address

    def people(self) -> HandoffAdapter | None:
        """Return the people who may be called over this platform, for all channels; None if there are none."""
        return None

    async def check(self) -> str:
        """Ask the platform whether all is well, and return who we are there; raises ChannelError."""
        ...

    async def close(self) -> None:
        """Give connections back."""
        return


async def finished(events: AsyncIterator[Event]) -> Answer:
    """Return the answer at the end of its events."""
    async for event in events:
        if isinstance(event, Finished):
            return event.answer
    raise SendFailed("the answer was not finished")


async def watched(events: AsyncIterator[Event], show: Callable[[str], object]) -> AsyncIterator[Event]:
    """Pass events on, and show the answer's text as far as it is there, whenever it has grown."""
    text = ""
    async for event in events:
        if isinstance(event, Started):
            text = ""
        elif isinstance(event, Token):
            text += event.text
            show(text)
        yield event

"""The two neutral types between the world and the bot, and what a conversation remembers.

Nothing inside bot knows a channel: a connector turns what its platform sends into a Question, and an Answer into what
its platform shows.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from knowledge.search import Candidate

if TYPE_CHECKING:
    from bot.models.base import ChatMessage

Outcome = Literal["direct", "grounded", "clarify", "escalated", "handoff", "refused"]
HandoffState = Literal["bot", "waiting", "human", "closed"]
Role = Literal["customer", "bot"]


@dataclass(frozen=True, kw_only=True)
class Question:
    """What a customer asked.

    `message_id` is the platform's own: the same one is never answered twice. `language` is the customer's wish, else
    it is read off the text. `earlier` are the questions before this one, where the channel keeps the conversation
    itself and sends it along. A conversation that a `visitor` began is theirs alone. `bot` is empty where there is
    only one.
    """

    text: str
    conversation_id: str | None = None
    message_id: str | None = None
    channel: str = "api"
    language: str | None = None
    earlier: tuple[str, ...] = ()
    visitor: str | None = None
    bot: str = ""


@dataclass(frozen=True)
class Message:
    """One message of a conversation's past; a customer's was `about` the entry with this question."""

    role: Role
    text: str
    about: str | None = None


@dataclass(frozen=True)
class Citation:
    """An entry that an answer rests on; `number` is the [n] in its text."""

    number: int
    knowledge_base: str
    key: str
    question: str
    answer: str


@dataclass(frozen=True)
class Suggestion:
    """An entry offered to be clicked."""

    key: str
    question: str


@dataclass(kw_only=True)
class Timings:
    """Where the time went, in milliseconds."""

    search_ms: float = 0
    first_token_ms: float | None = None
    total_ms: float = 0


@dataclass(kw_only=True)
class Usage:
    """Tokens of a model's work; `cached` prompt tokens were not computed again."""

    prompt: int = 0
    cached: int = 0
    completion: int = 0


@dataclass(kw_only=True)
class Trace:
    """What a model was asked, what it said, and whether that was borne out: for whoever tries the bot, not logged."""

    prompt: list[ChatMessage] = field(default_factory=list)
    generated: str | None = None
    grounded: bool | None = None


@dataclass(kw_only=True)
class Answer:
    """What the customer gets, with all that led to it; `action` names the program that gave it, if one did.

    `degraded` says that a model could not be used, `reused` that its words were already there.
    """

    conversation_id: str
    turn_id: str
    outcome: Outcome
    text: str = ""
    confidence: float | None = None
    language: str = "zh"
    citations: list[Citation] = field(default_factory=list)
    suggestions: list[Suggestion] = field(default_factory=list)
    candidates: list[Candidate] = field(default_factory=list)
    standalone: str | None = None
    model: str | None = None
    action: str | None = None
    degraded: bool = False
    reused: bool = False
    handoff: HandoffState = "bot"
    timings: Timings = field(default_factory=Timings)
    usage: Usage = field(default_factory=Usage)
    trace: Trace = field(default_factory=Trace)


@dataclass(frozen=True)
class Started:
    """The route is chosen, or has changed, and the answer begins."""

    answer: Answer


@dataclass(frozen=True)
class Token:
    """A piece of the answer's text."""

    text: str


@dataclass(frozen=True)
class Finished:
    """The whole answer, checked and logged; its text replaces what was streamed."""

    answer: Answer


Event = Started | Token | Finished

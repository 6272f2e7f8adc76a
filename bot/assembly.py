"""From settings to a working desk: the one place where parts are chosen."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import structlog
from threadpoolctl import threadpool_limits

from bot.actions.opening import open_actions
from bot.desk import FrontDesk
from bot.errors import SettingsError
from bot.handoff import HandoffDesk
from bot.keeping.restore import is_unfinished
from bot.models.base import ChatModel
from bot.models.engine.options import EngineOptions
from bot.models.likelihood import LikelihoodReranker
from bot.models.local import LocalChatModel
from bot.published import PublishedKnowledge
from bot.sections import ModelSettings, RemoteSettings
from bot.settings import Settings, with_driver
from bot.store.conversations import ConversationStore
from bot.store.database import Database, upgrade
from bot.store.knowledge import KnowledgeStore
from knowledge.embedding.absent import AbsentEmbedder
from knowledge.embedding.base import Embedder, OnProgress, no_progress
from knowledge.embedding.choosing import chosen_model
from knowledge.embedding.gguf import GgufEmbedder
from knowledge.embedding.int8 import Int8Embedder
from knowledge.embedding.int8 import can_run as can_run_int8
from knowledge.embedding.sentence_transformer import SentenceTransformerEmbedder
from knowledge.errors import ModelError, ModelUnavailable
from knowledge.index.base import VectorIndexes
from knowledge.llama import is_slow_build, processor_features
from knowledge.machine import available_memory
from knowledge.reranking.base import Reranker
from knowledge.reranking.cross_encoder import CrossEncoderReranker
from knowledge.reranking.patient import PatientReranking
from knowledge.weights.library import ModelLibrary, Weights
from knowledge.weights.quantising import faster

if TYPE_CHECKING:
    from bot.models.remote import RemoteChatModel

log = structlog.get_logger()

SHARE_OF_STATES = 8
"""States of prompts get at most one part in so many of a small machine's memory."""

KEEP_SNAPSHOTS = 3
"""Of each bot: the one that answers, the one before it, and one being tried out."""


@dataclass(frozen=True)
class Parts:
    """The desks, one for each bot, and what they stand on."""

    settings: Settings
    database: Database
    knowledge_store: KnowledgeStore
    desks: dict[str, FrontDesk]
    lacking: list[str]
    indexes: VectorIndexes | None = None

    @property
    def desk(self) -> FrontDesk:
        """The desk of the bot without a name."""
        return self.desks[""]

    @property
    def problems(self) -> list[str]:
        """What does not work as it should, a sentence each."""
        unknown = {action for desk in self.desks.values() for action in desk.unknown_actions}
        empty = [name for name, desk in self.desks.items() if not desk.knowledge.is_ready]
        away = {desk.knowledge.problem for desk in self.desks.values() if desk.knowledge.problem}
        return [
            *self.lacking,
            *sorted(away),
            *(f"entries name the action {name}, which is not there; see docs/actions.md" for name in sorted(unknown)),
            *(
                f"nothing has been published{f' for {name}' if name else ''}; run: frontdesk faq import FILE"
                for name in empty
            ),
        ]

    async def close(self) -> None:
        """Give everything back; the desks share their models."""
        await self.desk.close()
        if self.indexes is not None:
            await asyncio.to_thread(self.indexes.close)
        await self.database.close()


def model_library(settings: Settings) -> ModelLibrary:
    """Return the models on this machine."""
    return ModelLibrary(settings.models_dir.expanduser())


def embedding_model(settings: Settings) -> str:
    """Return the embedding model of the settings by its own name, where that is `auto`."""
    models = settings.models
    return chosen_model(models.embedding, model_library(settings), in_eight_bits=models.fast_weights)


def make_embedder(settings: Settings) -> Embedder:
    """Return the embedder that the settings name.

    Raises:
        ModelError: it is not to be had here.
        SettingsError: it lacks its endpoint.
    """
    kind, _, name = settings.models.embedding.partition(":")
    if kind == "sentence-transformers" and name:
        return SentenceTransformerEmbedder(name)
    if kind == "openai" and name:
        key = settings.models.embedding_api_key
        if not settings.models.embedding_base_url:
            raise SettingsError("models.embedding is openai:…, so models.embedding_base_url must be set too")
        from knowledge.embedding.remote import RemoteEmbedder  # noqa: PLC0415 - as for the remote chat model

        return RemoteEmbedder(
            name, base_url=settings.models.embedding_base_url, api_key=key.get_secret_value() if key else None
        )
    library = model_library(settings)
    weights, threads = library.find(embedding_model(settings), "embedding"), settings.models.threads or None
    if settings.models.fast_weights and can_run_int8(weights):
        embedder = Int8Embedder(weights, library.folder, threads=threads)
        try:
            embedder.write()
        except ModelError as error:
            log.warning("the embedder could not be made faster", reason=str(error))
        else:
            return embedder
    return GgufEmbedder(weights, threads=threads)


def make_indexes(settings: Settings) -> VectorIndexes | None:
    """Return where indexes of vectors are kept, None if that is `data_dir`.

    Raises:
        SettingsError: it cannot be there, or what speaks to it is not installed.
    """
    index = settings.index
    try:
        if index.kind == "milvus":
            from knowledge.index.milvus import MilvusIndexes  # noqa: PLC0415 - of an extra, and seconds to import

            return MilvusIndexes(index.url or "", index.token.get_secret_value() if index.token else "")
        if index.kind == "pgvector":
            from knowledge.index.pgvector import PgvectorIndexes  # noqa: PLC0415 - of an extra

            return PgvectorIndexes(with_driver(index.url or settings.resolved_database_url))
    except ImportError as error:
        raise SettingsError(
            f"index.kind: {index.kind} is not installed ({error}); run: pip install 'frontdesk-bot[{index.kind}]'"
        ) from error
    except ValueError as error:
        raise SettingsError(f"index.url, by default database_url, is of no use: {error}") from error
    return None


def make_reranker(settings: Settings, local: ChatModel | None) -> Reranker | None:
    """Return the reranker that the settings name, None if they want none.

    Raises:
        ModelUnavailable: it is to be the local model, and there is none.
    """
    kind, _, name = settings.models.reranker.partition(":")
    if kind == "local":
        if not isinstance(local, LocalChatModel):
            raise ModelUnavailable("there is no local chat model to read them")
        return LikelihoodReranker(local)
    return CrossEncoderReranker(name) if name else None


def chat_weights(settings: Settings) -> Weights:
    """Return the local chat model's file, in its fast form if that is wanted and there is room for it.

    Raises:
        ModelError: it is not to be had here.
    """
    library = model_library(settings)
    weights = library.find(settings.models.chat, "chat")
    if not settings.models.fast_weights:
        return weights
    try:
        fast = faster(weights, library.folder, progress=_say_when_it_begins)
    except (ModelError, OSError) as error:
        log.warning("the chat model could not be made faster", reason=str(error))
        return weights
    return Weights(weights.record, fast.path)  # it is the same model to whoever asks for it by name


def _say_when_it_begins(_name: str, done: int, _total: int) -> None:
    if done == 1:
        log.info("the chat model is written once again in types that multiply faster: up to a minute, once")


def make_local_model(settings: Settings) -> ChatModel | None:
    """Return the chat model that words grounded answers, None if the settings want none.

    Raises:
        ModelError: it is not to be had here.
        SettingsError: it lacks its endpoint.
    """
    models = settings.models
    if not models.chat:
        return None
    kind, _, name = models.chat.partition(":")
    if kind == "openai" and name:
        return _make_chat_model_elsewhere(name, models)
    return LocalChatModel(
        chat_weights(settings),
        EngineOptions(
            threads=models.threads,
            context_tokens=models.context_tokens,
            slots=models.slots,
            state_bytes=_state_bytes(models),
            state_folder=settings.data_dir.expanduser() / "states",
            state_folder_bytes=models.prefix_disk_mb << 20,
            queue=models.queue,
            patience=models.patience_seconds,
        ),
    )


def _state_bytes(models: ModelSettings) -> int:
    wanted, memory = models.prefix_cache_mb << 20, available_memory()
    return min(wanted, memory // SHARE_OF_STATES) if memory else wanted


def _make_chat_model_elsewhere(name: str, models: ModelSettings) -> ChatModel:
    if not models.chat_base_url:
        raise SettingsError("models.chat is openai:…, so models.chat_base_url must be set too")
    from bot.models.remote import RemoteChatModel  # noqa: PLC0415 - openai takes 0.5 s and 15 MB to import

    endpoint = RemoteSettings(
        base_url=models.chat_base_url,
        api_key=models.chat_api_key,
        model=name,
        timeout_seconds=models.answer_seconds,
        retries=0,
    )
    return RemoteChatModel(endpoint)


def make_remote_model(settings: Settings) -> RemoteChatModel | None:
    """Return the larger model that the settings name, None if they name none."""
    if not settings.remote.base_url:
        return None
    from bot.models.remote import RemoteChatModel  # noqa: PLC0415 - openai takes 0.5 s and 15 MB to import

    return RemoteChatModel(settings.remote)


async def open_database(settings: Settings) -> Database:
    """Open the database, bringing its tables up to date; raises StoreError."""
    await asyncio.to_thread(upgrade, settings.resolved_database_url)
    return Database(settings.resolved_database_url, settings.database)


async def warm_embedder(
    settings: Settings, problems: list[str], make: Callable[[Settings], Embedder] = make_embedder
) -> Embedder:
    """Return the embedder, loaded; without one, the stand-in, with the reason among `problems`."""
    try:
        embedder = make(settings)
        await asyncio.to_thread(embedder.warm_up)
    except ModelError as error:
        problems.append(f"searching by words only: {error}")
        log.warning("no embedding model", reason=str(error))
        return AbsentEmbedder()
    return embedder


async def warm_reranking(settings: Settings, local: ChatModel | None, problems: list[str]) -> PatientReranking | None:
    """Return what asks the reranker, loaded; None without one, with the reason among `problems` if one is wanted."""
    try:
        reranker = make_reranker(settings, local)
        if reranker is None:
            return None
        await asyncio.to_thread(reranker.warm_up)
    except ModelError as error:
        problems.append(f"uncertain questions are not read again: {error}")
        log.warning("no reranker", reason=str(error))
        return None
    return PatientReranking(reranker, warn=lambda reason: log.warning("not reranked", reason=reason))


async def open_desk(
    settings: Settings,
    on_progress: OnProgress = no_progress,
    *,
    local: Callable[[Settings], ChatModel | None] = make_local_model,
    embedder: Callable[[Settings], Embedder] = make_embedder,
) -> Parts:
    """Load everything a desk needs; what cannot be had is left out and named. Models may be made elsewhere.

    Raises:
        StoreError: the database cannot be opened.
        SettingsError: the settings contradict themselves.
    """
    threadpool_limits(1, user_api="blas")  # threads of one small product wait for each other: 6.5 ms instead of 0.5
    problems = ["a restore was not finished; run it again: frontdesk restore"] if is_unfinished(settings) else []
    database, chat, embedding = await asyncio.gather(
        open_database(settings),
        asyncio.to_thread(warm_local_model, settings, problems, local),
        warm_embedder(settings, problems, embedder),
    )
    reranking = await warm_reranking(settings, chat, problems)
    knowledge_store, conversations = KnowledgeStore(database), ConversationStore(database)
    humans, remote = HandoffDesk(settings.handoff, conversations), make_remote_model(settings)
    actions = open_actions(settings, database, problems)
    indexes = None if isinstance(embedding, AbsentEmbedder) else make_indexes(settings)
    desks: dict[str, FrontDesk] = {}
    for name in ("", *settings.bots):
        own = settings.for_bot(name)
        knowledge = PublishedKnowledge(
            knowledge_store,
            embedding,
            settings.data_dir.expanduser() / "index",
            own.bot.knowledge_bases,
            keep=KEEP_SNAPSHOTS * (1 + len(settings.bots)),
            reranking=reranking,
            synonyms=own.bot.synonyms,
            indexes=indexes,
        )
        await knowledge.refresh(on_progress)
        desks[name] = FrontDesk(
            settings=own,
            knowledge=knowledge,
            conversations=conversations,
            humans=humans,
            actions=actions,
            local=chat,
            remote=remote,
        )
    return Parts(settings, database, knowledge_store, desks, problems, indexes)


def warm_local_model(
    settings: Settings, problems: list[str], make: Callable[[Settings], ChatModel | None] = make_local_model
) -> ChatModel | None:
    """Return the local chat model, loaded; None without one, with the reason among `problems`. Blocks."""
    try:
        model = make(settings)
        if model is None:
            problems.append("no local chat model is set: no grounded answers")
            return None
        model.warm_up()
    except ModelError as error:
        problems.append(f"no grounded answers: {error}")
        log.warning("no chat model", reason=str(error))
        return None
    if isinstance(model, LocalChatModel) and is_slow_build():
        problems.append("llama-cpp-python was built without SIMD and is some 20 times slower; run: make rebuild-llama")
        log.warning("slow build of llama.cpp", features=processor_features())
    return model

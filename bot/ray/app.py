"""The application that Ray Serve deploys: `serve deploy deploy/ray/frontdesk.yaml`."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from fastapi import FastAPI
from ray import serve

from bot.assembly import make_embedder, make_local_model, open_desk
from bot.errors import SettingsError
from bot.http.app import create_app
from bot.logs import set_up_logging
from bot.models.base import ChatModel
from bot.ray.chat_model import ReplicatedChatModel
from bot.ray.embedder import ReplicatedEmbedder
from bot.ray.replicas import ChatReplica, EmbedderReplica
from bot.settings import Settings, load_settings
from knowledge.embedding.base import Embedder

if TYPE_CHECKING:
    from ray.serve.handle import DeploymentHandle


class Ingress:
    """The web application of one machine, whose models are elsewhere."""

    def __init__(self, chat: DeploymentHandle[Any] | None, embedder: DeploymentHandle[Any] | None) -> None:
        """Read the settings; a model without a handle is made here, as on one machine.

        Raises:
            SettingsError: several replicas are to share an SQLite file.
        """
        self._settings = load_settings()
        self._chat, self._embedder = chat, embedder
        set_up_logging(self._settings.log_level, as_json=self._settings.log_json)
        context = serve.get_replica_context()
        check_database(self._settings, alone=(context.world_size or 1) == 1 and context.rank.rank == 0)

    def __serve_build_asgi_app__(self) -> FastAPI:
        """Return the application; Ray starts it."""
        return create_app(
            self._settings,
            partial(open_desk, self._settings, local=self._make_chat_model, embedder=self._make_embedder),
        )

    def _make_chat_model(self, settings: Settings) -> ChatModel | None:
        if self._chat is None:
            return make_local_model(settings)
        return ReplicatedChatModel(self._chat, patience=settings.models.patience_seconds)

    def _make_embedder(self, settings: Settings) -> Embedder:
        return make_embedder(settings) if self._embedder is None else ReplicatedEmbedder(self._embedder)


def check_database(settings: Settings, *, alone: bool) -> None:
    """Raise SettingsError where several replicas would each have an SQLite file of their own."""
    if settings.resolved_database_url.startswith("sqlite") and not alone:
        raise SettingsError("several replicas of the ingress need PostgreSQL: set database_url, or num_replicas: 1")


STICKY = "ray.serve.experimental.consistent_hash_router.ConsistentHashRouter"
"""Sends what begins alike to the same replica, and to the next on the ring while that one has its hands full."""

# How many replicas, and how much each may take, is said in deploy/ray/frontdesk.yaml.
_chat = serve.deployment(ChatReplica, request_router_config={"request_router_class": STICKY}).bind()
_embedder = serve.deployment(EmbedderReplica).bind()
_ingress = serve.deployment(serve.ingress()(Ingress))

app = _ingress.bind(_chat, _embedder)
"""All three kinds of replicas."""

app_without_chat = _ingress.bind(None, _embedder)
"""For a chat model that runs elsewhere, in vLLM or SGLang: `models.chat = "openai:NAME"`."""

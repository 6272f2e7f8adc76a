"""Rasa's action server, with the FAQ as one of its actions."""

from __future__ import annotations

import asyncio
import signal
import socket
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from rasa_sdk import endpoint
from sanic import Sanic

from bot.actions.local import make_executor
from bot.actions.opening import find_actions
from bot.assembly import Parts, open_desk
from bot.desk import FrontDesk
from bot.question import Answer, Finished, Question, Started
from bot.settings import Settings
from bot.store.channels import ChannelStore
from connectors.base import Incoming
from connectors.rasa.answer_faq import AnswerFaq

CHANNEL = "rasa"
DRAIN_SECONDS = 15.0
"""So long answers on their way may take once the server is asked to stop."""


class FaqForRasa:
    """Answers for an assistant of Rasa's: each of its senders has one conversation here."""

    def __init__(self, desk: FrontDesk, store: ChannelStore) -> None:
        """Ask this desk."""
        self._desk, self._store = desk, store

    async def answer(self, incoming: Incoming) -> tuple[list[str], Answer]:
        """Return what people wrote to the sender meanwhile, and the answer; raises QuestionRejected."""
        thread_id = await self._store.thread_of(CHANNEL, incoming)
        question = Question(
            text=incoming.text,
            conversation_id=await self._store.conversation_of(thread_id),
            message_id=incoming.message_id or None,
            channel=CHANNEL,
            visitor=f"{CHANNEL}:{incoming.thread}",
        )
        answer: Answer | None = None
        async for event in self._desk.answer(question):
            if isinstance(event, Started) and event.answer.conversation_id != question.conversation_id:
                await self._store.join(thread_id, event.answer.conversation_id)
            if isinstance(event, Finished):
                answer = event.answer
        assert answer is not None
        return await self._written(thread_id), answer

    async def _written(self, thread_id: int) -> list[str]:
        replies = [reply for reply in await self._store.undelivered() if reply.thread_id == thread_id]
        if replies:
            await self._store.mark_delivered(replies[-1])
        return [reply.text for reply in replies]


def make_server(settings: Settings, problems: list[str]) -> Sanic[Any, Any]:
    """Return rasa-sdk's server; the desk is opened when it starts. What cannot be had is named among the problems."""
    ready: asyncio.Future[FaqForRasa] | None = None

    async def answer_one(incoming: Incoming) -> tuple[list[str], Answer]:
        assert ready is not None
        return await (await ready).answer(incoming)

    app = endpoint.create_app(
        make_executor([AnswerFaq(answer_one), *find_actions(settings, problems)]), cors_origins=()
    )

    async def open_it(app: Sanic[Any, Any]) -> None:
        nonlocal ready
        ready = asyncio.get_running_loop().create_future()
        app.ctx.parts = await open_desk(settings)
        app.ctx.following = asyncio.create_task(app.ctx.parts.desk.knowledge.follow())
        ready.set_result(FaqForRasa(app.ctx.parts.desk, ChannelStore(app.ctx.parts.database)))

    async def close_it(app: Sanic[Any, Any]) -> None:
        parts: Parts = app.ctx.parts
        app.ctx.following.cancel()
        await asyncio.gather(app.ctx.following, return_exceptions=True)
        await parts.close()

    app.register_listener(open_it, "before_server_start")
    app.register_listener(close_it, "after_server_stop")
    return app


async def serve(app: Sanic[Any, Any], listener: socket.socket, tell: Callable[[], None]) -> None:
    """Serve until SIGTERM or SIGINT; `tell` is called once it can answer.

    Sanic's own `run` loses a signal that comes while it starts, and then never stops.
    """
    stop, loop = asyncio.Event(), asyncio.get_running_loop()
    for asked in (signal.SIGTERM, signal.SIGINT):
        with suppress(NotImplementedError):  # on Windows, where Ctrl-C still raises KeyboardInterrupt
            loop.add_signal_handler(asked, stop.set)
    app.config.MOTD = False
    server = await app.create_server(
        sock=listener, access_log=False, return_asyncio_server=True, asyncio_server_kwargs={"start_serving": False}
    )
    assert server is not None
    await server.startup()
    await server.before_start()
    try:
        await server.start_serving()
        await server.after_start()
        tell()
        await stop.wait()
    finally:
        await server.before_stop()
        server.close()
        await _drain(server.connections)
        await server.after_stop()


async def _drain(connections: set[Any]) -> None:
    """Let answers on their way end, for a while."""
    with suppress(TimeoutError):
        async with asyncio.timeout(DRAIN_SECONDS):
            while connections:
                for connection in list(connections):
                    connection.close_if_idle()
                await asyncio.sleep(0.05)
    for connection in list(connections):
        connection.abort()

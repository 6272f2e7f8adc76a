"""WeCom's AI bot, both ways: callbacks that are refreshed until the end, and a WebSocket server."""

from __future__ import annotations

import asyncio
import base64
import json
import secrets
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx
from fastapi import FastAPI, Request
from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed
from wechatpy.enterprise.crypto import PrpCrypto
from wechatpy.utils import WeChatSigner

from tests.connectors.platforms.misbehaviour import Script
from tests.connectors.platforms.wecom import AES_KEY, TOKEN

BOT, SECRET = "aib-1", "bot-secret"
WRONG_SECRET, INVALID_REQUEST, EXPIRED = 853000, 846605, 846608


def message(text: str = "", *, user: str = "zhangsan", chat: str | None = None, **fields: Any) -> dict[str, Any]:
    """Return what a user wrote, alone or in a group."""
    where = {"chattype": "group", "chatid": chat} if chat else {"chattype": "single"}
    body = {"msgid": secrets.token_hex(8), "aibotid": BOT, "from": {"userid": user}, **where}
    return {**body, "msgtype": "text", "text": {"content": text}, **fields}


def event(name: str, **details: Any) -> dict[str, Any]:
    """Return what happened to a user."""
    body = {"msgid": secrets.token_hex(8), "aibotid": BOT, "from": {"userid": "zhangsan"}, "msgtype": "event"}
    return {
        **body,
        "create_time": int(time.time()),
        "event": {"eventtype": name, **({name: details} if details else {})},
    }


class Callbacks:
    """Calls the bot's address, and opens what it answers."""

    def __init__(self, address: str) -> None:
        self._address = f"{address}/channels/wecom_bot_webhook/callback"
        self._crypto = PrpCrypto(base64.b64decode(AES_KEY + "="))

    def post(self, body: dict[str, Any], **changed: str) -> httpx.Response:
        encrypted = self._crypto.encrypt(json.dumps(body), changed.pop("receive_id", "")).decode()
        timestamp = str(int(time.time()))
        query = {"msg_signature": self._sign(timestamp, encrypted), "timestamp": timestamp, "nonce": "n", **changed}
        return httpx.post(self._address, params=query, json={"encrypt": encrypted}, timeout=5)

    def call(self, body: dict[str, Any]) -> dict[str, Any] | None:
        """Return the bot's answer, None for an empty one."""
        reply = self.post(body)
        assert reply.status_code == 200, reply.text
        if not reply.content:
            return None
        sealed = reply.json()
        assert sealed["msgsignature"] == self._sign(str(sealed["timestamp"]), sealed["encrypt"])
        opened: dict[str, Any] = json.loads(self._crypto.decrypt(sealed["encrypt"], ""))
        return opened

    def ask(self, body: dict[str, Any], seconds: float = 20) -> list[dict[str, Any]]:
        """Return every state of the answer that WeCom is given, till the end."""
        states = []
        deadline = time.monotonic() + seconds
        reply = self.call(body)
        while reply is not None:
            states.append(reply["stream"])
            if reply["stream"]["finish"]:
                break
            assert time.monotonic() < deadline, states
            time.sleep(0.1)
            refresh = {**body, "msgtype": "stream", "stream": {"id": reply["stream"]["id"]}}
            reply = self.call(refresh)
        return states

    def prove(self, text: str) -> str:
        echo, timestamp = self._crypto.encrypt(text, "").decode(), str(int(time.time()))
        query = {"msg_signature": self._sign(timestamp, echo), "timestamp": timestamp, "nonce": "n", "echostr": echo}
        return httpx.get(self._address, params=query).text

    def _sign(self, timestamp: str, encrypted: str) -> str:
        signer = WeChatSigner()
        signer.add_data(TOKEN, timestamp, "n", encrypted)
        return str(signer.signature)


@dataclass
class ResponseUrls:
    """The addresses for a later word, each good for one."""

    said: dict[str, list[Any]] = field(default_factory=dict)
    script: Script = field(default_factory=Script)

    def app(self) -> FastAPI:
        app = FastAPI()

        @app.post("/response/{code}")
        async def respond(code: str, request: Request) -> Any:
            if trouble := await self.script.next():
                return trouble
            self.said.setdefault(code, []).append(await request.json())
            return {"errcode": 0}

        return app


@dataclass
class Socket:
    """WeCom's WebSocket server; what a user sees of a reply is its latest frame."""

    frames: list[dict[str, Any]] = field(default_factory=list)
    shown: dict[str, dict[str, Any]] = field(default_factory=dict)
    pushed: list[dict[str, Any]] = field(default_factory=list)
    subscribed: int = 0
    pings: int = 0
    is_silent: bool = False
    refuse: dict[str, int] = field(default_factory=dict)
    changed: threading.Condition = field(default_factory=threading.Condition)
    port: int = 0
    _requests: set[str] = field(default_factory=set)
    _connection: ServerConnection | None = None
    _loop: asyncio.AbstractEventLoop | None = None

    @contextmanager
    def serving(self) -> Iterator[str]:
        loop, started, stop = asyncio.new_event_loop(), threading.Event(), asyncio.Event()
        self._loop = loop

        async def run() -> None:
            async with serve(self._handle, "127.0.0.1", self.port) as server:
                self.port = server.sockets[0].getsockname()[1]
                started.set()
                await stop.wait()

        thread = threading.Thread(target=loop.run_until_complete, args=(run(),), name="wecom-socket")
        thread.start()
        assert started.wait(10)
        try:
            yield f"ws://127.0.0.1:{self.port}"
        finally:
            loop.call_soon_threadsafe(stop.set)
            thread.join()
            loop.close()

    async def _handle(self, connection: ServerConnection) -> None:
        try:
            async for text in connection:
                frame = json.loads(text)
                code = self._take(connection, frame)
                if code is not None:
                    answer = {"headers": frame["headers"], "errcode": code, "errmsg": "ok" if code == 0 else "error"}
                    await connection.send(json.dumps(answer))
        except ConnectionClosed:
            pass

    def _take(self, connection: ServerConnection, frame: dict[str, Any]) -> int | None:
        command, body = frame["cmd"], frame.get("body") or {}
        with self.changed:
            self.frames.append(frame)
            try:
                if self.is_silent and command != "aibot_subscribe":
                    return None
                return self._do(connection, command, body, frame["headers"]["req_id"])
            finally:
                self.changed.notify_all()

    def _do(self, connection: ServerConnection, command: str, body: dict[str, Any], request: str) -> int:
        if code := self.refuse.get(command):
            return code
        if command == "aibot_subscribe":
            if (body["bot_id"], body["secret"]) != (BOT, SECRET):
                return WRONG_SECRET
            self.subscribed += 1
            self._connection = connection
        elif command == "ping":
            self.pings += 1
        elif command == "aibot_send_msg":
            self.pushed.append(body)
        elif request not in self._requests:
            return INVALID_REQUEST
        elif command == "aibot_respond_msg":
            stream = body["stream"]
            if self.shown.get(request, {}).get("finish"):
                return EXPIRED
            self.shown[request] = stream
        else:
            self.shown[request] = body
        return 0

    def send(self, body: dict[str, Any], request: str | None = None) -> str:
        """Let a user write, or something happen; return the request's identifier."""
        request = request or secrets.token_hex(8)
        self._requests.add(request)
        command = "aibot_event_callback" if body["msgtype"] == "event" else "aibot_msg_callback"
        self.send_text(json.dumps({"cmd": command, "headers": {"req_id": request}, "body": body}))
        return request

    def send_text(self, text: str) -> None:
        """Send whatever this is."""
        self.wait(lambda: self._connection is not None)
        assert self._loop is not None
        assert self._connection is not None
        asyncio.run_coroutine_threadsafe(self._connection.send(text), self._loop).result(10)

    def drop(self) -> None:
        """Break the connection off."""
        connection, self._connection = self._connection, None
        assert self._loop is not None
        assert connection is not None
        asyncio.run_coroutine_threadsafe(connection.close(1011), self._loop).result(10)

    def wait(self, happened: Any, seconds: float = 30) -> None:
        with self.changed:
            assert self.changed.wait_for(happened, seconds), (self.frames, self.pushed)

    def reply_to(self, request: str) -> str:
        """Return the whole reply to a request, once it is there."""
        self.wait(lambda: self.shown.get(request, {}).get("finish"))
        return str(self.shown[request]["content"])

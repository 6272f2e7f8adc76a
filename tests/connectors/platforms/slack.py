"""Slack's servers: they sign and send events, clicks and commands, open sockets, and take what the bot posts."""

from __future__ import annotations

import json
import threading
import time
from dataclasses import dataclass, field
from itertools import count
from typing import Any
from urllib.parse import urlencode

import httpx
from fastapi import FastAPI, Request, WebSocket, WebSocketDisconnect
from fastapi.responses import JSONResponse, Response
from slack_sdk.signature import SignatureVerifier

from tests.connectors.platforms.misbehaviour import Script

TOKEN, APP_TOKEN, SECRET = "xoxb-1", "xapp-1", "8f742231b10e8888abcd99yyyzzz85a5"
BOT_USER, BOT_ID, TEAM = "UBOT", "BBOT", "T1"
DIRECT, PUBLIC, AGENTS = "D1", "C1", "CAGENTS"
NAMES = {"UA": "Anna", "UO": "Olga"}
MAX_MARKDOWN = 12_000


@dataclass
class FakeSlack:
    """One workspace."""

    address: str = ""
    bot: str = ""
    messages: list[dict[str, Any]] = field(default_factory=list)
    calls: list[str] = field(default_factory=list)
    responses: list[dict[str, Any]] = field(default_factory=list)
    script: Script = field(default_factory=Script)
    socket: WebSocket | None = None
    acknowledged: list[str] = field(default_factory=list)
    changed: threading.Condition = field(default_factory=threading.Condition)
    loop: Any = None
    _numbers: Any = field(default_factory=lambda: count(1))

    def app(self) -> FastAPI:
        app = FastAPI()

        @app.post("/api/{method}")
        async def api(method: str, request: Request) -> Response:
            token = request.headers.get("Authorization", "").removeprefix("Bearer ")
            if token != (APP_TOKEN if method == "apps.connections.open" else TOKEN):
                return JSONResponse({"ok": False, "error": "invalid_auth"})
            self.calls.append(method)
            body = await self._body(request)
            if method.startswith("chat.") and (trouble := await self.script.next()):
                return trouble
            return JSONResponse(self._answer(method, body))

        @app.post("/response/{code}")
        async def respond(code: str, request: Request) -> str:
            with self.changed:
                self.responses.append({"code": code, **(await request.json())})
                self.changed.notify_all()
            return "ok"

        @app.websocket("/socket")
        async def open_socket(socket: WebSocket) -> None:
            import asyncio  # noqa: PLC0415

            await socket.accept()
            await socket.send_json({"type": "hello", "num_connections": 1})
            self.loop = asyncio.get_running_loop()
            with self.changed:
                self.socket = socket
                self.changed.notify_all()
            try:
                while True:
                    reply = json.loads(await socket.receive_text())
                    with self.changed:
                        self.acknowledged.append(reply["envelope_id"])
                        self.changed.notify_all()
            except WebSocketDisconnect:
                pass

        return app

    async def _body(self, request: Request) -> dict[str, Any]:
        if "json" in request.headers.get("Content-Type", ""):
            body: dict[str, Any] = await request.json()
            return body
        return dict(await request.form()) if await request.body() else {}

    def _answer(self, method: str, body: dict[str, Any]) -> dict[str, Any]:
        match method:
            case "auth.test":
                who = {"user": "faq", "user_id": BOT_USER, "bot_id": BOT_ID}
                return {"ok": True, "team": "Shop", "team_id": TEAM, "url": "https://shop.slack.com/", **who}
            case "apps.connections.open":
                return {"ok": True, "url": self.address.replace("http", "ws") + "/socket"}
            case "users.info":
                return {"ok": True, "user": {"id": body["user"], "real_name": NAMES[body["user"]]}}
            case "conversations.info":
                return {"ok": True, "channel": {"id": body["channel"], "name": "support"}}
            case "chat.postMessage":
                return self._post(body)
            case "chat.update":
                return self._update(body)
        return {"ok": False, "error": "unknown_method"}

    def _post(self, body: dict[str, Any]) -> dict[str, Any]:
        if body["channel"] not in (DIRECT, PUBLIC, AGENTS):
            return {"ok": False, "error": "channel_not_found"}
        assert (
            sum(len(block["text"]) for block in body.get("blocks", []) if block["type"] == "markdown") <= MAX_MARKDOWN
        )
        with self.changed:
            posted = {**body, "ts": self.stamp(), "edits": 0}
            self.messages.append(posted)
            self.changed.notify_all()
        return {"ok": True, "channel": body["channel"], "ts": posted["ts"]}

    def _update(self, body: dict[str, Any]) -> dict[str, Any]:
        with self.changed:
            [posted] = [each for each in self.messages if each["ts"] == body["ts"]]
            posted.update(body, edits=posted["edits"] + 1)
            self.changed.notify_all()
        return {"ok": True, "channel": body["channel"], "ts": body["ts"]}

    def stamp(self) -> str:
        return f"{int(time.time())}.{next(self._numbers):06}"

    # What users do

    def says(self, text: str, user: str = "UA", channel: str = DIRECT, **fields: Any) -> dict[str, Any]:
        """Return the event of a message."""
        kind = "im" if channel == DIRECT else "channel"
        event = {"type": "message", "user": user, "text": text, "ts": self.stamp(), "channel": channel}
        return self._envelope({**event, "channel_type": kind, **fields})

    def mentions(self, text: str, user: str = "UA", **fields: Any) -> dict[str, Any]:
        """Return the event of a mention in a channel."""
        event = {"type": "app_mention", "user": user, "text": f"<@{BOT_USER}> {text}", "ts": self.stamp()}
        return self._envelope({**event, "channel": PUBLIC, **fields})

    def clicks(self, message: dict[str, Any], label: str, user: str = "UA") -> dict[str, Any]:
        """Return what a click on a button sends."""
        buttons = [
            element for block in message["blocks"] if block["type"] == "actions" for element in block["elements"]
        ]
        [button] = [each for each in buttons if label in each["text"]["text"]]
        return {
            "type": "block_actions",
            "user": {"id": user, "team_id": TEAM},
            "team": {"id": TEAM, "domain": "shop"},
            "api_app_id": "A1",
            "token": "t",
            "trigger_id": "1.2",
            "container": {"type": "message", "message_ts": message["ts"], "channel_id": message["channel"]},
            "channel": {"id": message["channel"], "name": "x"},
            "message": message,
            "response_url": f"{self.address}/response/click",
            "actions": [{**button, "action_ts": self.stamp(), "block_id": "b"}],
        }

    def commands(self, text: str, user: str = "UA") -> dict[str, str]:
        """Return what a command sends."""
        return {
            "command": "/faq",
            "text": text,
            "user_id": user,
            "channel_id": PUBLIC,
            "team_id": TEAM,
            "api_app_id": "A1",
            "token": "t",
            "trigger_id": self.stamp(),
            "response_url": f"{self.address}/response/command",
        }

    def _envelope(self, event: dict[str, Any]) -> dict[str, Any]:
        return {
            "type": "event_callback",
            "token": "t",
            "team_id": TEAM,
            "api_app_id": "A1",
            "event_id": f"Ev{next(self._numbers):06}",
            "event_time": int(time.time()),
            "authorizations": [{"team_id": TEAM, "user_id": BOT_USER, "is_bot": True}],
            "event": event,
        }

    # How it reaches the bot

    def deliver(
        self,
        body: dict[str, Any],
        *,
        form: str | None = None,
        at: float | None = None,
        secret: str = SECRET,
        retry: int = 0,
    ) -> httpx.Response:
        """Send something signed; clicks and commands come as forms."""
        if form == "payload":
            content, kind = urlencode({"payload": json.dumps(body)}), "application/x-www-form-urlencoded"
        elif form == "fields":
            content, kind = urlencode(body), "application/x-www-form-urlencoded"
        else:
            content, kind = json.dumps(body), "application/json"
        timestamp = str(int(at or time.time()))
        signature = SignatureVerifier(secret).generate_signature(timestamp=timestamp, body=content)
        headers = {"Content-Type": kind, "X-Slack-Request-Timestamp": timestamp, "X-Slack-Signature": str(signature)}
        if retry:
            headers |= {"X-Slack-Retry-Num": str(retry), "X-Slack-Retry-Reason": "http_timeout"}
        return httpx.post(f"{self.bot}/channels/slack/events", content=content, headers=headers, timeout=10)

    def over_socket(self, kind: str, payload: dict[str, Any]) -> str:
        """Send something over the socket, and return its envelope's identifier once it is acknowledged."""
        import asyncio  # noqa: PLC0415

        envelope = f"e{next(self._numbers)}"
        self.wait(lambda: self.socket is not None)
        assert self.socket is not None
        frame = {"type": kind, "envelope_id": envelope, "payload": payload, "accepts_response_payload": False}
        asyncio.run_coroutine_threadsafe(self.socket.send_json(frame), self.loop).result(10)
        self.wait(lambda: envelope in self.acknowledged)
        return envelope

    def wait(self, happened: Any, seconds: float = 30) -> None:
        with self.changed:
            assert self.changed.wait_for(happened, seconds), (self.messages, self.calls)

    def shown(self, count: int) -> list[dict[str, Any]]:
        """Return the messages as they look, once there are so many."""
        self.wait(lambda: len(self.messages) >= count)
        return self.messages


def text_of(message: dict[str, Any]) -> str:
    """Return what is read in a message's blocks."""
    texts = []
    for block in message.get("blocks", []):
        if block["type"] == "markdown":
            texts.append(block["text"])
        elif block["type"] == "section":
            texts.append(block["text"]["text"])
        elif block["type"] == "context":
            texts += [element["text"] for element in block["elements"]]
    return "\n".join(texts) or message["text"]


def labels_of(message: dict[str, Any]) -> list[str]:
    """Return what is on a message's buttons."""
    actions = [block for block in message.get("blocks", []) if block["type"] == "actions"]
    return [element["text"]["text"] for block in actions for element in block["elements"]]

"""WeCom's servers: they call the bot's callback, signed and encrypted by wechatpy, and take what it pushes."""

from __future__ import annotations

import secrets
import threading
import time
from dataclasses import dataclass, field
from itertools import count
from typing import Any
from urllib.parse import quote

import httpx
import xmltodict
from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse, Response
from wechatpy.enterprise.crypto import PrpCrypto, WeChatCrypto
from wechatpy.utils import WeChatSigner

from tests.connectors.platforms.misbehaviour import Script

CORP, AGENT, SECRET, TOKEN = "ww0123456789abcdef", 1_000_002, "app-secret", "callback-token"
AES_KEY = "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG"
ANSWER_WITHIN_SECONDS = 5.0
MAX_TEXT_BYTES = 2_048


@dataclass
class FakeWecom:
    """One company with one app."""

    tokens: set[str] = field(default_factory=set)
    fetched: int = 0
    sent: list[dict[str, Any]] = field(default_factory=list)
    dropped: int = 0
    """So many were repetitions."""

    script: Script = field(default_factory=Script)
    token_life: int = 7_200
    arrived: threading.Condition = field(default_factory=threading.Condition)
    _numbers: Any = field(default_factory=lambda: count(1))

    def app(self) -> FastAPI:
        app = FastAPI()

        @app.get("/cgi-bin/gettoken")
        async def get_token(corpid: str, corpsecret: str) -> dict[str, Any]:
            if (corpid, corpsecret) != (CORP, SECRET):
                return {"errcode": 40001, "errmsg": "invalid credential"}
            self.fetched += 1
            token = secrets.token_hex(8)
            self.tokens = {token}
            return {"errcode": 0, "errmsg": "ok", "access_token": token, "expires_in": self.token_life}

        @app.get("/cgi-bin/agent/get")
        async def get_agent(access_token: str, agentid: int) -> dict[str, Any]:
            return self.refusal(access_token) or {"errcode": 0, "agentid": agentid, "name": "客服助手"}

        @app.post("/cgi-bin/message/send")
        async def send(access_token: str, request: Request) -> Response:
            if trouble := await self.script.next():
                return trouble
            body = await request.json()
            return JSONResponse(self.refusal(access_token) or self._take(body))

        return app

    def refusal(self, token: str) -> dict[str, Any] | None:
        return None if token in self.tokens else {"errcode": 42001, "errmsg": "access_token expired"}

    def _take(self, body: dict[str, Any]) -> dict[str, Any]:
        if body["agentid"] != AGENT:
            return {"errcode": 40056, "errmsg": "invalid agentid"}
        content = body["text"]["content"]
        body["text"]["content"] = content.encode()[:MAX_TEXT_BYTES].decode(errors="ignore")  # it cuts without a word
        is_again = any((earlier["touser"], earlier["text"]) == (body["touser"], body["text"]) for earlier in self.sent)
        with self.arrived:
            if body.get("enable_duplicate_check") and is_again:
                self.dropped += 1
            else:
                self.sent.append(body)
            self.arrived.notify_all()
        return {"errcode": 0, "errmsg": "ok", "msgid": secrets.token_hex(8)}

    def wait_for(self, messages: int, seconds: float = 30) -> list[str]:
        """Return the texts that were pushed, once there are so many."""
        with self.arrived:
            assert self.arrived.wait_for(lambda: len(self.sent) >= messages, seconds), self.sent
            return [each["text"]["content"] for each in self.sent]

    def message(self, text: str, user: str = "zhangsan", **fields: str) -> dict[str, str]:
        """Return a customer's message."""
        number = next(self._numbers)
        common = {"ToUserName": CORP, "FromUserName": user, "CreateTime": str(int(time.time())), "AgentID": str(AGENT)}
        return {**common, "MsgType": "text", "Content": text, "MsgId": f"70000000000000{number}", **fields}

    def event(self, name: str, user: str = "zhangsan") -> dict[str, str]:
        message = self.message("", user, MsgType="event", Event=name, EventKey="")
        return {key: value for key, value in message.items() if key not in ("Content", "MsgId")}


def seal(
    message: dict[str, str], *, corp: str = CORP, token: str = TOKEN, at: float | None = None, nonce: str = "n1"
) -> tuple[dict[str, str], str]:
    """Return the query and the body of a callback."""
    timestamp = str(int(at or time.time()))
    plain = xmltodict.unparse({"xml": message}, full_document=False)
    sealed = WeChatCrypto(token, AES_KEY, corp).encrypt_message(plain, nonce, timestamp)
    fields = xmltodict.parse(sealed)["xml"]
    body = xmltodict.unparse(
        {"xml": {"ToUserName": corp, "AgentID": str(AGENT), "Encrypt": fields["Encrypt"]}}, full_document=False
    )
    return {"msg_signature": fields["MsgSignature"], "timestamp": timestamp, "nonce": nonce}, body


def seal_echo(text: str) -> dict[str, str]:
    """Return the query with which WeCom proves an address."""
    timestamp, nonce = str(int(time.time())), "n2"
    echo = PrpCrypto(WeChatCrypto(TOKEN, AES_KEY, CORP).key).encrypt(text, CORP).decode()
    signer = WeChatSigner()
    signer.add_data(TOKEN, timestamp, nonce, echo)
    return {"msg_signature": signer.signature, "timestamp": timestamp, "nonce": nonce, "echostr": echo}


def call_back(url: str, query: dict[str, str], body: str) -> list[int]:
    """Deliver as WeCom does: again, up to four times, while the answer is late or not 200."""
    statuses: list[int] = []
    while len(statuses) < 4:
        try:
            reply = httpx.post(f"{url}?{_query(query)}", content=body, timeout=ANSWER_WITHIN_SECONDS)
            statuses.append(reply.status_code)
        except httpx.TimeoutException:
            statuses.append(0)
        if statuses[-1] == 200:
            break
    return statuses


def _query(query: dict[str, str]) -> str:
    return "&".join(f"{name}={quote(value)}" for name, value in query.items())

"""WeChat customer service, with its limits: five messages after each of the customer's, 48 hours, states."""

from __future__ import annotations

import secrets
import threading
import time
from dataclasses import dataclass, field
from typing import Any

from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse, Response

from tests.connectors.platforms.misbehaviour import Script
from tests.connectors.platforms.wecom import CORP, FakeWecom

ACCOUNT = "wkAJ2GCAAA"
NEW, BOT, POOL, PERSON, ENDED = range(5)
PAGE = 2
"""It may give fewer rows than were asked for."""

MAX_TEXT_BYTES, MAX_HEAD_BYTES = 2_048, 1_024


@dataclass
class Session:
    """One customer's session."""

    state: int = ENDED
    servicer: str = ""
    left: int = 0
    code: str | None = None


@dataclass
class FakeKf:
    """One customer service account of a company."""

    company: FakeWecom = field(default_factory=FakeWecom)
    log: list[dict[str, Any]] = field(default_factory=list)
    sessions: dict[str, Session] = field(default_factory=dict)
    sent: list[dict[str, Any]] = field(default_factory=list)
    refused: list[int] = field(default_factory=list)
    fetches: int = 0
    sending: Script = field(default_factory=Script)
    syncing: Script = field(default_factory=Script)
    token: str = ""
    expired: set[str] = field(default_factory=set)
    has_people: bool = True
    arrived: threading.Condition = field(default_factory=threading.Condition)

    def app(self) -> FastAPI:  # noqa: C901
        app = self.company.app()

        @app.post("/cgi-bin/kf/sync_msg")
        async def sync(access_token: str, request: Request) -> Response:
            if trouble := await self.syncing.next():
                return trouble
            body = await request.json()
            if refusal := self.company.refusal(access_token):
                return JSONResponse(refusal)
            if body.get("token") in self.expired:
                return JSONResponse({"errcode": 95007, "errmsg": "invalid msg token"})
            self.fetches += 1
            assert body["open_kfid"] == ACCOUNT
            start = int(body.get("cursor") or 0)
            rows = self.log[start : start + PAGE]
            end = start + len(rows)
            page = {"errcode": 0, "next_cursor": str(end), "has_more": int(end < len(self.log)), "msg_list": rows}
            return JSONResponse(page)

        @app.post("/cgi-bin/kf/send_msg")
        async def send(access_token: str, request: Request) -> Response:
            if trouble := await self.sending.next():
                return trouble
            return JSONResponse(self.company.refusal(access_token) or self._take(await request.json()))

        @app.post("/cgi-bin/kf/send_msg_on_event")
        async def greet(access_token: str, request: Request) -> Response:
            body = await request.json()
            if not any(session.code == body["code"] for session in self.sessions.values()):
                return JSONResponse({"errcode": 95013, "errmsg": "invalid code"})
            self._keep(body)
            return JSONResponse({"errcode": 0, "msgid": body["msgid"]})

        @app.post("/cgi-bin/kf/service_state/get")
        async def get_state(request: Request) -> dict[str, Any]:
            session = self.sessions[(await request.json())["external_userid"]]
            return {"errcode": 0, "service_state": session.state, "servicer_userid": session.servicer}

        @app.post("/cgi-bin/kf/service_state/trans")
        async def change_state(request: Request) -> dict[str, Any]:
            body = await request.json()
            session, wanted = self.sessions[body["external_userid"]], body["service_state"]
            if session.state == ENDED or wanted < session.state or (session.state == PERSON and wanted == POOL):
                return {"errcode": 95016, "errmsg": "not allow to change service state"}
            if wanted in (POOL, PERSON) and not self.has_people:
                return {"errcode": 95014, "errmsg": "no servicer"}
            session.state, session.servicer = wanted, body.get("servicer_userid", "")
            return {"errcode": 0, "msg_code": secrets.token_hex(4)}

        @app.post("/cgi-bin/kf/account/list")
        async def list_accounts() -> dict[str, Any]:
            return {"errcode": 0, "account_list": [{"open_kfid": ACCOUNT, "name": "小店客服"}]}

        return app

    def _take(self, body: dict[str, Any]) -> dict[str, Any]:
        session = self.sessions[body["touser"]]
        if any(earlier["msgid"] == body["msgid"] for earlier in self.sent):
            return {"errcode": 0, "msgid": body["msgid"]}
        if session.state not in (NEW, BOT):
            self.refused.append(95018)
            return {"errcode": 95018, "errmsg": "session status invalid"}
        if session.left == 0:
            self.refused.append(95001)
            return {"errcode": 95001, "errmsg": "send message limit"}
        session.left -= 1
        assert len(body["msgid"]) <= 32
        self._keep(body)
        return {"errcode": 0, "msgid": body["msgid"]}

    def _keep(self, body: dict[str, Any]) -> None:
        if body["msgtype"] == "text":
            assert len(body["text"]["content"].encode()) <= MAX_TEXT_BYTES
        else:
            assert len(body["msgmenu"].get("head_content", "").encode()) <= MAX_HEAD_BYTES
        with self.arrived:
            self.sent.append(body)
            self.arrived.notify_all()

    def customer_writes(self, text: str = "", user: str = "wm1", kind: str = "text", at: float | None = None) -> None:
        """Let a customer write; the bot knows nothing of it before it is notified and fetches."""
        session = self.sessions.setdefault(user, Session())
        if session.state == ENDED:
            session.state = NEW
        session.left = 5
        content = {"text": {"content": text}} if kind == "text" else {kind: {"media_id": "m"}}
        self._log(user, origin=3, msgtype=kind, send_time=int(at or time.time()), **content)

    def customer_enters(self, user: str = "wm1", *, first: bool = True) -> None:
        session = self.sessions.setdefault(user, Session())
        event = {"event_type": "enter_session", "open_kfid": ACCOUNT, "external_userid": user, "scene": "web"}
        if first:
            session.code = secrets.token_hex(4)
            event["welcome_code"] = session.code
        self.log.append(
            {
                "msgid": secrets.token_hex(8),
                "origin": 4,
                "msgtype": "event",
                "send_time": int(time.time()),
                "event": event,
            }
        )

    def person_takes(self, user: str = "wm1", name: str = "lisi") -> None:
        session = self.sessions[user]
        session.state, session.servicer = PERSON, name
        self._session_changed(user, 1, name)

    def person_writes(self, text: str, user: str = "wm1") -> None:
        name = self.sessions[user].servicer
        self._log(
            user, origin=5, msgtype="text", send_time=int(time.time()), servicer_userid=name, text={"content": text}
        )

    def person_ends(self, user: str = "wm1") -> None:
        self.sessions[user].state = ENDED
        self._session_changed(user, 3, "")

    def notice(self) -> dict[str, str]:
        """Return the message that WeCom calls the bot with."""
        self.token = secrets.token_hex(8)
        return {
            "ToUserName": CORP,
            "CreateTime": str(int(time.time())),
            "MsgType": "event",
            "Event": "kf_msg_or_event",
            "Token": self.token,
            "OpenKfId": ACCOUNT,
        }

    def wait_for(self, messages: int, seconds: float = 30) -> list[str]:
        """Return what customers were sent, once there is so much."""
        with self.arrived:
            assert self.arrived.wait_for(lambda: len(self.sent) >= messages, seconds), self.sent
            return [shown(body) for body in self.sent]

    def _log(self, user: str, **fields: Any) -> None:
        self.log.append({"msgid": secrets.token_hex(8), "open_kfid": ACCOUNT, "external_userid": user, **fields})

    def _session_changed(self, user: str, change: int, name: str) -> None:
        event = {
            "event_type": "session_status_change",
            "open_kfid": ACCOUNT,
            "external_userid": user,
            "change_type": change,
            "new_servicer_userid": name,
        }
        self.log.append(
            {
                "msgid": secrets.token_hex(8),
                "origin": 4,
                "msgtype": "event",
                "send_time": int(time.time()),
                "event": event,
            }
        )


def shown(body: dict[str, Any]) -> str:
    """Return what a customer reads of a message."""
    if body["msgtype"] == "text":
        return str(body["text"]["content"])
    menu = body["msgmenu"]
    return "\n".join([menu.get("head_content", ""), *(f"[{item['click']['content']}]" for item in menu["list"])])

"""WeChat customer service (微信客服): a notice comes, messages are fetched, answers go out within WeChat's limits.

https://developer.work.weixin.qq.com/document/path/94670 (fetching), /94677 (sending), /94669 (whose a session is).
"""

from __future__ import annotations

import asyncio
import hashlib
import time
from collections.abc import Mapping
from typing import Any

import structlog
from fastapi import APIRouter
from pydantic import Field, SecretStr

from bot.errors import ChannelError, SendHeld
from bot.question import Answer
from connectors.base import Address, Connector, ConnectorSettings, Delivery, Host, Incoming, Memory, Outgoing, finished
from connectors.text import in_words, plain, split
from connectors.wecom.api import API, WecomApi, WecomError
from connectors.wecom.callback import xml_callback
from connectors.wecom.envelope import AesKey, Envelopes

log = structlog.get_logger()

MAX_TEXT_BYTES = 2_048
MAX_CHOICE_BYTES = 128
MAX_MESSAGES = 5
WINDOW_SECONDS = 48 * 3_600
FETCH = 1_000
NEW_ACCOUNT_SECONDS = 600
"""Of an account that is seen for the first time, what is older was not meant for us."""

RETRY_SECONDS = 10.0
WRONG_STATE = 95_018
NEW, BOT, POOL, PERSON, ENDED = range(5)
FROM_CUSTOMER, FROM_PERSON = 3, 5
SESSION_ENDED = 3


class WecomKfSettings(ConnectorSettings):
    """The values of WeCom's console, under 微信客服; accounts must receive by “bot and people” (智能助手接待)."""

    corp_id: str = Field(min_length=1, description="CorpID (企业ID).")
    secret: SecretStr = Field(min_length=1, description="Secret of an app that the account may be called by.")
    token: SecretStr = Field(min_length=1, description="Token of its callback.")
    aes_key: AesKey = Field(description="EncodingAESKey of its callback.")
    people: str = Field(
        "pool",
        description="Who answers when a person is wanted: `pool` (待接入池), somebody's userid, or `console`.",
    )
    api: str = Field(API, description="Another address of WeCom's API.")


class WecomKf(Connector):
    """Talks to a company's customers in WeChat."""

    Settings = WecomKfSettings

    def __init__(self, settings: WecomKfSettings) -> None:
        """Prepare; nothing is called yet."""
        self._people = settings.people
        self._envelopes = Envelopes(settings.token, settings.aes_key, settings.corp_id)
        self._api = WecomApi(settings.corp_id, settings.secret, settings.api)
        self._notices: asyncio.Queue[tuple[str, str]] = asyncio.Queue()
        self._host: Host | None = None

    @property
    def _memory(self) -> Memory:
        assert self._host is not None, "run begins before anything is sent"
        return self._host.memory

    def routes(self, host: Host) -> APIRouter:
        """Serve the callback's address, /callback: it brings notices only, each with a token for fetching."""
        self._host = host

        async def receive(message: dict[str, str]) -> None:
            account, event = message.get("OpenKfId", ""), message.get("Event", "")
            if event == "kf_msg_or_event" and account:
                await self._know(account)
                self._notices.put_nowait((account, message.get("Token", "")))

        return xml_callback(host.path, self._envelopes, receive)

    async def run(self, host: Host) -> None:
        """Fetch what there is for each notice; first what came while nobody was here to fetch it."""
        for account in await self._accounts():
            self._notices.put_nowait((account, ""))
        while True:
            account, token = await self._notices.get()
            try:
                await self._fetch(host, account, token)
                host.report(None)
            except ChannelError as error:
                host.report(str(error))
                log.warning("messages could not be fetched", account=account, error=str(error))
                asyncio.get_running_loop().call_later(RETRY_SECONDS, self._notices.put_nowait, (account, token))

    async def _accounts(self) -> list[str]:
        accounts: list[str] = await self._memory.get("accounts") or []
        return accounts

    async def _know(self, account: str) -> None:
        """Remember an account, so that a notice is not lost though its messages are not fetched any more."""
        accounts = await self._accounts()
        if account not in accounts:
            await self._memory.put("accounts", [*accounts, account])

    async def _fetch(self, host: Host, account: str, token: str) -> None:
        cursor = await self._memory.get(f"cursor:{account}")
        not_before = 0.0 if cursor else time.time() - NEW_ACCOUNT_SECONDS
        more = True
        while more:
            body = {"open_kfid": account, "cursor": cursor or "", "token": token, "limit": FETCH}
            page = await self._api.post("/cgi-bin/kf/sync_msg", {name: value for name, value in body.items() if value})
            for message in page.get("msg_list") or []:
                if float(message.get("send_time") or 0) >= not_before:
                    try:
                        await self._receive(host, message)
                    except (KeyError, TypeError, ValueError):  # one that cannot be read must not hold up the others
                        log.exception("a message could not be read", kind=message.get("msgtype"))
            cursor, more = page.get("next_cursor") or cursor, bool(page.get("has_more"))
            await self._memory.put(f"cursor:{account}", cursor)

    async def _receive(self, host: Host, message: Mapping[str, Any]) -> None:
        incoming = self.to_incoming(message)
        if incoming is not None:
            await host.take(incoming)
            return
        event = message.get("event") or {}
        thread = thread_of(event or message)
        if message.get("origin") == FROM_PERSON and message.get("msgtype") == "text":
            agent, text = str(message.get("servicer_userid", "")), str(message["text"]["content"])
            await host.people_said(thread, agent, text, message["msgid"])
        elif event.get("event_type") == "session_status_change":
            if event.get("change_type") == SESSION_ENDED:
                await host.people_left(thread)
            else:
                await host.people_took(thread, str(event.get("new_servicer_userid", "")))
        elif event.get("event_type") == "msg_send_fail":
            log.warning("WeChat could not deliver a message", reason=event.get("fail_type"))

    def to_incoming(self, message: Mapping[str, Any]) -> Incoming | None:
        """Return what a fetched message says; None for what no customer said."""
        kind, event = message.get("msgtype"), message.get("event") or {}
        if event.get("event_type") == "enter_session" and event.get("welcome_code"):
            address = {**address_of(event, message), "welcome_code": str(event["welcome_code"])}
            return Incoming(message_id=message["msgid"], thread=thread_of(event), address=address, kind="entered")
        if message.get("origin") != FROM_CUSTOMER or kind == "event":
            return None
        return Incoming(
            message_id=message["msgid"],
            thread=thread_of(message),
            address=address_of(message, message),
            text=message["text"]["content"] if kind == "text" else "",
            kind="text" if kind == "text" else "media",
        )

    def from_answer(self, answer: Answer) -> list[Outgoing]:
        """Return plain text; entries to choose from are a menu, if WeChat shows them whole."""
        choices = [suggestion.question for suggestion in answer.suggestions]
        if choices and all(len(choice.encode()) <= MAX_CHOICE_BYTES for choice in choices):
            clicks = [
                {"type": "click", "click": {"id": str(number), "content": choice}}
                for number, choice in enumerate(choices, start=1)
            ]
            return [{"msgtype": "msgmenu", "msgmenu": {"head_content": plain(answer.text), "list": clicks}}]
        return self.from_text(in_words(answer))

    def from_text(self, text: str) -> list[Outgoing]:
        """Return plain text."""
        return [{"msgtype": "text", "text": {"content": piece}} for piece in split(plain(text), MAX_TEXT_BYTES)]

    async def deliver(self, delivery: Delivery) -> None:
        """Bring an answer; what WeChat lets through only later goes before the next one. Then call a person."""
        answer = await finished(delivery.events())
        with_wecom = answer.handoff != "bot" and self._people != "console"
        if with_wecom and await self._state(delivery.address) in (POOL, PERSON):
            return  # people in WeCom see what the customer wrote
        key = f"rest:{delivery.address['user']}"
        rest = await self._memory.get(key) or {"messages": [], "turn": ""}
        if rest["turn"] != answer.turn_id:
            messages = [*rest["messages"], *self.from_answer(answer)]
            await self.push(delivery, messages[:MAX_MESSAGES], answer.turn_id)
            if messages[MAX_MESSAGES:] or rest["messages"]:
                await self._memory.put(key, {"messages": messages[MAX_MESSAGES:], "turn": answer.turn_id})
        if with_wecom:
            await self._call_person(delivery.address)

    async def send(self, address: Address, message: Outgoing, message_id: str) -> None:
        """Send a message, if WeChat takes one more; who enters is greeted with the code that came for it."""
        body = {"msgid": hashlib.sha256(message_id.encode()).hexdigest()[:32], **message}
        if code := address.get("welcome_code"):
            await self._api.post("/cgi-bin/kf/send_msg_on_event", {"code": code, **body})
            return
        body |= {"touser": address["user"], "open_kfid": address["account"]}
        count = await self._count(address)
        try:
            await self._api.post("/cgi-bin/kf/send_msg", body)
        except WecomError as error:
            if error.code != WRONG_STATE:
                raise
            await self._take_session(address)
            await self._api.post("/cgi-bin/kf/send_msg", body)
        await self._memory.put(f"sent:{address['user']}", {"since": address["since"], "count": count + 1})

    async def check(self) -> str:
        """Return the names of the accounts."""
        listed = await self._api.post("/cgi-bin/kf/account/list", {"offset": 0, "limit": 100})
        names = [str(account.get("name")) for account in listed.get("account_list") or []]
        if not names:
            raise ChannelError("no customer service account lets this app call it (可调用接口的应用)")
        return "、".join(names)

    async def close(self) -> None:
        """Give connections back."""
        await self._api.close()

    async def _count(self, address: Address) -> int:
        """Return how many messages went out since the customer's last one; raises SendHeld if WeChat takes no more."""
        if time.time() - float(address["since"]) > WINDOW_SECONDS:
            raise SendHeld("WeChat takes messages for 48 hours after the customer's last one")
        sent = await self._memory.get(f"sent:{address['user']}") or {}
        count = int(sent["count"]) if sent.get("since") == address["since"] else 0
        if count >= MAX_MESSAGES:
            raise SendHeld(f"WeChat takes {MAX_MESSAGES} messages after each of the customer's")
        return count

    async def _state(self, address: Address) -> int:
        whose = {"open_kfid": address["account"], "external_userid": address["user"]}
        return int((await self._api.post("/cgi-bin/kf/service_state/get", whose))["service_state"])

    async def _enter_state(self, address: Address, state: int, **more: str) -> None:
        whose = {"open_kfid": address["account"], "external_userid": address["user"]}
        await self._api.post("/cgi-bin/kf/service_state/trans", {**whose, "service_state": state, **more})

    async def _take_session(self, address: Address) -> None:
        """Make a session that nobody has the bot's; raises if it is a person's, or over."""
        state = await self._state(address)
        if state in (POOL, PERSON):
            raise SendHeld("people have this session in WeCom (会话已由人工接待)")
        if state == ENDED:
            raise SendHeld("the session is over until the customer writes again")
        await self._enter_state(address, BOT)

    async def _call_person(self, address: Address) -> None:
        """Hand the session over; if that is not possible, the inbox of our console has it all the same."""
        try:
            if self._people == "pool":
                await self._enter_state(address, POOL)
            else:
                await self._enter_state(address, PERSON, servicer_userid=self._people)
        except WecomError as error:
            log.warning(
                "no person could be called in WeCom; the console's inbox has the conversation", error=str(error)
            )


def thread_of(message: Mapping[str, Any]) -> str:
    """Return whose session a message or an event belongs to."""
    return f"{message.get('open_kfid', '')}:{message.get('external_userid', '')}"


def address_of(source: Mapping[str, Any], message: Mapping[str, Any]) -> dict[str, str]:
    """Return where a customer is reached, and since when WeChat counts."""
    return {
        "account": str(source.get("open_kfid", "")),
        "user": str(source.get("external_userid", "")),
        "since": str(message.get("send_time", 0)),
    }

"""WeChat customer service (微信客服): a notice comes, messages are fetched, answers go out within WeChat's limits.

https://developer.work.weixin.qq.com/document/path/94670 (fetching), /94677 (sending), /94669 (whose a session is).
"""

from __future__ import annotations

import asyncio
import hashlib
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import structlog
from fastapi import APIRouter
from pydantic import Field, SecretStr

from bot.errors import ChannelError, SendFailed, SendHeld
from bot.question import Answer
from connectors.base import (
    MALFORMED,
    Address,
    Connector,
    ConnectorSettings,
    Delivery,
    Host,
    Memory,
    Outgoing,
    Sending,
    finished,
)
from connectors.wecom.api import API, WecomApi, WecomError
from connectors.wecom.callback import xml_callback
from connectors.wecom.envelope import AesKey, Envelopes
from connectors.wecom.kf_limits import MAX_MESSAGES, Limits, Rest, merged
from connectors.wecom.kf_messages import (
    FROM_CUSTOMER,
    FROM_PERSON,
    answer_to_messages,
    sent_at,
    thread_at,
    thread_of,
    to_incoming,
    to_messages,
)
from connectors.wecom.kf_sessions import Sessions, WithPeople

log = structlog.get_logger()

FETCH = 1_000
NEW_ACCOUNT_SECONDS = 600
"""Of an account that is seen for the first time, what is older was not meant for us."""

RETRY_SECONDS = 10.0
TOO_MANY, WRONG_STATE = 95_001, 95_018
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
        self._sessions = Sessions(self._api, settings.people)
        self._notices: asyncio.Queue[tuple[str, str]] = asyncio.Queue()
        self._knowing = asyncio.Lock()
        self._host: Host
        self._limits: Limits

    @property
    def _memory(self) -> Memory:
        return self._host.memory

    def routes(self, host: Host) -> APIRouter:
        """Serve the callback's address, /callback: it brings notices only, each with a token for fetching."""
        self._host, self._limits = host, Limits(host.memory)

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
                is_away = isinstance(error, SendFailed)  # else the token is of no use any more; without, few calls pass
                again = (account, token if is_away else "")
                asyncio.get_running_loop().call_later(RETRY_SECONDS, self._notices.put_nowait, again)

    async def _accounts(self) -> list[str]:
        accounts: list[str] = await self._memory.get("accounts") or []
        return accounts

    async def _know(self, account: str) -> None:
        """Remember an account, so that a notice is not lost though its messages are not fetched any more."""
        async with self._knowing:
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
                try:
                    if sent_at(message) >= not_before:
                        await self._receive(host, message)
                except MALFORMED:  # one that cannot be read must not hold up the others
                    log.exception("a message could not be read")
            cursor, more = page.get("next_cursor") or cursor, bool(page.get("has_more"))
            await self._memory.put(f"cursor:{account}", cursor)

    async def _receive(self, host: Host, message: Mapping[str, Any]) -> None:
        incoming = to_incoming(message)
        if incoming is not None:
            if message.get("origin") == FROM_CUSTOMER:
                await self._limits.customer_wrote(incoming.thread, incoming.message_id, sent_at(message))
            await host.take(incoming)
            return
        event = message.get("event") or {}
        thread = thread_of(event or message)
        if message.get("origin") == FROM_PERSON and message.get("msgtype") == "text":
            agent, text = str(message.get("servicer_userid", "")), str(message["text"]["content"])
            await host.people_said(thread, agent, text, message["msgid"])
        elif event.get("event_type") == "session_status_change":
            if event.get("change_type") == SESSION_ENDED:
                await self._leave(thread)
            else:
                await self._memory.put(f"people:{thread}", "took")
                await host.people_took(thread, str(event.get("new_servicer_userid", "")))
        elif event.get("event_type") == "msg_send_fail":
            log.warning("WeChat could not deliver a message", reason=event.get("fail_type"))

    def from_answer(self, answer: Answer) -> list[Outgoing]:
        """Return plain text; entries to choose from are a menu, if WeChat shows them whole."""
        return answer_to_messages(answer)

    def from_text(self, text: str) -> list[Outgoing]:
        """Return plain text."""
        return to_messages(text)

    async def deliver(self, delivery: Delivery) -> None:
        """Bring an answer, unless people in WeCom have seen the question; then call one, if one is wanted."""
        is_theirs = await self._is_theirs(delivery.address)
        answer = await finished(delivery.events())
        if is_theirs:
            return
        await self._bring(delivery, self.from_answer(answer), answer.turn_id)
        if answer.handoff != "bot" and self._people != "console" and await self._sessions.call_person(delivery.address):
            await self._memory.put(f"people:{thread_at(delivery.address)}", "called")

    async def say(self, sending: Sending, text: str, name: str) -> None:
        """Bring a sentence of ours."""
        await self._bring(sending, self.from_text(text), name)

    async def send(self, address: Address, message: Outgoing, message_id: str) -> None:
        """Send a message, if WeChat takes one more; who enters is greeted with the code that came for it."""
        body = {"msgid": hashlib.sha256(message_id.encode()).hexdigest()[:32], **message}
        if code := address.get("welcome_code"):
            await self._api.post("/cgi-bin/kf/send_msg_on_event", {"code": code, **body})
            return
        thread = thread_at(address)
        window = await self._limits.window(thread)
        try:
            await self._post(address, body)
        except WecomError as error:
            if error.code != TOO_MANY:
                raise
            await self._limits.note(thread, replace(window, count=MAX_MESSAGES))
            raise SendHeld(str(error)) from error
        await self._limits.note(thread, replace(window, count=window.count + 1))

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

    async def _bring(self, sending: Sending, messages: Sequence[Outgoing], name: str) -> None:
        """Send what has waited, then these; what WeChat takes only later waits for the next answer."""
        thread = thread_at(sending.address)
        rest = await self._limits.rest(thread)
        if rest.name == name:
            return
        whole = merged([*rest.messages, *messages]) if rest.messages else messages
        try:
            await self.push(sending, whole, name)
        except WithPeople:
            raise
        except SendHeld as error:
            log.info("what is said waits for the customer", thread=thread, why=str(error))
        if rest.messages or whole[sending.sent :]:
            await self._limits.keep(thread, Rest(whole[sending.sent :], name))

    async def _post(self, address: Address, body: Mapping[str, Any]) -> None:
        """Send to a session, which is made the bot's if it is nobody's."""
        whole = {**body, "touser": address["user"], "open_kfid": address["account"]}
        try:
            await self._api.post("/cgi-bin/kf/send_msg", whole)
        except WecomError as error:
            if error.code != WRONG_STATE:
                raise
            await self._sessions.take(address)
            await self._api.post("/cgi-bin/kf/send_msg", whole)

    async def _is_theirs(self, address: Address) -> bool:
        """Say whether people in WeCom have the customer; a session of theirs may have ended without an event."""
        thread = thread_at(address)
        if await self._memory.get(f"people:{thread}") is None:
            return False
        is_theirs = await self._sessions.are_with_people(address)
        if not is_theirs:
            await self._leave(thread)
        return is_theirs

    async def _leave(self, thread: str) -> None:
        """Give a thread that people had back to the bot."""
        await self._host.people_left(thread)
        await self._memory.put(f"people:{thread}", None)

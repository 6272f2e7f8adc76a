"""WeCom's self-built app (自建应用): encrypted callbacks in, message/send out."""

from __future__ import annotations

from fastapi import APIRouter
from pydantic import Field, SecretStr

from bot.question import Answer
from connectors.base import Address, Connector, ConnectorSettings, Host, Incoming, Outgoing
from connectors.text import in_words, plain, split
from connectors.wecom.api import API, WecomApi
from connectors.wecom.callback import xml_callback
from connectors.wecom.envelope import AesKey, Envelopes

MAX_TEXT_BYTES = 2_048
DUPLICATES_WITHIN_SECONDS = 600
ENTERING = ("subscribe", "enter_agent")
MEDIA = ("image", "voice", "video", "location", "link", "file")


class WecomSettings(ConnectorSettings):
    """The values of WeCom's console, under the app and under its “receive messages” (接收消息)."""

    corp_id: str = Field(min_length=1, description="CorpID (企业ID).")
    agent_id: int = Field(description="AgentId of the app.")
    secret: SecretStr = Field(min_length=1, description="Secret of the app.")
    token: SecretStr = Field(min_length=1, description="Token of its callback.")
    aes_key: AesKey = Field(description="EncodingAESKey of its callback.")
    api: str = Field(API, description="Another address of WeCom's API.")


class WecomApp(Connector):
    """Talks to a company's own people, and to customers through the WeChat plug-in."""

    Settings = WecomSettings

    def __init__(self, settings: WecomSettings) -> None:
        """Prepare; nothing is called yet."""
        self._agent = settings.agent_id
        self._envelopes = Envelopes(settings.token, settings.aes_key, settings.corp_id)
        self._api = WecomApi(settings.corp_id, settings.secret, settings.api)

    def routes(self, host: Host) -> APIRouter:
        """Serve the callback's address, /callback."""

        async def receive(message: dict[str, str]) -> None:
            incoming = self.to_incoming(message)
            if incoming is not None:
                await host.take(incoming)

        return xml_callback(host.path, self._envelopes, receive)

    def to_incoming(self, message: dict[str, str]) -> Incoming | None:
        """Return what a decrypted message says; None for what concerns no customer."""
        sender, kind, event = (message.get(name, "") for name in ("FromUserName", "MsgType", "Event"))
        message_id, address = message.get("MsgId") or f"{sender}:{message['CreateTime']}", {"user": sender}
        if kind == "text":
            return Incoming(message_id=message_id, thread=sender, address=address, text=message.get("Content", ""))
        if kind in MEDIA:
            return Incoming(message_id=message_id, thread=sender, address=address, kind="media")
        if kind == "event" and event in ENTERING:
            unique = f"{sender}:{message.get('CreateTime', '')}:{event}"
            return Incoming(message_id=unique, thread=sender, address=address, kind="entered")
        return None

    def from_answer(self, answer: Answer) -> list[Outgoing]:
        """Return plain text, which the WeChat plug-in shows too."""
        return _texts(in_words(answer))

    def from_text(self, text: str) -> list[Outgoing]:
        """Return plain text."""
        return _texts(plain(text))

    async def send(self, address: Address, message: Outgoing, message_id: str) -> None:
        """Push a message."""
        del message_id  # WeCom knows a repetition by what it says
        body = {"touser": address["user"], "agentid": self._agent, "safe": 0, **message}
        await self._api.post("/cgi-bin/message/send", body)

    async def send_again(self, address: Address, message: Outgoing, message_id: str) -> None:
        """Push a message so that WeCom drops it if it has arrived before."""
        check = {"enable_duplicate_check": 1, "duplicate_check_interval": DUPLICATES_WITHIN_SECONDS}
        await self.send(address, {**message, **check}, message_id)

    async def check(self) -> str:
        """Return the app's name."""
        app = await self._api.get("/cgi-bin/agent/get", agentid=self._agent)
        return str(app.get("name", self._agent))

    async def close(self) -> None:
        """Give connections back."""
        await self._api.close()


def _texts(text: str) -> list[Outgoing]:
    return [{"msgtype": "text", "text": {"content": piece}} for piece in split(text, MAX_TEXT_BYTES)]

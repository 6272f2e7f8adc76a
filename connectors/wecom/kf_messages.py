"""How WeChat's messages read, and how answers look there: https://developer.work.weixin.qq.com/document/path/94677."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

from bot.question import Answer
from connectors.base import Address, Incoming, Outgoing
from connectors.text import in_words, plain, split
from connectors.wecom.kf_limits import MAX_TEXT_BYTES

MAX_CHOICE_BYTES = 128
MAX_HEAD_BYTES = 1_024
FROM_CUSTOMER, FROM_PERSON = 3, 5


def to_incoming(message: Mapping[str, Any]) -> Incoming | None:
    """Return what a fetched message says; None for what no customer said."""
    kind, event = message.get("msgtype"), message.get("event") or {}
    if event.get("event_type") == "enter_session" and event.get("welcome_code"):
        address = {**address_of(event), "welcome_code": str(event["welcome_code"])}
        return Incoming(message_id=message["msgid"], thread=thread_of(event), address=address, kind="entered")
    if message.get("origin") != FROM_CUSTOMER or kind == "event":
        return None
    return Incoming(
        message_id=message["msgid"],
        thread=thread_of(message),
        address=address_of(message),
        text=message["text"]["content"] if kind == "text" else "",
        kind="text" if kind == "text" else "media",
    )


def answer_to_messages(answer: Answer) -> list[Outgoing]:
    """Return plain text; entries to choose from are a menu, if WeChat shows them whole."""
    choices = [suggestion.question for suggestion in answer.suggestions]
    if not choices or any(len(choice.encode()) > MAX_CHOICE_BYTES for choice in choices):
        return to_messages(in_words(answer))
    clicks = [
        {"type": "click", "click": {"id": str(number), "content": choice}}
        for number, choice in enumerate(choices, start=1)
    ]
    head = plain(answer.text)
    if len(head.encode()) <= MAX_HEAD_BYTES:
        return [{"msgtype": "msgmenu", "msgmenu": {"head_content": head, "list": clicks}}]
    return [*to_messages(answer.text), {"msgtype": "msgmenu", "msgmenu": {"list": clicks}}]


def to_messages(text: str) -> list[Outgoing]:
    """Return plain text."""
    return [{"msgtype": "text", "text": {"content": piece}} for piece in split(plain(text), MAX_TEXT_BYTES)]


def thread_of(message: Mapping[str, Any]) -> str:
    """Return whose session a message or an event belongs to."""
    return f"{message.get('open_kfid', '')}:{message.get('external_userid', '')}"


def sent_at(message: Mapping[str, Any]) -> float:
    """Return when a message was sent, in seconds since 1970."""
    return float(message.get("send_time") or time.time())


def thread_at(address: Address) -> str:
    """Return whose session is at an address."""
    return f"{address['account']}:{address['user']}"


def address_of(source: Mapping[str, Any]) -> dict[str, str]:
    """Return where the customer of a message or an event is reached."""
    return {"account": str(source.get("open_kfid", "")), "user": str(source.get("external_userid", ""))}

"""What both modes of WeCom's AI bot (智能机器人) share: how its messages read, and how answers look in it.

https://developer.work.weixin.qq.com/document/path/100719 (receiving) and /101031 (replying).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Literal

from bot.question import Answer
from connectors.base import Host, Incoming, Outgoing
from connectors.text import split, with_choices

MAX_CONTENT_BYTES = 20_480
RATINGS: dict[int, Literal["up", "down"]] = {1: "up", 2: "down"}
_MENTION = re.compile(r"^\s*@\S+\s*")


def to_incoming(message: Mapping[str, Any], **address: str) -> Incoming | None:
    """Return what a message says, to be answered at an address; None for what is no message."""
    user, chat = str((message.get("from") or {}).get("userid", "")), str(message.get("chatid") or "")
    in_group = message.get("chattype") == "group"
    text = _text(message, in_group=in_group)
    if text is None:
        return None
    return Incoming(
        message_id=message["msgid"],
        thread=f"{chat}:{user}" if in_group else user,
        address={"chat": chat if in_group else user, "stream": str(message["msgid"]), **address},
        text=text,
        kind="text" if text else "media",
    )


def to_messages(text: str) -> list[Outgoing]:
    """Return a text as messages of Markdown, each as long as WeCom takes it."""
    return [{"msgtype": "markdown", "markdown": {"content": piece}} for piece in split(text, MAX_CONTENT_BYTES)]


def answer_to_messages(answer: Answer) -> list[Outgoing]:
    """Return an answer, with what else belongs to it."""
    return to_messages(with_choices(answer, answer.text))


def cut(content: str) -> str:
    """Return as much of a text as one message holds."""
    return content.encode()[:MAX_CONTENT_BYTES].decode(errors="ignore")


async def rate(host: Host, event: Mapping[str, Any]) -> None:
    """Keep the thumb of a feedback event; its id is that of the message that was answered."""
    feedback = event.get("feedback_event") or {}
    rating = RATINGS.get(feedback.get("type", 0))
    if rating is not None:
        await host.rate_message(str(feedback.get("id", "")), rating, feedback.get("content") or None)


def _text(message: Mapping[str, Any], *, in_group: bool) -> str | None:
    """Return the words of a message, empty if it has none; None if it is no message."""
    match message.get("msgtype"):
        case "text" | "voice" as kind:  # of a voice message WeCom sends what it understood
            text = str((message.get(kind) or {}).get("content") or "")
        case "mixed":
            items = (message.get("mixed") or {}).get("msg_item") or []
            text = " ".join(str(item["text"]["content"]) for item in items if item.get("msgtype") == "text")
        case "image" | "file" | "video":
            text = ""
        case _:
            return None
    return (_MENTION.sub("", text) if in_group else text).strip()

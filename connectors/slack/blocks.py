"""How answers look in Slack: https://docs.slack.dev/reference/block-kit/blocks."""

from __future__ import annotations

import html
import re
from typing import Any

from bot import messages
from bot.question import Answer
from connectors.base import Outgoing
from connectors.text import plain, split

MAX_MARKDOWN_BYTES = 11_000
MAX_BUTTON = 75
MAX_FALLBACK = 3_000
UP, DOWN, PERSON, CHOICE = "frontdesk_up", "frontdesk_down", "frontdesk_person", "frontdesk_choice"

_MENTION = re.compile(r"<@[A-Z0-9]+(?:\|[^>]*)?>")
_LINK = re.compile(r"<(?:mailto:|tel:)?([^|<>]+)(?:\|([^<>]*))?>")


def of_answer(answer: Answer) -> list[Outgoing]:
    """Return the messages of an answer; the last has its buttons. Nothing while people answer."""
    found = of_text(answer.text)
    if not found:
        return []
    found[-1]["blocks"] += [
        *_choices(answer),
        *_sources(answer),
        *_buttons(answer),
    ]
    return found


def of_text(text: str) -> list[Outgoing]:
    """Return the messages of a text in Markdown."""
    return [
        {"text": escaped(plain(piece))[:MAX_FALLBACK], "blocks": [{"type": "markdown", "text": _harmless(piece)}]}
        for piece in split(text, MAX_MARKDOWN_BYTES)
    ]


def spoken(text: str) -> str:
    """Return what somebody wrote, without Slack's marks: mentions, links, escapes."""
    text = _MENTION.sub("", text)
    text = _LINK.sub(lambda link: link[2] or link[1], text)
    return html.unescape(text).strip()


def escaped(text: str) -> str:
    """Return a text in which nothing is a mention or a link to Slack."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def button(label: str, action: str, value: str) -> dict[str, Any]:
    """Return a button; Slack sends its action and value when it is clicked."""
    text = {"type": "plain_text", "text": label[: MAX_BUTTON - 1] + "…" if len(label) > MAX_BUTTON else label}
    return {"type": "button", "text": text, "action_id": action, "value": value}


def _choices(answer: Answer) -> list[dict[str, Any]]:
    if not answer.suggestions:
        return []
    elements = [
        button(suggestion.question, f"{CHOICE}_{number}", suggestion.question)
        for number, suggestion in enumerate(answer.suggestions)
    ]
    return [{"type": "actions", "elements": elements}]


def _sources(answer: Answer) -> list[dict[str, Any]]:
    if answer.outcome not in ("grounded", "escalated") or not answer.citations:
        return []
    text = messages.based_on(answer.language, [cited.question for cited in answer.citations])
    return [{"type": "context", "elements": [{"type": "plain_text", "text": text[:MAX_FALLBACK]}]}]


def _buttons(answer: Answer) -> list[dict[str, Any]]:
    elements = []
    if answer.outcome in ("direct", "grounded", "escalated"):
        elements += [button("👍", UP, answer.turn_id), button("👎", DOWN, answer.turn_id)]
    if answer.outcome != "handoff":
        elements.append(button(messages.talk_to_a_person(answer.language), PERSON, answer.language))
    return [{"type": "actions", "elements": elements}] if elements else []


def _harmless(markdown: str) -> str:
    """Return Markdown in which nobody is called by <!channel> or <@U1>."""
    return re.sub(r"<(?=[!@#])", "<\u200b", markdown)

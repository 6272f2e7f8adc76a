"""What people read who are called where they cannot answer: who wants what, and where to go."""

from __future__ import annotations

from connectors.base import Call

WHO = {"customer": "客户 Customer", "bot": "机器人 Bot"}
REASONS = {
    "asked": "客户要求人工 asked for a person",
    "unanswered": "连续未能回答 the bot had no answer",
    "action": "动作要求人工 an action wants a person",
}
LAST_MESSAGES = 6
TEST = "FrontDesk：测试，无需处理。A test; nothing to do."


def title(call: Call) -> str:
    """Return the notice in one line."""
    return f"🙋 客户需要人工 A customer wants a person: {call.summary}"


def text(call: Call, console_url: str) -> str:
    """Return the notice as plain text."""
    said = [f"{WHO[message.role]}: {message.text}" for message in call.transcript[-LAST_MESSAGES:]]
    lines = [title(call), f"{call.channel} · {REASONS.get(call.reason, call.reason)}", "", *said]
    if console_url:
        lines += ["", f"去回复 Reply: {console_url.rstrip('/')}#/inbox/{call.conversation_id}"]
    return "\n".join(lines)

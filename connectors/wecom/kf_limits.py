"""What WeChat lets through to a customer: five messages after their last one, for 48 hours; the rest waits."""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from bot.errors import SendHeld
from connectors.base import Memory, Outgoing

MAX_TEXT_BYTES = 2_048
MAX_MESSAGES = 5
WINDOW_SECONDS = 48 * 3_600


@dataclass(frozen=True)
class Window:
    """So many messages went out after one of the customer's."""

    after: str
    count: int


@dataclass(frozen=True)
class Rest:
    """What waits for the customer, and the name of the answer that it was kept with."""

    messages: Sequence[Outgoing] = ()
    name: str = ""


class Limits:
    """Counts what goes out in each thread, and keeps what has to wait."""

    def __init__(self, memory: Memory) -> None:
        """Keep it here."""
        self._memory = memory

    async def customer_wrote(self, thread: str, message_id: str, at: float) -> None:
        """Count anew after a message, unless it is older than one that is known."""
        newest = await self._memory.get(f"newest:{thread}")
        if newest is None or at >= newest["at"]:
            await self._memory.put(f"newest:{thread}", {"id": message_id, "at": at})

    async def window(self, thread: str) -> Window:
        """Return how much went out; raises SendHeld if WeChat takes no more."""
        newest = await self._memory.get(f"newest:{thread}") or {"id": "", "at": time.time()}
        if time.time() - newest["at"] > WINDOW_SECONDS:
            raise SendHeld("WeChat takes messages for 48 hours after the customer's last one")
        sent = await self._memory.get(f"sent:{thread}") or {}
        window = Window(newest["id"], sent["count"] if sent.get("after") == newest["id"] else 0)
        if window.count >= MAX_MESSAGES:
            raise SendHeld(f"WeChat takes {MAX_MESSAGES} messages after each of the customer's")
        return window

    async def note(self, thread: str, window: Window) -> None:
        """Note how much went out."""
        await self._memory.put(f"sent:{thread}", {"after": window.after, "count": window.count})

    async def rest(self, thread: str) -> Rest:
        """Return what waits."""
        return Rest(**(await self._memory.get(f"rest:{thread}") or {}))

    async def keep(self, thread: str, rest: Rest) -> None:
        """Let this wait, and nothing else."""
        await self._memory.put(f"rest:{thread}", {"messages": list(rest.messages), "name": rest.name})


def merged(messages: Iterable[Outgoing]) -> list[Outgoing]:
    """Return messages as fewer ones: short texts in a row become one."""
    fewer: list[Outgoing] = []
    for message in messages:
        joined = _joined(fewer[-1], message) if fewer else None
        if joined is None:
            fewer.append(message)
        else:
            fewer[-1] = joined
    return fewer


def _joined(one: Outgoing, other: Outgoing) -> Outgoing | None:
    """Return two messages as one, None if WeChat does not take it."""
    if (one["msgtype"], other["msgtype"]) != ("text", "text"):
        return None
    content = f"{one['text']['content']}\n\n{other['text']['content']}"
    return {"msgtype": "text", "text": {"content": content}} if len(content.encode()) <= MAX_TEXT_BYTES else None

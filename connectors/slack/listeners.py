"""What happens in Slack that concerns us: https://docs.slack.dev/reference/events."""

from __future__ import annotations

import re
from typing import Any, Literal

import structlog
from slack_bolt.async_app import AsyncApp
from slack_bolt.error import BoltUnhandledRequestError
from slack_bolt.response import BoltResponse

from bot import messages
from connectors.base import MALFORMED, Host, Incoming
from connectors.slack import blocks
from connectors.slack.agents import CLOSE, GIVE_BACK, SlackAgents

log = structlog.get_logger()

Event = dict[str, Any]
SUBTYPES = (None, "file_share", "thread_broadcast")
"""What somebody wrote; the last is a reply in a thread that is shown in the channel too."""

RATINGS: dict[str, Literal["up", "down"]] = {blocks.UP: "up", blocks.DOWN: "down"}


class Listeners:
    """Hands over what customers say and click, and what agents reply."""

    def __init__(self, host: Host, agents: SlackAgents | None) -> None:
        """Hand it to this host."""
        self._host, self._agents = host, agents

    def register(self, app: AsyncApp) -> None:
        """Have bolt call the listeners."""
        app.event("app_mention")(self.mentioned)
        app.event("message")(self.written)
        app.action(re.compile(f"{blocks.CHOICE}_\\d|{blocks.PERSON}"))(self.clicked)
        app.action(re.compile(f"{blocks.UP}|{blocks.DOWN}"))(self.rated)
        app.action(re.compile(f"{GIVE_BACK}|{CLOSE}"))(self.left)
        app.command(re.compile(r"/.+"))(self.commanded)
        app.error(self.failed)

    async def mentioned(self, event: Event, body: Event) -> None:
        """Take a mention; the thread that it is in, or begins, is the conversation."""
        if event.get("bot_id") is None and event.get("user") and not self._is_agents(event):
            thread = event.get("thread_ts") or event["ts"]
            await self._host.memory.put(f"asker:{event['channel']}:{thread}", event["user"])
            await self._host.take(_written(event, str(body["event_id"]), thread))

    async def written(self, event: Event, body: Event, context: Any) -> None:
        """Take a direct message, what goes on in a thread, and agents' replies."""
        if event.get("bot_id") is not None or event.get("subtype") not in SUBTYPES:
            return
        if self._agents is not None and self._is_agents(event):
            await self._agents.take_reply(event, str(body["event_id"]))
        elif await self._is_for_us(event, str(context.bot_user_id)):
            await self._host.take(_written(event, str(body["event_id"]), event.get("thread_ts", "")))

    async def clicked(self, ack: Any, body: Event, action: Event) -> None:
        """Take what a button says: an entry that was offered, or the wish for a person."""
        is_person = action["action_id"] == blocks.PERSON
        text = messages.talk_to_a_person(action["value"]) if is_person else str(action["value"])
        await self._host.take(_clicked(body, action, text))
        await ack()

    async def rated(self, ack: Any, action: Event, respond: Any) -> None:
        """Keep a thumb, and say thanks to whoever gave it."""
        await self._host.rate(action["value"], RATINGS[action["action_id"]])
        await ack()
        thanks = f"{messages.thanks('zh')} {messages.thanks('en')}"
        await respond(text=thanks, replace_original=False, response_type="ephemeral")

    async def left(self, ack: Any, body: Event, action: Event) -> None:
        """Let an agent give a conversation back, or close it."""
        await ack()
        if self._agents is not None and body["channel"]["id"] == self._agents.channel:
            await self._agents.leave(action["value"], body["user"]["id"], action["action_id"])

    async def commanded(self, ack: Any, body: Event) -> None:
        """Take a question after a command such as /faq; the answer is for its writer only."""
        text = blocks.spoken(body.get("text") or "")
        if not text:
            await ack(self._host.welcome())
            return
        thread = f"{body['command']}:{body['channel_id']}:{body['user_id']}"
        address = {"url": body["response_url"], "event": body["trigger_id"], "command": body["command"]}
        await self._host.take(Incoming(message_id=body["trigger_id"], thread=thread, address=address, text=text))
        await ack()

    async def failed(self, error: Exception, body: Event) -> BoltResponse | None:
        """Acknowledge what nobody asked for, and refuse what cannot be read; what else fails, Slack sends again."""
        if isinstance(error, BoltUnhandledRequestError):
            return BoltResponse(status=200)
        log.error("a call of Slack's failed", kind=body.get("type"), exc_info=error)
        return BoltResponse(status=400) if isinstance(error, MALFORMED) else None

    def _is_agents(self, event: Event) -> bool:
        return self._agents is not None and event.get("channel") == self._agents.channel

    async def _is_for_us(self, event: Event, bot_user: str) -> bool:
        """Say whether a message is direct, or goes on in a thread in which its writer asked us."""
        if event.get("channel_type") == "im":
            return True
        if f"<@{bot_user}>" in (event.get("text") or ""):
            return False  # the mention itself is an event of its own
        thread = event.get("thread_ts")
        return bool(thread) and await self._host.memory.get(f"asker:{event['channel']}:{thread}") == event.get("user")


def _written(event: Event, event_id: str, thread: str) -> Incoming:
    """Return what an event says; the thread is the conversation, and without one the direct channel is."""
    text, channel = blocks.spoken(event.get("text") or ""), str(event["channel"])
    return Incoming(
        message_id=event_id,
        thread=f"{channel}:{thread}",
        address={"channel": channel, "thread": thread, "event": event_id},
        text=text,
        kind="text" if text or "files" not in event else "media",
    )


def _clicked(body: Event, action: Event, text: str) -> Incoming:
    """Return what a button says; where nobody else sees it, in the conversation of the command before it."""
    user, channel = body["user"]["id"], body["channel"]["id"]
    event_id = f"{action['action_ts']}:{user}"
    if body["container"].get("is_ephemeral"):
        address = {"url": body["response_url"], "event": event_id}
        return Incoming(message_id=event_id, thread=f"/faq:{channel}:{user}", address=address, text=text)
    thread = str((body.get("message") or {}).get("thread_ts", ""))
    address = {"channel": channel, "thread": thread, "event": event_id}
    return Incoming(message_id=event_id, thread=f"{channel}:{thread}", address=address, text=text)

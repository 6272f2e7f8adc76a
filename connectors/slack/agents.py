"""Agents in a channel of their own: each call is a message there, and its thread is the conversation."""

from __future__ import annotations

from typing import Any

from bot.errors import ChannelError
from connectors.base import Call, HandoffAdapter, Host
from connectors.handoff.notice import REASONS, WHO
from connectors.slack.api import SlackApi
from connectors.slack.blocks import button, escaped, spoken

GIVE_BACK, CLOSE = "frontdesk_give_back", "frontdesk_close"
MAX_SECTION = 2_900
LAST_MESSAGES = 10


class SlackAgents(HandoffAdapter):
    """Posts calls and what customers write; what agents reply in the thread goes to the customer."""

    def __init__(self, api: SlackApi, channel: str) -> None:
        """Post to this channel."""
        self._api, self.channel = api, channel
        self.host: Host | None = None
        self._names: dict[str, str] = {}

    @property
    def _host(self) -> Host:
        assert self.host is not None, "routes come before calls"
        return self.host

    async def call(self, call: Call) -> None:
        """Post the call with its transcript, and remember its thread."""
        said = "\n".join(f"{WHO[message.role]}: {message.text}" for message in call.transcript[-LAST_MESSAGES:])
        actions = [
            button("交还机器人 Back to the bot", GIVE_BACK, call.conversation_id),
            button("结束 Close", CLOSE, call.conversation_id),
        ]
        blocks: list[dict[str, Any]] = [
            _section(f"🙋 {call.summary}\n（{call.channel} · {REASONS.get(call.reason, call.reason)}）"),
            _section(said[-MAX_SECTION:]),
            {"type": "actions", "elements": actions},
        ]
        text = escaped(f"🙋 {call.summary}")[:MAX_SECTION]
        posted = await self._api.call("chat.postMessage", channel=self.channel, text=text, blocks=blocks)
        await self._host.memory.put(f"call:{posted['ts']}", call.conversation_id)
        await self._host.memory.put(f"thread:{call.conversation_id}", posted["ts"])

    async def forward(self, conversation_id: str, text: str) -> None:
        """Post what the customer wrote into the thread."""
        thread = await self._host.memory.get(f"thread:{conversation_id}")
        if thread is not None:
            shown = {"text": escaped(text)[:MAX_SECTION], "blocks": [_section(f"💬 {text}")]}
            await self._api.call("chat.postMessage", channel=self.channel, thread_ts=thread, **shown)

    async def check(self) -> str:
        """Return the channel's name."""
        found = await self._api.call("conversations.info", channel=self.channel)
        return str(found["channel"].get("name", self.channel))

    async def take_reply(self, event: dict[str, Any], event_id: str) -> None:
        """Send an agent's reply in a call's thread to the customer; what else is said there stays there."""
        conversation = await self._host.memory.get(f"call:{event.get('thread_ts', '')}")
        text = spoken(event.get("text") or "")
        if conversation is not None and text:
            await self._host.agent_says(conversation, await self._name(str(event["user"])), text, event_id)

    async def leave(self, conversation_id: str, user: str, action: str) -> None:
        """Give a conversation back, or close it, as the button says, and write so into the thread."""
        name = await self._name(user)
        await self._host.agent_leaves(conversation_id, name, "closed" if action == CLOSE else "bot")
        thread = await self._host.memory.get(f"thread:{conversation_id}")
        done = "已结束 closed" if action == CLOSE else "已交还机器人 given back to the bot"
        await self._api.call(
            "chat.postMessage", channel=self.channel, thread_ts=thread, text=f"{escaped(name)}: {done}"
        )

    async def _name(self, user: str) -> str:
        """Return a user's name, as customers see it; without the permission to ask, the identifier."""
        if user not in self._names:
            try:
                profile = (await self._api.call("users.info", user=user))["user"]
                self._names[user] = str(profile.get("real_name") or profile.get("name") or user)
            except ChannelError:
                return user
        return self._names[user]


def _section(text: str) -> dict[str, Any]:
    return {"type": "section", "text": {"type": "plain_text", "text": text[:MAX_SECTION] or "…", "emoji": True}}

"""Telling people in a WeCom group, by the group's robot (群机器人)."""

from __future__ import annotations

from typing import Any

from pydantic import Field, SecretStr

from bot.errors import SendFailed, SendRefused
from connectors.base import Call, ConnectorSettings, HandoffAdapter
from connectors.handoff import notice
from connectors.http import PlatformClient
from connectors.text import split

API = "https://qyapi.weixin.qq.com"
MAX_BYTES = 2_000
"""WeCom takes 2,048."""

TOO_OFTEN, NO_SUCH_KEY = 45009, 93000
TOO_OFTEN_SECONDS = 60.0


class WecomRobotSettings(ConnectorSettings):
    """A robot in a WeCom group, which tells the group of each call."""

    key: SecretStr = Field(min_length=1, description="What follows key= in the robot's webhook address.")
    mention: list[str] = Field([], description='Whom to mention, by userid; ["@all"] for everybody.')
    console_url: str = Field("", description="Your console, such as https://bot.example.com/admin, to link to.")
    api: str = Field(API, description="Another address of WeCom's API.")


class WecomRobot(HandoffAdapter):
    """Writes into a group."""

    Settings = WecomRobotSettings

    def __init__(self, settings: WecomRobotSettings) -> None:
        """Prepare; the first call connects."""
        self._settings = settings
        self._client = PlatformClient(settings.api)

    async def call(self, call: Call) -> None:
        """Tell the group."""
        await self._send(notice.text(call, self._settings.console_url))

    async def check(self) -> str:
        """Tell the group that this is a test."""
        await self._send(notice.TEST)
        return "WeCom group"

    async def close(self) -> None:
        """Give connections back."""
        await self._client.close()

    async def _send(self, text: str) -> None:
        body: dict[str, Any] = {"content": split(text, MAX_BYTES)[0], "mentioned_list": self._settings.mention}
        said = await self._client.call(
            "POST",
            "/cgi-bin/webhook/send",
            params={"key": self._settings.key.get_secret_value()},
            json={"msgtype": "text", "text": body},
        )
        code = said.get("errcode") if isinstance(said, dict) else None
        if code == TOO_OFTEN:
            raise SendFailed("the WeCom group's robot has written too often", TOO_OFTEN_SECONDS)
        if code == NO_SUCH_KEY:
            raise SendRefused("there is no WeCom group robot with this key")
        if code != 0:
            raise SendFailed(f"WeCom said {code} to the group's robot: {said}")

"""The console of a running server, in a browser."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import httpx
from playwright.sync_api import ConsoleMessage

from tests.scenarios.conftest import Served

OWNER = "王主管"
PASSWORD = "correct horse battery"
DESKTOP = {"width": 1440, "height": 900}
PHONE = {"width": 390, "height": 844}


@dataclass
class Console:
    """A running server whose first owner has been made, and the owner's session."""

    server: Served
    session: str
    csrf: str
    conversation: str = ""

    @classmethod
    def begin(cls, server: Served) -> Console:
        """Make the first owner by the link that was printed."""
        with server.client as client:
            body = {"token": setup_link(server.home).rpartition("/")[2], "name": OWNER, "password": PASSWORD}
            reply = client.post("/api/admin/setup", json=body)
            assert reply.status_code == 200, reply.text
            return cls(server, client.cookies["frontdesk_session"], reply.json()["csrf"])

    @property
    def url(self) -> str:
        return f"{self.server.url}/admin"

    @property
    def api(self) -> httpx.Client:
        """The admin API, as the owner."""
        headers = {"X-CSRF-Token": self.csrf, "Cookie": f"frontdesk_session={self.session}"}
        return httpx.Client(base_url=f"{self.server.url}/api/admin", headers=headers, timeout=120)


def setup_link(home: Path) -> str:
    """Return the link that the server printed last."""
    return re.findall(r"http://\S+/admin#/setup/\S+", (home / "serve.log").read_text())[-1]


def complains(message: ConsoleMessage) -> bool:
    """Say whether it is more than the log of a request that was answered with an error, as is tested here."""
    return message.type in ("error", "warning") and not message.text.startswith("Failed to load resource")

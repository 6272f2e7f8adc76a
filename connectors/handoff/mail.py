"""Telling people by e-mail."""

from __future__ import annotations

from email.message import EmailMessage
from email.utils import formatdate, make_msgid
from typing import Literal

import aiosmtplib
from pydantic import Field, SecretStr

from bot.errors import SendFailed, SendRefused
from connectors.base import Call, ConnectorSettings, HandoffAdapter
from connectors.handoff import notice

TIMEOUT_SECONDS = 20.0
MAX_SUBJECT = 150


class EmailSettings(ConnectorSettings):
    """Mail to your agents, one for each call."""

    host: str = Field(min_length=1, description="The SMTP server.")
    port: int = Field(465, ge=1, le=65_535, description="Its port: 465 for tls, 587 for starttls.")
    security: Literal["tls", "starttls", "none"] = Field("tls", description="How the connection is kept secret.")
    username: str = Field("", description="The account there; empty: no login.")
    password: SecretStr = Field(SecretStr(""), description="Its password.")
    sender: str = Field(pattern=".+@.+", description="Whom the mail is from.")
    to: list[str] = Field(min_length=1, description="Who gets it.")
    console_url: str = Field("", description="Your console, such as https://bot.example.com/admin, to link to.")


class Email(HandoffAdapter):
    """Mails each call."""

    Settings = EmailSettings

    def __init__(self, settings: EmailSettings) -> None:
        """Prepare; each call connects."""
        self._settings = settings

    async def call(self, call: Call) -> None:
        """Mail a call."""
        await self._send(notice.title(call), notice.text(call, self._settings.console_url))

    async def check(self) -> str:
        """Mail that this is a test."""
        await self._send(notice.TEST, notice.TEST)
        return ", ".join(self._settings.to)

    async def _send(self, subject: str, text: str) -> None:
        chosen, message = self._settings, EmailMessage()
        message["Subject"] = " ".join(subject.split())[:MAX_SUBJECT]
        message["From"], message["To"] = chosen.sender, ", ".join(chosen.to)
        message["Date"], message["Message-ID"] = formatdate(), make_msgid(domain=chosen.sender.rpartition("@")[2])
        message["Auto-Submitted"] = "auto-generated"
        message.set_content(text)
        try:
            await aiosmtplib.send(
                message,
                hostname=chosen.host,
                port=chosen.port,
                use_tls=chosen.security == "tls",
                start_tls=chosen.security == "starttls",
                username=chosen.username or None,
                password=chosen.password.get_secret_value() or None,
                timeout=TIMEOUT_SECONDS,
            )
        except aiosmtplib.SMTPAuthenticationError as error:
            raise SendRefused(f"{chosen.host} does not take this username and password") from error
        except aiosmtplib.SMTPRecipientsRefused as error:
            raise SendRefused(f"{chosen.host} refuses {', '.join(chosen.to)}") from error
        except (aiosmtplib.SMTPException, OSError) as error:
            raise SendFailed(f"no mail could be sent by {chosen.host}: {error}") from error

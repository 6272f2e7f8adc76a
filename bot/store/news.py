"""Announcing to all replicas what a transaction changes, by PostgreSQL's NOTIFY: it arrives with the commit."""

from __future__ import annotations

import json
from typing import Literal

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Session

Topic = Literal["conversation", "release", "settings"]

CHANNEL = "frontdesk"
_ANNOUNCED = "news"


def announce(session: AsyncSession | Session, topic: Topic, about: str = "") -> None:
    """Have a transaction tell all replicas once it is committed; on SQLite there is nobody to be told."""
    session.info.setdefault(_ANNOUNCED, {})[json.dumps([topic, about])] = None


async def send(session: AsyncSession) -> None:
    """Send what has been announced, as the last thing in a transaction of PostgreSQL's."""
    for news in session.info.pop(_ANNOUNCED, ()):
        await session.execute(select(func.pg_notify(CHANNEL, news)))

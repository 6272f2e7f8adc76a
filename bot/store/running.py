"""Answers that some replica is making, for the others: whose each is, and what its stream has sent. On PostgreSQL."""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import bindparam, text

from bot.store.database import Store, whole

HELD_SECONDS = 6.0
"""So long an answer belongs to the replica that makes it, unless that renews it: then it is dead."""

READ_SECONDS = 5.0
"""So long an answer that was looked at counts as being read."""

KEPT_SECONDS = 120.0
"""So long the events of an answer that has ended can be read again."""

_CLAIM = text("""
    INSERT INTO running_answers AS running (id, visitor, events, held_until, read_until)
    VALUES (:id, :visitor, '[]', statement_timestamp() + make_interval(secs => :held), statement_timestamp())
    ON CONFLICT (id) DO UPDATE
    SET visitor = excluded.visitor, turn_id = NULL, events = excluded.events, ended_at = NULL,
        held_until = excluded.held_until
    WHERE running.ended_at IS NOT NULL OR running.held_until < statement_timestamp()
    RETURNING 0
""")
_SHARE = text("""
    INSERT INTO running_answers AS running (id, turn_id, visitor, events, held_until, read_until, ended_at)
    VALUES (:id, :turn, :visitor, :events, statement_timestamp() + make_interval(secs => :held), statement_timestamp(),
        CASE WHEN :ended THEN statement_timestamp() END)
    ON CONFLICT (id) DO UPDATE
    SET turn_id = excluded.turn_id, events = excluded.events, held_until = excluded.held_until,
        ended_at = excluded.ended_at
""")
_RENEW = text("""
    UPDATE running_answers SET held_until = statement_timestamp() + make_interval(secs => :held) WHERE id IN :ids
""").bindparams(bindparam("ids", expanding=True))
_LOOK = text("""
    UPDATE running_answers SET read_until = statement_timestamp() + make_interval(secs => :read) WHERE turn_id = :turn
    RETURNING visitor, events, ended_at IS NOT NULL, held_until < statement_timestamp()
""")
_WAIT = text("""
    UPDATE running_answers SET read_until = statement_timestamp() + make_interval(secs => :read) WHERE id = :id
""")
_READ = text("""
    SELECT id FROM running_answers WHERE id IN :ids AND read_until > statement_timestamp()
""").bindparams(bindparam("ids", expanding=True))
_RELEASE = text("DELETE FROM running_answers WHERE id = :id")
_FORGET = text("""
    DELETE FROM running_answers WHERE held_until < statement_timestamp() - make_interval(secs => :kept)
""")
"""The database's clock counts in all of them, so that those of the replicas need not agree."""


@dataclass(frozen=True)
class SharedAnswer:
    """An answer as another replica has shared it: events are name and data; `lost` if its replica has died."""

    visitor: str | None
    events: Sequence[tuple[str, Any]]
    ended: bool
    lost: bool


class RunningStore(Store):
    """Shares answers on their way, each under an identifier of its own."""

    @whole
    async def claim(self, identifier: str, visitor: str | None) -> bool:
        """Begin an answer, unless another replica is making it."""
        values = {"id": identifier, "visitor": visitor, "held": HELD_SECONDS}
        return bool(await self.database.rows(_CLAIM, values))

    @whole
    async def share(
        self, identifier: str, turn: str, visitor: str | None, events: Sequence[tuple[str, Any]], *, ended: bool
    ) -> None:
        """Tell what has been sent so far."""
        written = json.dumps(events, ensure_ascii=False)
        values = {"id": identifier, "turn": turn, "visitor": visitor, "events": written, "ended": ended}
        await self.database.rows(_SHARE, {**values, "held": HELD_SECONDS})

    @whole
    async def renew(self, identifiers: Collection[str]) -> None:
        """Say that these are still being made."""
        await self.database.rows(_RENEW, {"ids": list(identifiers), "held": HELD_SECONDS})

    @whole
    async def look(self, turn: str) -> SharedAnswer | None:
        """Return what has been shared of a turn's answer, and note that somebody reads it."""
        found = await self.database.rows(_LOOK, {"turn": turn, "read": READ_SECONDS})
        if not found:
            return None
        visitor, events, ended, is_late = found[0]
        return SharedAnswer(visitor, [(name, data) for name, data in events], ended, is_late and not ended)

    @whole
    async def wait(self, identifier: str) -> None:
        """Note that somebody waits for an answer."""
        await self.database.rows(_WAIT, {"id": identifier, "read": READ_SECONDS})

    @whole
    async def read_elsewhere(self, identifiers: Collection[str]) -> set[str]:
        """Return those of some answers that others read or wait for."""
        return {row[0] for row in await self.database.rows(_READ, {"ids": list(identifiers)})}

    @whole
    async def release(self, identifier: str) -> None:
        """Be done with an answer of which the turn tells all."""
        await self.database.rows(_RELEASE, {"id": identifier})

    @whole
    async def forget_old(self) -> None:
        """Forget what nobody comes back to any more."""
        await self.database.rows(_FORGET, {"kept": KEPT_SECONDS})

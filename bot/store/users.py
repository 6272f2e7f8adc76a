"""The console's users and their logins, in SQL."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import delete, func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from bot.accounts import SCOPES_OF_ROLE, Actor, Role, hash_password, hash_token, is_password, new_token
from bot.errors import LastOwner, LoginLocked, NameTaken, NotFound, WrongLogin
from bot.store.database import Store, whole
from bot.store.outage import repeated
from bot.store.tables import SessionRow, UserRow, now

MAX_FAILURES = 5
LOCKED_FOR = timedelta(minutes=5)
SESSION_LASTS = timedelta(hours=12)
"""Without being used; its expiry moves on once half of this has passed."""


@dataclass(frozen=True)
class User:
    """Somebody who may log in."""

    id: int
    name: str
    role: str
    active: bool
    locked: bool
    created_at: datetime


class UserStore(Store):
    """Makes users and lets them in."""

    @whole
    @repeated
    async def is_empty(self) -> bool:
        """Say whether there is nobody yet."""
        async with self.database.transaction() as session:
            return not await session.scalar(select(func.count()).select_from(UserRow))

    @whole
    @repeated
    async def users(self) -> list[User]:
        """List everybody."""
        async with self.database.transaction() as session:
            return [_to_user(row) for row in await session.scalars(select(UserRow).order_by(UserRow.name))]

    @whole
    async def add(self, name: str, password: str, role: Role, *, first: bool = False) -> User:
        """Make a user; as the `first`, only if there is nobody yet.

        Raises:
            WeakPassword: the password is too short.
            NameTaken: somebody has the name, or there is somebody already.
        """
        row = UserRow(name=name.strip(), role=role, password_hash=await asyncio.to_thread(hash_password, password))
        try:
            async with self.database.transaction() as session:
                if first and await session.scalar(select(func.count()).select_from(UserRow)):
                    raise NameTaken("the console has been set up already")
                session.add(row)
        except IntegrityError as error:
            raise NameTaken(f"there is a user {row.name!r} already") from error
        return _to_user(row)

    @whole
    async def change(
        self, user_id: int, *, role: Role | None = None, active: bool | None = None, password: str | None = None
    ) -> User:
        """Change a user; a new password, or no access any more, ends their logins.

        Raises:
            NotFound: there is no such user.
            WeakPassword: the password is too short.
            LastOwner: nobody could administer the console any more.
        """
        password_hash = await asyncio.to_thread(hash_password, password) if password is not None else None
        async with self.database.transaction() as session:
            row = await _get_user(session, user_id)
            row.role = role or row.role
            row.active = row.active if active is None else active
            if password_hash:
                row.password_hash, row.locked_until, row.failed_logins = password_hash, None, 0
            if password_hash or not row.active:
                await session.execute(delete(SessionRow).where(SessionRow.user_id == user_id))
            await _check_owners(session)
            return _to_user(row)

    @whole
    async def delete(self, user_id: int) -> str:
        """Delete a user and return their name; raises NotFound and LastOwner."""
        async with self.database.transaction() as session:
            row = await _get_user(session, user_id)
            await session.delete(row)
            await _check_owners(session)
            return row.name

    @whole
    async def log_in(self, name: str, password: str) -> str:
        """Return the token of a new session.

        Raises:
            WrongLogin: the name and the password do not belong together.
            LoginLocked: they have been tried too often.
        """
        user_id, password_hash = await self._count_attempt(name.strip())
        if not await asyncio.to_thread(is_password, password, password_hash) or user_id is None:
            raise WrongLogin("the name or the password is wrong")
        token = new_token()
        async with self.database.transaction() as session:
            row = await _get_user(session, user_id)
            row.failed_logins, row.locked_until = 0, None
            session.add(SessionRow(token_hash=hash_token(token), user_id=user_id, expires_at=now() + SESSION_LASTS))
            await session.execute(delete(SessionRow).where(SessionRow.expires_at < now()))
        return token

    @whole
    @repeated
    async def actor(self, token: str) -> Actor | None:
        """Return whose session a token is, None if it is over."""
        async with self.database.transaction() as session:
            login = await session.get(SessionRow, hash_token(token))
            if login is None or login.expires_at < now():
                return None
            user = await session.get_one(UserRow, login.user_id)
            if login.expires_at < now() + SESSION_LASTS / 2:
                login.expires_at = now() + SESSION_LASTS
            return Actor(user.name, user.role, SCOPES_OF_ROLE[user.role])

    @whole
    async def log_out(self, token: str) -> None:
        """End a session."""
        async with self.database.transaction() as session:
            await session.execute(delete(SessionRow).where(SessionRow.token_hash == hash_token(token)))

    @whole
    async def change_password(self, name: str, old: str, new: str) -> None:
        """Give a user the password that they chose, and end all their logins.

        Raises:
            WrongLogin: the old one is not theirs.
            LoginLocked: it was tried too often.
            WeakPassword: the new one is too short.
        """
        user_id, password_hash = await self._count_attempt(name)
        if not await asyncio.to_thread(is_password, old, password_hash) or user_id is None:
            raise WrongLogin("the old password is wrong")
        await self.change(user_id, password=new)

    async def _count_attempt(self, name: str) -> tuple[int | None, str | None]:
        """Count before the password is looked at, so that many guesses at once do not pass as one."""
        async with self.database.transaction() as session:
            row = await session.scalar(select(UserRow).where(UserRow.name == name, UserRow.active).with_for_update())
            if row is None:
                return None, None
            if _is_locked(row) and row.locked_until:
                raise LoginLocked(int((row.locked_until - now()).total_seconds()) + 1)
            row.failed_logins += 1
            if row.failed_logins >= MAX_FAILURES:
                row.failed_logins, row.locked_until = 0, now() + LOCKED_FOR
            return row.id, row.password_hash


async def _get_user(session: AsyncSession, user_id: int) -> UserRow:
    row = await session.get(UserRow, user_id)
    if row is None:
        raise NotFound(f"there is no user {user_id}")
    return row


async def _check_owners(session: AsyncSession) -> None:
    await session.flush()
    owners = select(func.count()).select_from(UserRow).where(UserRow.role == "owner", UserRow.active)
    if not await session.scalar(owners):
        raise LastOwner("at least one active owner must remain")


def _to_user(row: UserRow) -> User:
    return User(row.id, row.name, row.role, row.active, _is_locked(row), row.created_at)


def _is_locked(row: UserRow) -> bool:
    """Say whether a user must wait; a lock that would last longer than any is from before the clock was set back."""
    return row.locked_until is not None and now() < row.locked_until <= now() + LOCKED_FOR

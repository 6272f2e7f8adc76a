from __future__ import annotations

from datetime import timedelta

import pytest

from bot.errors import LoginLocked, WrongLogin
from bot.store import users
from bot.store.database import Database
from bot.store.tables import now
from bot.store.users import MAX_FAILURES, UserStore

PASSWORD = "correct horse battery"


async def test_a_clock_that_is_set_back_locks_nobody_out(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    store = UserStore(database)
    await store.add("Olga", PASSWORD, "owner")
    with monkeypatch.context() as patch:
        patch.setattr(users, "now", lambda: now() + timedelta(days=1))
        for _ in range(MAX_FAILURES):
            with pytest.raises(WrongLogin):
                await store.log_in("Olga", "wrong")
        with pytest.raises(LoginLocked):
            await store.log_in("Olga", PASSWORD)
    assert not (await store.users())[0].locked
    assert await store.log_in("Olga", PASSWORD)

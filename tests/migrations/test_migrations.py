from __future__ import annotations

from collections.abc import Iterator

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection, create_engine, inspect, pool, text

from bot.errors import StoreError
from bot.store.database import blocking_url, migration_config, upgrade
from bot.store.tables import Base

TABLES = set(Base.metadata.tables)


@pytest.fixture
def connection(blank_url: str) -> Iterator[Connection]:
    engine = create_engine(blocking_url(blank_url), poolclass=pool.NullPool)
    with engine.connect() as connection:
        yield connection
    engine.dispose()


def tables(connection: Connection) -> set[str]:
    return set(inspect(connection).get_table_names()) - {"alembic_version"}


def test_upgrading_a_blank_database_makes_every_table(blank_url: str, connection: Connection) -> None:
    upgrade(blank_url)
    assert tables(connection) == TABLES


def test_upgrading_twice_is_harmless(blank_url: str, connection: Connection) -> None:
    upgrade(blank_url)
    connection.execute(text("INSERT INTO knowledge_bases (name, created_at) VALUES ('kb', '2026-01-01 00:00:00')"))
    connection.commit()
    upgrade(blank_url)
    assert connection.scalar(text("SELECT count(*) FROM knowledge_bases")) == 1


def test_what_went_up_comes_down_and_goes_up_again(blank_url: str, connection: Connection) -> None:
    upgrade(blank_url)
    command.downgrade(migration_config(blank_url), "base")
    assert tables(connection) == set()
    connection.rollback()
    upgrade(blank_url)
    assert tables(connection) == TABLES


def test_conversations_outlive_that_they_get_an_owner_and_lose_it(blank_url: str, connection: Connection) -> None:
    command.upgrade(migration_config(blank_url), "0001")
    moment = "'2026-01-01 00:00:00'"
    connection.execute(text(f"INSERT INTO conversations VALUES ('c', 'web', 'bot', {moment}, {moment})"))
    connection.commit()
    upgrade(blank_url)
    assert connection.execute(text("SELECT id, visitor FROM conversations")).all() == [("c", None)]
    connection.rollback()
    command.downgrade(migration_config(blank_url), "0001")
    assert connection.execute(text("SELECT id, channel FROM conversations")).all() == [("c", "web")]


def test_models_and_migrations_agree(blank_url: str, connection: Connection) -> None:
    upgrade(blank_url)
    context = MigrationContext.configure(connection, opts={"compare_type": True, "render_as_batch": True})
    assert compare_metadata(context, Base.metadata) == []


def test_a_database_of_a_newer_version_is_refused(blank_url: str, connection: Connection) -> None:
    upgrade(blank_url)
    connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    connection.commit()
    with pytest.raises(StoreError, match="another version"):
        upgrade(blank_url)


def test_the_folder_of_an_sqlite_database_is_made(tmp_path) -> None:  # type: ignore[no-untyped-def]
    upgrade(f"sqlite+aiosqlite:///{tmp_path / 'new' / 'folder' / 'frontdesk.db'}")
    assert (tmp_path / "new" / "folder" / "frontdesk.db").is_file()


@pytest.mark.parametrize(
    "url",
    [
        "nonsense",
        "mongodb://user:hunter2@127.0.0.1/x",
        "postgres://user:hunter2@127.0.0.1/x",
        "postgresql+psycopg://user:hunter2@127.0.0.1:1/x",
        "sqlite+aiosqlite:////proc/nowhere/frontdesk.db",
    ],
)
def test_an_address_of_no_use_is_refused_without_its_password(url: str) -> None:
    with pytest.raises(StoreError) as caught:
        upgrade(url)
    assert "hunter2" not in str(caught.value)

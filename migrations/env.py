"""Alembic's entry: runs what is due on the connection that it was given, or on one to the database that is named."""

from alembic import context
from sqlalchemy import Connection, create_engine, pool

from bot.store.tables import Base


def run() -> None:
    """Run the migrations in one transaction; it is the caller's if the connection is."""
    given: Connection | None = context.config.attributes.get("connection")
    if given is not None:
        migrate(given)
        return
    engine = create_engine(context.config.attributes["url"], poolclass=pool.NullPool)
    with engine.connect() as connection:
        migrate(connection)
    engine.dispose()


def migrate(connection: Connection) -> None:
    """Run them."""
    context.configure(
        connection=connection,
        target_metadata=Base.metadata,
        render_as_batch=True,
        compare_type=True,
    )
    with context.begin_transaction():
        context.run_migrations()


run()

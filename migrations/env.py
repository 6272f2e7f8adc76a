"""Alembic's entry: runs what is due on the connection that it was given, or on one to the database that is named."""

from alembic import context
from sqlalchemy import Connection

from bot.store.database import alone
from bot.store.tables import Base


def run(connection: Connection) -> None:
    """Run the migrations within the connection's transaction."""
    context.configure(
        connection=connection,
        target_metadata=Base.metadata,
        render_as_batch=True,
        compare_type=True,
    )
    with context.begin_transaction():
        context.run_migrations()


given: Connection | None = context.config.attributes.get("connection")
if given is None:
    with alone(context.config.attributes["url"]) as connection:
        run(connection)
else:
    run(given)

"""The database's history, one numbered file a change; Alembic runs them."""

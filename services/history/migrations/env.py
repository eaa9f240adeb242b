"""Alembic's way in: the tables of history."""

from arrears.history.adapters.tables import metadata
from arrears.shared.service.migrating import run_migrations

run_migrations(metadata)

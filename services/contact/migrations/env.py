"""Alembic's way in: the tables of the event store."""

from arrears.shared.eventstore.tables import metadata
from arrears.shared.service.migrating import run_migrations

run_migrations(metadata)

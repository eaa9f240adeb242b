"""The event store: events, shards, positions, agenda, timers, effects and what is set aside."""

from alembic import op

from arrears.shared.eventstore.tables import metadata

revision = "0001"
down_revision = None


def upgrade() -> None:
    metadata.create_all(op.get_bind())


def downgrade() -> None:
    metadata.drop_all(op.get_bind())

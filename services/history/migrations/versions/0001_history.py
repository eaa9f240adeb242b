"""Everything heard, how far it was heard, and the list of cases.

Revision ID: 0001
"""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def _text(name: str, *, null: bool = False, key: bool = False) -> sa.Column[str]:
    return sa.Column(name, sa.Text(collation="C"), nullable=null, primary_key=key)


def upgrade() -> None:
    op.create_table(
        "history_events",
        sa.Column("service", sa.SmallInteger, nullable=False),
        sa.Column("shard", sa.SmallInteger, nullable=False),
        sa.Column("seq", sa.BigInteger, nullable=False),
        _text("stream"),
        sa.Column("version", sa.Integer, nullable=False),
        _text("event_id"),
        _text("type"),
        _text("subject"),
        sa.Column("business_day", sa.Date, nullable=False),
        sa.Column("time", sa.DateTime(timezone=True), nullable=False),
        sa.Column("value", sa.LargeBinary, nullable=False),
        sa.PrimaryKeyConstraint("service", "shard", "seq"),
    )
    op.create_index("history_events_subject", "history_events", ["subject"])
    op.create_index(
        "history_events_business_day", "history_events", ["business_day"], postgresql_using="brin"
    )
    op.create_table(
        "positions",
        _text("topic", key=True),
        sa.Column("partition", sa.SmallInteger, primary_key=True),
        sa.Column("position", sa.BigInteger, nullable=False),
        sa.Column("last_seq", sa.BigInteger, nullable=False),
        sa.Column("closed_day", sa.Date),
        sa.Column("last_record_hash", sa.LargeBinary, nullable=False),
    )
    op.create_table(
        "case_list",
        _text("case_id", key=True),
        _text("loan_key"),
        _text("borrower_id"),
        _text("status"),
        _text("stage"),
        _text("bucket", null=True),
        sa.Column("body", sa.LargeBinary, nullable=False),
        postgresql_with={"fillfactor": 60},
    )
    op.create_index("case_list_loan_key", "case_list", ["loan_key"])
    op.create_table("loans", _text("loan_key", key=True), _text("borrower_id"))


def downgrade() -> None:
    for name in ("loans", "case_list", "positions", "history_events"):
        op.drop_table(name)

"""The tables of the history's database. Migrations and tests create them from here.

Text is collated "C": code point order, the same on every machine, and what the digest sorts by.
"""

from typing import Final

from sqlalchemy import (
    BigInteger,
    Column,
    Date,
    DateTime,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    PrimaryKeyConstraint,
    SmallInteger,
    Table,
    Text,
)

metadata: Final = MetaData()


def _text(name: str, *, null: bool = False, key: bool = False) -> Column[str]:
    return Column(name, Text(collation="C"), nullable=null, primary_key=key)


history_events: Final = Table(
    "history_events",
    metadata,
    Column("service", SmallInteger, nullable=False),
    Column("shard", SmallInteger, nullable=False),
    Column("seq", BigInteger, nullable=False),
    _text("stream"),
    Column("version", Integer, nullable=False),
    _text("event_id"),
    _text("type"),
    _text("subject"),
    Column("business_day", Date, nullable=False),
    Column("time", DateTime(timezone=True), nullable=False),
    Column("value", LargeBinary, nullable=False),
    PrimaryKeyConstraint("service", "shard", "seq"),
    Index("history_events_subject", "subject"),
    # Days follow the order of arrival, so block ranges find them at almost no cost.
    Index("history_events_business_day", "business_day", postgresql_using="brin"),
)

positions: Final = Table(
    "positions",
    metadata,
    _text("topic", key=True),
    Column("partition", SmallInteger, primary_key=True),
    Column("position", BigInteger, nullable=False),
    Column("last_seq", BigInteger, nullable=False),
    Column("closed_day", Date),
    Column("last_record_hash", LargeBinary, nullable=False),
)

case_list: Final = Table(
    "case_list",
    metadata,
    _text("case_id", key=True),
    _text("loan_key"),
    _text("borrower_id"),
    _text("status"),
    _text("stage"),
    _text("bucket", null=True),
    Column("body", LargeBinary, nullable=False),
    Index("case_list_loan_key", "loan_key"),
    Index("case_list_borrower_id", "borrower_id"),
    # A row changes with every event of its case: room on the page spares the indexes.
    postgresql_with={"fillfactor": 60},
)

loans: Final = Table(
    "loans",
    metadata,
    _text("loan_key", key=True),
    _text("borrower_id"),
)

"""The tables of every stage service. Alembic creates them; the hot path speaks plain SQL.

| table | holds |
| --- | --- |
| events | the facts, gapless per shard; `value` is the published CloudEvents JSON |
| shards | last number, lease and open day of each shard |
| positions | the next offset of every partition heard, and what it has closed |
| loan_homes | whose a loan is, as first known (intake) |
| agenda | what was heard or answered and is not handled yet |
| timers | a copy of what each stream waits for, by due time |
| effects | what was asked of the outside world and is not answered |
| cursors | what the relay has published |
| workers, feed_leases | who shares the shards and the feed partitions |
| refused, duplicates, parked | inputs set aside, counted, or waiting behind a failure |
| projections, projection_cursors | read models by name and key, with the shard's cursor |
| idempotency | answers already given to people's commands |
| settings | what must not change under a database, such as the clock |
"""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Date,
    DateTime,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    SmallInteger,
    String,
    Table,
    UniqueConstraint,
    text,
)

metadata = MetaData()

_AT = DateTime(timezone=True)

Table(
    "events",
    metadata,
    Column("shard", SmallInteger, primary_key=True),
    Column("seq", BigInteger, primary_key=True),
    Column("stream", String, nullable=False),
    Column("version", Integer, nullable=False),
    Column("event_id", String(36, collation="C"), nullable=False),
    Column("type", String, nullable=False),
    Column("borrower_id", String, nullable=False),
    Column("business_day", Date, nullable=False),
    Column("value", LargeBinary, nullable=False),
    UniqueConstraint("shard", "stream", "version", name="events_stream_version"),
    UniqueConstraint("shard", "event_id", name="events_event_id"),
)
Table(
    "shards",
    metadata,
    Column("shard", SmallInteger, primary_key=True),
    Column("last_seq", BigInteger, nullable=False, server_default="0"),
    Column("epoch", BigInteger, nullable=False, server_default="0"),
    Column("owner", String),
    Column("lease_until", _AT),
    Column("open_day", Date),
    postgresql_with={"fillfactor": "20"},
)
Table(
    "positions",
    metadata,
    Column("topic", String, primary_key=True),
    Column("partition", SmallInteger, primary_key=True),
    Column("position", BigInteger, nullable=False),
    Column("last_seq", BigInteger, nullable=False, server_default="0"),
    Column("last_hash", LargeBinary, nullable=False),
    Column("closed_day", Date),
    Column("first_day", Date),
    postgresql_with={"fillfactor": "20"},
)
Table(
    "loan_homes",
    metadata,
    Column("loan", String, primary_key=True),
    Column("borrower_id", String, nullable=False),
)
Table(
    "agenda",
    metadata,
    Column("shard", SmallInteger, primary_key=True),
    Column("day", Date, primary_key=True),
    Column("row_id", BigInteger, primary_key=True),
    Column("at", _AT, nullable=False),
    Column("rank", SmallInteger, nullable=False),
    Column("borrower_id", String, nullable=False),
    Column("order_key", LargeBinary, nullable=False),
    Column("origin", String, nullable=False),
    Column("value", LargeBinary, nullable=False),
)
Table(
    "timers",
    metadata,
    Column("shard", SmallInteger, primary_key=True),
    Column("stream", String, primary_key=True),
    Column("borrower_id", String, nullable=False),
    Column("due_at", _AT, nullable=False),
    Index("timers_due", "shard", "due_at"),
)
Table(
    "effects",
    metadata,
    Column("event_id", String(36), primary_key=True),
    Column("shard", SmallInteger, nullable=False),
    Column("stream", String, nullable=False),
    Column("borrower_id", String, nullable=False),
    Column("kind", String, nullable=False),
    Column("at", _AT, nullable=False),
    Column("sent_at", _AT),
    Column("in_doubt", Boolean, nullable=False, server_default="false"),
    Index("effects_borrower", "shard", "borrower_id"),
)
Table(
    "cursors",
    metadata,
    Column("shard", SmallInteger, primary_key=True),
    Column("published_seq", BigInteger, nullable=False, server_default="0"),
    postgresql_with={"fillfactor": "20"},
)
Table(
    "workers",
    metadata,
    Column("worker", String, primary_key=True),
    Column("alive_until", _AT, nullable=False),
)
Table(
    "feed_leases",
    metadata,
    Column("partition", SmallInteger, primary_key=True),
    Column("owner", String),
    Column("lease_until", _AT),
)
Table(
    "refused",
    metadata,
    Column("number", BigInteger, primary_key=True, autoincrement=True),
    Column("origin", String, nullable=False, unique=True),
    Column("reason", String, nullable=False),
    Column("field", String),
    Column("fact_id", String),
    Column("borrower_id", String),
    Column("day", Date),
    Column("value", LargeBinary),
    Column("refused_at", _AT, nullable=False),
    Column("bytes_expire_at", _AT, nullable=False),
    Index("refused_bytes", "bytes_expire_at", postgresql_where=text("value IS NOT NULL")),
)
Table(
    "duplicates",
    metadata,
    Column("origin", String, primary_key=True),
    Column("event_id", String(36), nullable=False),
)
Table(
    "parked",
    metadata,
    Column("number", BigInteger, primary_key=True, autoincrement=True),
    Column("shard", SmallInteger, nullable=False),
    Column("borrower_id", String, nullable=False),
    Column("error", String, nullable=False),
    Column("first", Boolean, nullable=False),
    Column("day", Date, nullable=False),
    Column("row_id", BigInteger, nullable=False),
    Column("at", _AT, nullable=False),
    Column("rank", SmallInteger, nullable=False),
    Column("order_key", LargeBinary, nullable=False),
    Column("origin", String, nullable=False),
    Column("value", LargeBinary, nullable=False),
    Column("parked_at", _AT, nullable=False),
    Index("parked_borrower", "shard", "borrower_id"),
)
Table(
    "projections",
    metadata,
    Column("name", String, primary_key=True),
    Column("key", String, primary_key=True),
    Column("shard", SmallInteger, nullable=False),
    Column("row", LargeBinary, nullable=False),
)
Table(
    "projection_cursors",
    metadata,
    Column("name", String, primary_key=True),
    Column("shard", SmallInteger, primary_key=True),
    Column("version", Integer, nullable=False),
    Column("seq", BigInteger, nullable=False),
)
Table(
    "idempotency",
    metadata,
    Column("key", String, primary_key=True),
    Column("actor", String, primary_key=True),
    Column("input_hmac", LargeBinary, nullable=False),
    Column("status", Integer, nullable=False),
    Column("body", LargeBinary, nullable=False),
    Column("created_at", _AT, nullable=False),
    Index("idempotency_age", "created_at"),
)
Table(
    "settings",
    metadata,
    Column("name", String, primary_key=True),
    Column("value", String, nullable=False),
)

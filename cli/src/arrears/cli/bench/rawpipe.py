"""The raw pipe: what the same bytes cost without any domain logic.

Records are read from a topic, decoded, inserted into a table like the event store's (same columns,
same indexes) with the position in the same transaction, and published again, batch by batch. It is
there twice: plainly, and as quickly as we know how.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Final

import asyncpg
from msgspec import Struct

from arrears.cli.bench.apart import Moved, moved_since
from arrears.shared.eventstore.codec import read_columns
from arrears.shared.eventstore.pool import open_pool
from arrears.shared.eventstore.sql import EVENT_COLUMNS
from arrears.shared.kafka.adapter import KafkaBus
from arrears.shared.kafka.settings import KafkaSettings
from arrears.shared.kafka.topics import FOR_EVER
from arrears.shared.kernel.ids import SHARD_COUNT
from arrears.shared.runtime.bus import Bus, Outgoing, Record, TopicPartition

BATCH: Final = 2000
_TABLES: Final = """
    DROP TABLE IF EXISTS raw_events, raw_positions;
    CREATE TABLE raw_events (LIKE events INCLUDING ALL);
    CREATE TABLE raw_positions (partition smallint PRIMARY KEY, position bigint NOT NULL)
"""
_DROP: Final = "DROP TABLE raw_events, raw_positions"
_MOVE: Final = """
    INSERT INTO raw_positions SELECT * FROM unnest($1::smallint[], $2::bigint[])
    ON CONFLICT (partition) DO UPDATE SET position = excluded.position
"""
_INSERT: Final = f"""
    INSERT INTO raw_events ({", ".join(EVENT_COLUMNS)})
    SELECT * FROM unnest(
        $1::smallint[], $2::bigint[], $3::text[], $4::int[], $5::text[], $6::text[], $7::text[],
        $8::date[], $9::bytea[]
    )
"""
Connection = asyncpg.pool.PoolConnectionProxy | asyncpg.Connection


class _Manner(Struct, frozen=True):
    """`meanwhile`: a batch is published while the next one is read."""

    insert: Callable[[Connection, Sequence[tuple[object, ...]]], Awaitable[None]]
    publishes: bool
    meanwhile: bool


class _Batch(Struct):
    rows: list[tuple[object, ...]]
    outgoing: dict[TopicPartition, list[Outgoing]]
    positions: dict[int, int]


def raw_topic(source: str) -> str:
    """Its name is one of ours, so that it is deleted with ours."""
    return f"arrears.bench-{source.split('.')[1]}.v1"


async def raw_pipe(kafka: dict[str, str], dsn: str, source: str) -> Moved:
    """The pipe that speed is asked beside: every record of `source`, one step after the other, and
    one statement that inserts a batch (`unnest`)."""
    return await _whole(kafka, dsn, source, _Manner(_unnested, publishes=True, meanwhile=False))


async def quick_pipe(
    kafka: dict[str, str],
    dsn: str,
    source: str,
    publishes: bool,
    first: Mapping[int, int] | None = None,
) -> Moved:
    """The same with what our services do for speed: COPY, and a batch is published while the next
    is read. Of each partition from `first` on, where it is given.

    Without publishing it is what a rebuild at least must do.
    """
    manner = _Manner(_copied, publishes=publishes, meanwhile=True)
    return await _whole(kafka, dsn, source, manner, first)


async def _unnested(connection: Connection, rows: Sequence[tuple[object, ...]]) -> None:
    await connection.execute(_INSERT, *(list(column) for column in zip(*rows, strict=True)))


async def _copied(connection: Connection, rows: Sequence[tuple[object, ...]]) -> None:
    await connection.copy_records_to_table("raw_events", records=rows, columns=EVENT_COLUMNS)


async def _whole(
    kafka: dict[str, str],
    dsn: str,
    source: str,
    manner: _Manner,
    first: Mapping[int, int] | None = None,
) -> Moved:
    bus = KafkaBus(KafkaSettings.from_env(kafka))
    pool = await open_pool(dsn, max_size=1)
    try:
        for statement in _TABLES.split(";"):
            await pool.execute(statement)
        target = raw_topic(source) if manner.publishes else None
        if target is not None:
            await bus.ensure_topic(target, partitions=SHARD_COUNT, retention_ms=FOR_EVER)
        moved = await _move(bus, pool, source, target, manner, first or {})
        await pool.execute(_DROP)
        return moved
    finally:
        await bus.close()
        await pool.close()


async def _move(
    bus: Bus,
    pool: asyncpg.Pool,
    source: str,
    target: str | None,
    manner: _Manner,
    first: Mapping[int, int],
) -> Moved:
    bounds = await bus.bounds(source)
    begins = {place: first.get(place.partition, start) for place, (start, _) in bounds.items()}
    left = {place: end for place, (_, end) in bounds.items() if end > begins[place]}
    listener, publisher = bus.listener("bench.raw"), bus.publisher()
    await listener.assign({place: begins[place] for place in left})
    count, begun = 0, 0.0
    publishing: asyncio.Task[None] | None = None
    while left:
        polled = await listener.poll(records_max=BATCH, wait_seconds=1.0)
        begun = begun or time.perf_counter()
        batch = _batch(polled, target)
        async with pool.acquire() as connection, connection.transaction():
            await manner.insert(connection, batch.rows)
            await connection.execute(_MOVE, list(batch.positions), list(batch.positions.values()))
        if publishing is not None:
            await publishing
        if target is not None:
            publishing = asyncio.create_task(publisher.publish(batch.outgoing))
            if not manner.meanwhile:
                await publishing
        count += len(batch.rows)
        for place, records in polled.items():
            if records and records[-1].offset + 1 >= left[place]:
                del left[place]
    if publishing is not None:
        await publishing
    return moved_since(count, begun)


def _batch(
    polled: Mapping[TopicPartition, Sequence[Record]],
    target: str | None,
) -> _Batch:
    batch = _Batch([], {}, {})
    for place, records in polled.items():
        out: list[Outgoing] = []
        for record in records:
            seen = read_columns(record.value)
            seq = record.offset + 1
            batch.rows.append(
                (
                    place.partition,
                    seq,
                    seen.stream,
                    seen.streamversion,
                    seen.id,
                    seen.type,
                    seen.partitionkey,
                    seen.businessday,
                    record.value,
                )
            )
            if target is not None:
                out.append(Outgoing(key=record.key or b"", value=record.value, seq=seq))
        if target is not None:
            batch.outgoing[TopicPartition(target, place.partition)] = out
        if records:
            batch.positions[place.partition] = records[-1].offset + 1
    return batch

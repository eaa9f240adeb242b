"""The raw pipe: what the same bytes cost without any domain logic.

Records are read from a topic, decoded, inserted into a table like the event store's (same columns,
same indexes) with the position in the same transaction, and published again, batch by batch.
"""

import asyncio
import time
from datetime import date

import asyncpg
from msgspec import Struct
from msgspec.json import Decoder

from arrears.shared.runtime.bus import Bus, Outgoing, Record, TopicPartition

BATCH = 2000
_TABLE = """
    CREATE TABLE raw_events (LIKE events INCLUDING ALL);
    CREATE TABLE raw_positions (partition smallint PRIMARY KEY, position bigint NOT NULL)
"""
_MOVE = """
    INSERT INTO raw_positions SELECT * FROM unnest($1::smallint[], $2::bigint[])
    ON CONFLICT (partition) DO UPDATE SET position = excluded.position
"""
_COLUMNS = (
    "shard",
    "seq",
    "stream",
    "version",
    "event_id",
    "type",
    "borrower_id",
    "business_day",
    "value",
)


class _Seen(Struct):
    """What the raw pipe decodes: the attributes that fill the same columns."""

    id: str
    type: str
    partitionkey: str
    stream: str
    streamversion: int
    businessday: date


async def raw_pipe(bus: Bus, pool: asyncpg.Pool, source: str, target: str) -> tuple[int, float]:
    """Move every record of `source` to `target`; how many, and in how many seconds."""
    await pool.execute("DROP TABLE IF EXISTS raw_events, raw_positions")
    for statement in _TABLE.split(";"):
        await pool.execute(statement)
    bounds = await bus.bounds(source)
    left = {place: end for place, (_, end) in bounds.items() if end}
    listener = bus.listener("bench.raw")
    publisher = bus.publisher()
    await listener.assign({place: bounds[place][0] for place in left})
    decode = Decoder(_Seen).decode
    moved, begun = 0, 0.0
    publishing: asyncio.Task[None] | None = None
    try:
        while left:
            polled = await listener.poll(records_max=BATCH, wait_seconds=1.0)
            begun = begun or time.perf_counter()
            rows, outgoing, positions = _batch(decode, polled, target)
            async with pool.acquire() as connection, connection.transaction():
                await connection.copy_records_to_table("raw_events", records=rows, columns=_COLUMNS)
                await connection.execute(_MOVE, list(positions), list(positions.values()))
            if publishing is not None:
                await publishing
            publishing = asyncio.create_task(publisher.publish(outgoing))
            moved += len(rows)
            for place, records in polled.items():
                if records and records[-1].offset + 1 >= left[place]:
                    del left[place]
        if publishing is not None:
            await publishing
        return moved, time.perf_counter() - begun
    finally:
        await listener.close()
        await publisher.close()


def _batch(  # type: ignore[no-untyped-def]
    decode, polled, target: str
) -> tuple[list[tuple[object, ...]], dict[TopicPartition, list[Outgoing]], dict[int, int]]:
    rows: list[tuple[object, ...]] = []
    outgoing: dict[TopicPartition, list[Outgoing]] = {}
    positions: dict[int, int] = {}
    for place, records in polled.items():
        out = outgoing.setdefault(TopicPartition(target, place.partition), [])
        record: Record
        for record in records:
            seen = decode(record.value)
            seq = record.offset + 1
            rows.append(
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
            out.append(Outgoing(key=record.key or b"", value=record.value, seq=seq))
        if records:
            positions[place.partition] = records[-1].offset + 1
    return rows, outgoing, positions

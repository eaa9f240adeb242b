"""The rows of the bench. Each empties the ground, runs the service, and measures beside it."""

import asyncio
import time
from collections.abc import Callable, Coroutine
from datetime import date, timedelta
from statistics import median
from typing import Any, Final

from msgspec import Struct
from msgspec.json import decode

from arrears.cli.bench.ground import BenchGround, watch
from arrears.cli.bench.rawpipe import raw_pipe
from arrears.cli.feed.generate import generate
from arrears.cli.feed.importing import closing_line, partition_of
from arrears.shared.kafka.topics import FOR_EVER
from arrears.shared.kernel.business_day import BankCalendar
from arrears.shared.kernel.ids import SHARD_COUNT
from arrears.shared.runtime.bus import Outgoing

FEED_PARTITIONS: Final = 4
SEED: Final = 7
LOANS: Final = 8000
EMPTY_DAYS: Final = 548
RAW_TOPIC: Final = "bench.raw.v1"
RAW_ROUNDS: Final = 3


class Row(Struct, frozen=True):
    """One line of the table. `ratio` is this value to the one of `beside`, where there is one."""

    name: str
    value: float
    unit: str
    ratio: float | None = None
    beside: str | None = None
    must: str | None = None


class _Keyed(Struct):
    partitionkey: str


async def live_one_worker(ground: BenchGround) -> list[Row]:
    """feed -> intake store -> topic, one worker, the wall clock."""
    return await _intake(ground, "live", "feed_to_topic_live", ">= 0.35")


async def feed_one_worker(ground: BenchGround) -> list[Row]:
    """The same under the feed's clock: through the agenda, one business day of facts."""
    return await _intake(ground, "feed", "feed_to_topic_feed", ">= 0.2")


async def _intake(ground: BenchGround, clock: str, name: str, must: str) -> list[Row]:
    ground.say(f"{name}: filling the feed topic")
    await asyncio.to_thread(ground.prepare, clock)
    lines = list(generate(SEED, LOANS))
    batch: dict[int, list[Outgoing]] = {}
    for line in lines:
        key = decode(line, type=_Keyed).partitionkey.encode()
        batch.setdefault(partition_of(key, FEED_PARTITIONS), []).append(
            Outgoing(key=key, value=line)
        )
    day = date(2026, 1, 1)
    if clock == "feed":
        for part in range(FEED_PARTITIONS):
            batch[part].append(Outgoing(key=b"", value=_closing(day, day)))
    count = await ground.fill_feed([batch])
    pool = await ground.pool("intake")
    bus = ground.bus()
    try:
        ground.say(f"{name}: {count} records through intake")
        ground.start("intake", "worker", "intake-1")
        rate = await watch(pool, records=count, until_closed=clock == "feed")
        ground.stop()
        await bus.ensure_topic(RAW_TOPIC, partitions=SHARD_COUNT, retention_ms=FOR_EVER)
        raw = []
        for number in range(RAW_ROUNDS):
            ground.say(f"{name}: the raw pipe with the same bytes, {number + 1} of {RAW_ROUNDS}")
            moved, seconds = await raw_pipe(bus, pool, "arrears.intake.v1", RAW_TOPIC)
            raw.append(moved / seconds)
    finally:
        await bus.close()
        await pool.close()
    beside = f"raw pipe {median(raw):,.0f} events/s"
    out = Row(name, rate.per_second, "events out/s", rate.per_second / median(raw), beside, must)
    facts = count / max(rate.ended - rate.begun, 1e-9)
    return [out, Row(f"{name}_records", facts, "records in/s")]


async def empty_days(ground: BenchGround) -> list[Row]:
    """548 empty business days through all services."""
    ground.say(f"empty_days: {EMPTY_DAYS} closings through all five services")
    await asyncio.to_thread(ground.prepare, "feed")
    first = date(2024, 1, 1)
    last = first + timedelta(days=EMPTY_DAYS - 1)
    for service in ("intake", "contact", "mediation", "legal", "history"):
        ground.start(service, "run", service)
    pools = [await ground.pool(name) for name in ("intake", "contact", "mediation", "legal")]
    try:
        await ground.fill_feed([_closings(first, first)])
        await _closed(pools, first)
        begun = time.perf_counter()
        days = (first + timedelta(days=number) for number in range(1, EMPTY_DAYS))
        await ground.fill_feed([_closings(first, day) for day in days])
        await _closed(pools, last)
        seconds = time.perf_counter() - begun
    finally:
        for pool in pools:
            await pool.close()
        ground.stop()
    return [
        Row("empty_days", seconds, "s", must="<= 30"),
        Row("empty_day", seconds / EMPTY_DAYS * 1000, "ms a day"),
    ]


async def _closed(pools, day: date) -> None:  # type: ignore[no-untyped-def]
    for pool in pools:
        while True:
            open_day = await pool.fetchval("SELECT min(coalesce(open_day, $1)) FROM shards", day)
            if open_day > day:
                break
            await pool.execute("SELECT pg_sleep(0.02)")


def _closings(first: date, day: date) -> dict[int, list[Outgoing]]:
    return {
        part: [Outgoing(key=b"", value=_closing(first, day))] for part in range(FEED_PARTITIONS)
    }


def _closing(first: date, day: date) -> bytes:
    return closing_line(day, first, FEED_PARTITIONS, BankCalendar("Asia/Shanghai"))


ROWS: Final[dict[str, Callable[[BenchGround], Coroutine[Any, Any, list[Row]]]]] = {
    "live_one_worker": live_one_worker,
    "feed_one_worker": feed_one_worker,
    "empty_days": empty_days,
}

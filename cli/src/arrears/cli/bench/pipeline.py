"""Feed -> intake -> topic, by one worker and by two; and on through contact to contact's topic."""

import asyncio
import time
from datetime import date
from statistics import median
from typing import Final

import asyncpg

from arrears.cli.bench.apart import Moved, apart, together
from arrears.cli.bench.ground import (
    LOOK_SECONDS,
    PATIENCE_SECONDS,
    BenchGround,
    Rate,
    is_idle,
    look,
    watch,
)
from arrears.cli.bench.lines import FEED_PARTITIONS, Batch, closings, count_of, portfolio
from arrears.cli.bench.rawpipe import quick_pipe, raw_pipe
from arrears.cli.bench.row import Pair, Row, beside
from arrears.shared.kafka.topics import event_topic
from arrears.shared.kernel.ids import SHARD_COUNT

LOANS: Final = 8000
INTAKE_TOPIC: Final = event_topic("intake").name
CONTACT_TOPIC: Final = event_topic("contact").name
_HELD: Final = """
    SELECT (SELECT count(DISTINCT owner) FROM shards), (SELECT count(owner) FROM shards),
           (SELECT max(n) FROM (SELECT count(*) AS n FROM shards GROUP BY owner) AS s),
           (SELECT count(DISTINCT owner) FROM feed_leases), (SELECT count(owner) FROM feed_leases)
"""


async def live_one_worker(ground: BenchGround) -> list[Row]:
    """feed -> intake store -> topic, one worker, the wall clock."""
    return await _beside_the_pipe(ground, "live", "feed_to_topic_live", ">= 0.5")


async def feed_one_worker(ground: BenchGround) -> list[Row]:
    """The same under the feed's clock: through the agenda, one business day of facts."""
    return await _beside_the_pipe(ground, "feed", "feed_to_topic_feed", ">= 0.3")


async def _beside_the_pipe(ground: BenchGround, clock: str, name: str, must: str) -> list[Row]:
    batch = portfolio(ground.sized(LOANS))
    if clock == "feed":
        day = date(2026, 1, 1)
        for part, records in closings(day, day).items():
            batch[part].extend(records)
    rounds, quickly, heard = [], [], []
    for number in range(1, ground.rounds + 1):
        ground.say(f"{name}: {count_of(batch)} records through intake, {number} of {ground.rounds}")
        rate = await through_intake(ground, batch, clock)
        place = (ground.kafka, ground.dsn("intake"), INTAKE_TOPIC)
        raw, quick = await apart(raw_pipe, *place), await apart(quick_pipe, *place, True)
        rounds.append(Pair(rate.per_second, raw.per_second))
        quickly.append(Pair(rate.per_second, quick.per_second))
        heard.append(count_of(batch) / rate.seconds)
    return [
        beside(name, "events/s", rounds, "raw pipe", must),
        beside(f"{name}_quick", "events/s", quickly, "quick pipe", None),
        Row(f"{name}_records", median(heard), "records in/s"),
    ]


async def through_intake(ground: BenchGround, batch: Batch, clock: str = "live") -> Rate:
    """A feed that is there when the worker starts; the worker is gone when this returns."""
    await asyncio.to_thread(ground.prepare, clock)
    await ground.fill_feed([batch])
    pool = await ground.pool("intake")
    try:
        ground.start("intake", "worker", "intake-1")
        return await watch(pool, records=count_of(batch), until_closed=clock == "feed")
    finally:
        await pool.close()
        await asyncio.to_thread(ground.stop)


# --- Two workers


async def two_workers(ground: BenchGround) -> list[Row]:
    """Two processes share the shards; beside one, with the feed sent when they hold them."""
    batch = portfolio(ground.sized(LOANS))
    rounds, shares = [], ""
    for number in range(1, ground.rounds + 1):
        ground.say(f"two_workers: one, then two, {number} of {ground.rounds}")
        one, _ = await _shared_out(ground, batch, 1)
        two, shares = await _shared_out(ground, batch, 2)
        rounds.append(Pair(two, one))
    also = f"; cores used with two: {shares}"
    return [beside("two_workers", "events/s", rounds, "one worker", ">= 1.5", also)]


async def _shared_out(ground: BenchGround, batch: Batch, workers: int) -> tuple[float, str]:
    """Events a second, and the cores that each part of the machine took meanwhile."""
    await asyncio.to_thread(ground.prepare, "live")
    pool = await ground.pool("intake")
    try:
        for number in range(1, workers + 1):
            ground.start("intake", "worker", f"intake-{number}")
        await _even(pool, workers)
        before, begun = ground.cpu_seconds(), time.perf_counter()
        await ground.fill_feed([batch])
        rate = await watch(pool, records=count_of(batch))
        seconds = time.perf_counter() - begun
        used = {name: (now - before[name]) / seconds for name, now in ground.cpu_seconds().items()}
    finally:
        await pool.close()
        await asyncio.to_thread(ground.stop)
    return rate.per_second, ", ".join(f"{name} {share:.2f}" for name, share in used.items())


async def _even(pool: asyncpg.Pool, workers: int) -> None:
    """Wait until every worker has its share of the shards and of the feed's partitions."""
    patience = time.monotonic() + PATIENCE_SECONDS
    wanted = (workers, SHARD_COUNT, SHARD_COUNT // workers, workers, FEED_PARTITIONS)
    while tuple(await pool.fetchrow(_HELD) or ()) != wanted:
        if time.monotonic() > patience:
            raise TimeoutError("the workers did not share the shards evenly")
        await asyncio.sleep(LOOK_SECONDS)


# --- Two hops


async def two_hops(ground: BenchGround) -> list[Row]:
    """feed -> intake -> contact, until contact has published what it made of all of it."""
    batch = portfolio(ground.sized(LOANS))
    rounds, quickly = [], []
    for number in range(1, ground.rounds + 1):
        ground.say(f"two_hops: {count_of(batch)} records, {number} of {ground.rounds}")
        ours = (await _two_hops(ground, batch)).per_second
        first = (ground.kafka, ground.dsn("intake"), INTAKE_TOPIC)
        second = (ground.kafka, ground.dsn("contact"), CONTACT_TOPIC)
        raw = await asyncio.gather(apart(raw_pipe, *first), apart(raw_pipe, *second))
        quick = await asyncio.gather(
            apart(quick_pipe, *first, True), apart(quick_pipe, *second, True)
        )
        rounds.append(Pair(ours, together(raw).per_second))
        quickly.append(Pair(ours, together(quick).per_second))
    return [
        beside("two_hops", "events/s", rounds, "two raw pipes at once", ">= 0.4"),
        beside("two_hops_quick", "events/s", quickly, "two quick pipes at once", None),
    ]


async def _two_hops(ground: BenchGround, batch: Batch) -> Moved:
    await asyncio.to_thread(ground.prepare, "live")
    records = await ground.fill_feed([batch])
    intake, contact = await ground.pool("intake"), await ground.pool("contact")
    patience = time.monotonic() + PATIENCE_SECONDS
    begun, before = 0.0, 0
    try:
        for service in ("intake", "contact"):
            ground.start(service, "worker", f"{service}-1")
        while time.monotonic() < patience:
            first, second = await look(intake), await look(contact, INTAKE_TOPIC)
            done = first.published + second.published
            if not begun and first.events:
                begun, before = first.at, done
            out = first.is_out(records) and second.is_out(first.published) and second.events
            if out and await is_idle(intake) and await is_idle(contact):
                return Moved(done - before, begun, second.at)
            await asyncio.sleep(LOOK_SECONDS)
        raise TimeoutError("contact did not come to the end of intake's topic")
    finally:
        await intake.close()
        await contact.close()
        await asyncio.to_thread(ground.stop)

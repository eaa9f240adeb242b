"""All five services under the feed's clock: a real portfolio's years, and days with nothing."""

import asyncio
import time
from datetime import date, timedelta
from itertools import islice
from pathlib import Path
from typing import Final

import asyncpg

from arrears.cli.bench.ground import LOOK_SECONDS, PATIENCE_SECONDS, BenchGround
from arrears.cli.bench.lines import CALENDAR, closings
from arrears.cli.bench.row import Row, left_out
from arrears.cli.client.installation import SERVICES, STAGES
from arrears.cli.feed.importer import Importer
from arrears.cli.feed.importing import Survey, survey
from arrears.cli.feed.lines import read_feed
from arrears.shared.kafka.settings import KafkaSettings

FEED_FILE: Final = Path("shared/data/uci-taiwan/taiwan.jsonl.gz")
"""Beside the checkout."""
EMPTY_DAYS: Final = 548
_CLOSED: Final = """
    SELECT CASE WHEN bool_and(closed_day IS NOT NULL) THEN min(closed_day) END FROM positions
"""
_HEARD: Final = "SELECT sum(last_seq)::bigint FROM positions"
_DECIDED: Final = "SELECT sum(last_seq)::bigint FROM shards"


async def whole_path(ground: BenchGround) -> list[Row]:
    """A real portfolio through all five services, and the processor time of each event."""
    given = ground.checkout.parent / FEED_FILE
    if not given.is_file():
        return [left_out("whole_path", f"there is no ../{FEED_FILE}")]
    await asyncio.to_thread(ground.prepare, "feed")
    file = _part_of(given, ground)
    found = survey(read_feed(file), CALENDAR)
    assert found.last_day is not None
    _start_all(ground)
    history = await ground.pool("history")
    try:
        await _all_up(history)
        ground.say(f"whole_path: {found.lines} facts through all five services")
        before, begun = ground.cpu_seconds(), time.perf_counter()
        sending = asyncio.create_task(_send(ground, file, found))
        await _until_closed(history, found.last_day, sending)
        seconds = time.perf_counter() - begun
        used = {name: now - before[name] for name, now in ground.cpu_seconds().items()}
        heard = await history.fetchval(_HEARD)
    finally:
        await history.close()
        await asyncio.to_thread(ground.stop)
    counts = {name: await _decided(ground, name) for name in STAGES} | {"history": heard}
    return told(found.lines, seconds, counts, used)


def told(facts: int, seconds: float, counts: dict[str, int], used: dict[str, float]) -> list[Row]:
    """The rows of a run. Broker and database work for all: theirs is by event of all services."""
    every = counts["history"]
    rows = [
        Row("whole_path", seconds / 60, "minutes", beside=f"{facts:,} facts, {every:,} events"),
        Row("whole_path_facts", facts / seconds, "facts in/s"),
        Row("whole_path_events", every / seconds, "events out/s"),
    ]
    for name, cpu in used.items():
        each = cpu / max(counts.get(name, every), 1) * 1e6
        share = f"{cpu / seconds:.2f} cores, {counts.get(name, every):,} events"
        rows.append(Row(f"whole_path_cpu_{name}", each, "us of CPU an event", beside=share))
    return rows


def _part_of(given: Path, ground: BenchGround) -> Path:
    """The first lines of the file, where the run is a short one."""
    if ground.scale >= 1:
        return given
    part = ground.installation.folder.local / "part.jsonl"
    count = sum(1 for _ in read_feed(given))
    with part.open("wb") as out:
        for line in islice(read_feed(given), ground.sized(count)):
            out.write(line.value + b"\n")
    return part


async def _send(ground: BenchGround, file: Path, found: Survey) -> None:
    bus = ground.bus()
    try:
        await Importer(bus, KafkaSettings.from_env(ground.kafka), CALENDAR).send(file, found=found)
    finally:
        await bus.close()


async def _decided(ground: BenchGround, service: str) -> int:
    pool = await ground.pool(service)
    try:
        return int(await pool.fetchval(_DECIDED))
    finally:
        await pool.close()


async def _until_closed(history: asyncpg.Pool, day: date, sending: "asyncio.Task[None]") -> None:
    patience = time.monotonic() + PATIENCE_SECONDS
    while (closed := await history.fetchval(_CLOSED)) is None or closed < day:
        if sending.done():
            sending.result()
        if time.monotonic() > patience:
            raise TimeoutError(f"{day} is not closed in every service, only {closed}")
        await asyncio.sleep(LOOK_SECONDS)
    await sending


def _start_all(ground: BenchGround) -> None:
    for service in SERVICES:
        ground.start(service, "run", service)


async def _all_up(history: asyncpg.Pool) -> None:
    """History writes the places that it will hear when it starts; it is the last to do so."""
    patience = time.monotonic() + PATIENCE_SECONDS
    while not await history.fetchval("SELECT count(*) FROM positions"):
        if time.monotonic() > patience:
            raise TimeoutError("history did not start")
        await asyncio.sleep(LOOK_SECONDS)


async def empty_days(ground: BenchGround) -> list[Row]:
    """548 empty business days through all services."""
    count = ground.sized(EMPTY_DAYS, 2)
    ground.say(f"empty_days: {count} closings through all five services")
    await asyncio.to_thread(ground.prepare, "feed")
    first = date(2024, 1, 1)
    last = first + timedelta(days=count - 1)
    _start_all(ground)
    pools = [await ground.pool(name) for name in STAGES]
    try:
        await ground.fill_feed([closings(first, first)])
        await _closed(pools, first)
        begun = time.perf_counter()
        days = (first + timedelta(days=number) for number in range(1, count))
        await ground.fill_feed([closings(first, day) for day in days])
        await _closed(pools, last)
        seconds = time.perf_counter() - begun
    finally:
        for pool in pools:
            await pool.close()
        await asyncio.to_thread(ground.stop)
    return [
        Row("empty_days", seconds, "s", beside=f"{count} days", must="<= 30"),
        Row("empty_day", seconds / count * 1000, "ms a day"),
    ]


async def _closed(pools: list[asyncpg.Pool], day: date) -> None:
    patience = time.monotonic() + PATIENCE_SECONDS
    for pool in pools:
        while (await pool.fetchval("SELECT min(open_day) FROM shards") or day) <= day:
            if time.monotonic() > patience:
                raise TimeoutError(f"{day} is not closed in every stage")
            await asyncio.sleep(LOOK_SECONDS)

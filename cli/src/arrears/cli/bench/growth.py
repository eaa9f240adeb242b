"""Does it stay as fast, and as small, with ten times as many cases in the store?"""

import asyncio
from typing import Final

import asyncpg
from msgspec import Struct

from arrears.cli.bench.apart import apart
from arrears.cli.bench.ground import BenchGround, look, watch
from arrears.cli.bench.lines import SEED, Batch, count_of, new_loans, portfolio
from arrears.cli.bench.pipeline import INTAKE_TOPIC
from arrears.cli.bench.rawpipe import quick_pipe
from arrears.cli.bench.row import Row
from arrears.shared.service.clock import wall_clock

SIZES: Final = (10_000, 100_000)
ON_TO_A_MILLION: Final = (400_000, 1_000_000)
"""The first of them is more than the worker keeps streams in memory."""
LOANS: Final = 6000
WORKER: Final = "intake-1"


class Grown(Struct, frozen=True):
    """What was seen with so many cases in the store, and the quick pipe's speed right after."""

    cases: int
    per_second: float
    raw_per_second: float
    resident_mb: float

    @property
    def share(self) -> float:
        return self.per_second / self.raw_per_second


async def growth(ground: BenchGround) -> list[Row]:
    """The same worker throughout; at each size so many whole stories of other loans are sent."""
    sizes = (*SIZES, *ON_TO_A_MILLION) if ground.million else SIZES
    await asyncio.to_thread(ground.prepare, "live")
    pool = await ground.pool("intake")
    found: list[Grown] = []
    sent = cases = 0
    try:
        ground.start("intake", "worker", WORKER)
        for number, full in enumerate(sizes, start=1):
            size = ground.sized(full)
            ground.say(f"growth: on to {size:,} cases")
            sent += await _heard(ground, pool, sent, cases, size)
            cases = size
            batch = portfolio(ground.sized(LOANS), SEED + number)
            sent += count_of(batch)
            found.append(await _grown(ground, pool, batch, sent, size))
    finally:
        await pool.close()
        await asyncio.to_thread(ground.stop)
    return _told(found, million=ground.million)


async def _grown(
    ground: BenchGround, pool: asyncpg.Pool, batch: Batch, sent: int, cases: int
) -> Grown:
    before, said = await look(pool), await _ends(ground)
    await ground.fill_feed([batch])
    rate = await watch(pool, records=sent, after=before.events)
    resident = ground.process(WORKER).memory_info().rss / 1e6
    raw = await apart(quick_pipe, ground.kafka, ground.dsn("intake"), INTAKE_TOPIC, True, said)
    return Grown(cases, rate.per_second, raw.per_second, resident)


async def _ends(ground: BenchGround) -> dict[int, int]:
    """Where each partition of intake's topic ends now."""
    bus = ground.bus()
    try:
        bounds = await bus.bounds(INTAKE_TOPIC)
        return {place.partition: end for place, (_, end) in bounds.items()}
    finally:
        await bus.close()


def _told(found: list[Grown], *, million: bool) -> list[Row]:
    """Throughput beside the quick pipe, compared with the same at the first size: between the sizes
    lie minutes, in which the machine changes its speed. Memory is compared with the size before."""
    first = before = found[0]
    rows = []
    for one in found:
        name = f"growth_{one.cases}_cases"
        told = f"{one.share:.2f} of the quick pipe, {first.share:.2f} at {first.cases:,}"
        if one is found[-1] and not million:
            told += "; 1 M with --million alone, because it takes long"
        must = None if one is first else ">= 0.8"
        rows.append(Row(name, one.per_second, "events/s", one.share / first.share, told, must))
        grown = one.resident_mb / before.resident_mb
        memory = f"{before.resident_mb:,.0f} MB at {before.cases:,}"
        rows.append(Row(f"{name}_memory", one.resident_mb, "MB resident", grown, memory))
        before = one
    return rows


async def _heard(ground: BenchGround, pool: asyncpg.Pool, sent: int, cases: int, size: int) -> int:
    """Open cases up to the size, and wait for the last of them; how many facts that took."""
    before = await look(pool)
    added = await ground.fill_feed(new_loans(range(cases, size), wall_clock()))
    await watch(pool, records=sent + added, after=before.events)
    return added

"""Does it stay as fast, and as small, with ten times as many cases in the store?"""

import asyncio
from typing import Final

import asyncpg
from msgspec import Struct

from arrears.cli.bench.ground import BenchGround, look, watch
from arrears.cli.bench.lines import SEED, count_of, new_loans, portfolio
from arrears.cli.bench.row import Row
from arrears.shared.service.clock import wall_clock

SIZES: Final = (10_000, 100_000)
MILLION: Final = 1_000_000
LOANS: Final = 6000
WORKER: Final = "intake-1"


class Grown(Struct, frozen=True):
    cases: int
    per_second: float
    resident_mb: float


async def growth(ground: BenchGround) -> list[Row]:
    """The same worker throughout; at each size so many whole stories of other loans are sent."""
    sizes = (*SIZES, MILLION) if ground.million else SIZES
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
            before = await look(pool)
            await ground.fill_feed([batch])
            sent += count_of(batch)
            rate = await watch(pool, records=sent, after=before.events)
            resident = ground.process(WORKER).memory_info().rss / 1e6
            found.append(Grown(size, rate.per_second, resident))
    finally:
        await pool.close()
        await asyncio.to_thread(ground.stop)
    return _told(found, million=ground.million)


def _told(found: list[Grown], *, million: bool) -> list[Row]:
    first = found[0]
    rows = []
    for one in found:
        name, beside = f"growth_{one.cases}_cases", f"{first.per_second:,.0f} at {first.cases:,}"
        must = None if one is first else ">= 0.8"
        if one is found[-1] and not million:
            beside += "; 1 M with --million alone, because it takes long"
        ratio = one.per_second / first.per_second
        rows.append(Row(name, one.per_second, "events/s", ratio, beside, must))
        memory = f"{first.resident_mb:,.0f} MB at {first.cases:,}"
        grown = one.resident_mb / first.resident_mb
        rows.append(Row(f"{name}_memory", one.resident_mb, "MB resident", grown, memory))
    return rows


async def _heard(ground: BenchGround, pool: asyncpg.Pool, sent: int, cases: int, size: int) -> int:
    """Open cases up to the size, and wait for the last of them; how many facts that took."""
    before = await look(pool)
    added = await ground.fill_feed(new_loans(range(cases, size), wall_clock()))
    await watch(pool, records=sent + added, after=before.events)
    return added

"""A take-over may last longer than a lease: the shards stay with the worker that takes them."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from types import SimpleNamespace
from typing import Any, cast

import asyncpg
import pytest

from arrears.shared.eventstore.leases import Leases, Turnover, make_rows
from arrears.shared.eventstore.memory import MemoryStore
from arrears.shared.eventstore.memory_leases import LeaseTable, MemoryLeases
from arrears.shared.eventstore.port import ShardState
from arrears.shared.kernel.ids import SHARD_COUNT, Shard
from arrears.shared.runtime.owner import Owner
from arrears.shared.service.worker import Worker

LEASE = 0.06
ASKED = 3


class SlowOwner:
    """Takes over until its leases were kept a few times, as it does where a topic is long."""

    def __init__(self, kept: asyncio.Event) -> None:
        self.stage = SimpleNamespace(name="slow")
        self.shards: list[Shard] = []
        self.ears = SimpleNamespace(feed=(), close=_nothing)
        self._kept = kept

    async def take(self, states: Sequence[ShardState], _feed: Sequence[int] = ()) -> None:
        await self._kept.wait()
        self.shards.extend(state.shard for state in states)


class FailingOwner(SlowOwner):
    async def take(self, states: Sequence[ShardState], _feed: Sequence[int] = ()) -> None:
        raise ConnectionError("the broker is away")


class CountingLeases:
    """Says once that everything was gained; counts how often it is kept."""

    def __init__(self) -> None:
        self.enough = asyncio.Event()
        self.count = 0

    async def step(self) -> Turnover:
        states = [ShardState(Shard(number), 0, 1, "one", None) for number in range(SHARD_COUNT)]
        return Turnover(gained=states)

    async def keep(self) -> None:
        self.count += 1
        if self.count == ASKED:
            self.enough.set()

    def forget(self) -> Sequence[Shard]:
        return ()

    async def release(self) -> None:
        return None


class NoProjections:
    async def take(self, shards: Sequence[Shard]) -> None:
        return None

    def drop(self, shards: Sequence[Shard]) -> None:
        return None

    async def step(self, _last_seqs: Any) -> bool:
        return False


async def _nothing() -> None:
    return None


async def test_the_lease_is_kept_while_a_take_over_lasts() -> None:
    leases = CountingLeases()
    owner = SlowOwner(leases.enough)
    worker = Worker(cast("Owner", owner), leases, NoProjections(), lease_seconds=LEASE)
    async with asyncio.timeout(5):
        await worker._turn_over(await leases.step())
    assert leases.count == ASKED
    assert len(owner.shards) == SHARD_COUNT


async def test_a_take_over_that_fails_fails_the_round() -> None:
    leases = CountingLeases()
    worker = Worker(
        cast("Owner", FailingOwner(leases.enough)), leases, NoProjections(), lease_seconds=LEASE
    )
    with pytest.raises(ConnectionError):
        await worker._turn_over(await leases.step())


async def test_kept_leases_are_not_free_for_another() -> None:
    now = [0.0]
    table = LeaseTable(MemoryStore(), lambda: now[0], feed_partitions=4)
    one, two = (MemoryLeases(table, name, seconds=10) for name in ("one", "two"))
    assert len((await one.step()).gained) == SHARD_COUNT
    now[0] = 9.0
    await one.keep()
    now[0] = 15.0
    gained = await two.step()
    assert (gained.gained, gained.feed_gained) == ([], [])
    now[0] = 20.0
    assert len((await two.step()).gained) == SHARD_COUNT


@pytest.fixture
def dsn(service_database: Callable[[str], str]) -> str:
    return service_database("intake")


@pytest.fixture
async def pool(dsn: str) -> AsyncIterator[asyncpg.Pool]:
    found = await asyncpg.create_pool(dsn, min_size=1, max_size=2)
    await make_rows(found, 4)
    yield found
    await found.close()


@pytest.mark.live
async def test_kept_leases_are_not_free_for_another_in_the_database(pool: asyncpg.Pool) -> None:
    one, two = (Leases(pool, name, seconds=60, feed_partitions=4) for name in ("one", "two"))
    assert len((await one.step()).gained) == SHARD_COUNT
    for table, column in (
        ("shards", "lease_until"),
        ("feed_leases", "lease_until"),
        ("workers", "alive_until"),
    ):
        await pool.execute(f"UPDATE {table} SET {column} = now() - interval '1 second'")
    await one.keep()
    gained = await two.step()
    assert (gained.gained, gained.feed_gained) == ([], [])

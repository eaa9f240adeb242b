"""Who owns which shards: leases in the service's own PostgreSQL (protocol 1.5).

A worker renews what it holds by epoch, gives up what is beyond its share, and claims what is free.
A claim raises the epoch, so whoever held the shard before can no longer commit to it.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from math import ceil
from typing import Final

import asyncpg

from arrears.shared.eventstore.pool import end_lost
from arrears.shared.eventstore.port import ShardState
from arrears.shared.kernel.ids import SHARD_COUNT, Shard

_ALIVE: Final = """
    INSERT INTO workers (worker, alive_until) VALUES ($1, now() + $2::interval)
    ON CONFLICT (worker) DO UPDATE SET alive_until = excluded.alive_until
"""
_COUNT: Final = "SELECT count(*) FROM workers WHERE alive_until > now()"
_FORGET: Final = "DELETE FROM workers WHERE worker = $1 OR alive_until < now() - interval '1 hour'"
_RENEW: Final = """
    UPDATE shards AS s SET lease_until = now() + $2::interval
    FROM unnest($3::smallint[], $4::bigint[]) AS h (shard, epoch)
    WHERE s.shard = h.shard AND s.epoch = h.epoch AND s.owner = $1
    RETURNING s.shard
"""
_RELEASE: Final = """
    UPDATE shards SET owner = NULL, lease_until = NULL
    WHERE owner = $1 AND shard = ANY($2::smallint[])
"""
_CLAIM: Final = """
    UPDATE shards SET owner = $1, epoch = epoch + 1, lease_until = now() + $2::interval
    WHERE shard IN (
        SELECT shard FROM shards
        WHERE (owner IS NULL OR lease_until < now() OR owner = $1) AND shard <> ALL($4::smallint[])
        ORDER BY shard LIMIT $3 FOR UPDATE SKIP LOCKED)
    RETURNING shard, last_seq, epoch, owner, open_day
"""
_RENEW_FEED: Final = """
    UPDATE feed_leases SET lease_until = now() + $2::interval
    WHERE owner = $1 AND partition = ANY($3::smallint[]) RETURNING partition
"""
_RELEASE_FEED: Final = """
    UPDATE feed_leases SET owner = NULL, lease_until = NULL
    WHERE owner = $1 AND partition = ANY($2::smallint[])
"""
_CLAIM_FEED: Final = """
    UPDATE feed_leases SET owner = $1, lease_until = now() + $2::interval
    WHERE partition IN (
        SELECT partition FROM feed_leases
        WHERE (owner IS NULL OR lease_until < now() OR owner = $1)
          AND partition <> ALL($4::smallint[])
        ORDER BY partition LIMIT $3 FOR UPDATE SKIP LOCKED)
    RETURNING partition
"""


@dataclass
class Turnover:
    """What one look at the leases changed."""

    gained: list[ShardState] = field(default_factory=list)
    lost: list[Shard] = field(default_factory=list)
    feed_gained: list[int] = field(default_factory=list)
    feed_lost: list[int] = field(default_factory=list)

    def __bool__(self) -> bool:
        return bool(self.gained or self.lost or self.feed_gained or self.feed_lost)


class Leases:
    """One worker's view of the leases. `worker` must be unique among running workers."""

    def __init__(
        self, pool: asyncpg.Pool, worker: str, *, seconds: float, feed_partitions: int = 0
    ) -> None:
        self._pool = pool
        self._worker = worker
        self._term = timedelta(seconds=seconds)
        self._feed_partitions = feed_partitions
        self._held: dict[Shard, int] = {}
        self._feed: set[int] = set()

    async def step(self) -> Turnover:
        """Renew, give up the surplus, claim what is free.

        A claim passes over rows that somebody has locked, so a session that nobody speaks to any
        more must be ended first.
        """
        turnover = Turnover()
        async with self._pool.acquire() as connection, connection.transaction():
            await end_lost(connection)
            await connection.execute(_ALIVE, self._worker, self._term)
            workers = max(1, await connection.fetchval(_COUNT))
            await self._shards(connection, ceil(SHARD_COUNT / workers), turnover)
            if self._feed_partitions:
                await self._partitions(connection, ceil(self._feed_partitions / workers), turnover)
        for shard in turnover.lost:
            del self._held[shard]
        self._held.update({state.shard: state.epoch for state in turnover.gained})
        self._feed.difference_update(turnover.feed_lost)
        self._feed.update(turnover.feed_gained)
        return turnover

    async def _shards(
        self, connection: asyncpg.pool.PoolConnectionProxy, share: int, turnover: Turnover
    ) -> None:
        shards = sorted(self._held)
        rows = await connection.fetch(
            _RENEW, self._worker, self._term, shards, [self._held[shard] for shard in shards]
        )
        kept = sorted(Shard(row[0]) for row in rows)
        surplus = kept[share:]
        if surplus:
            await connection.execute(_RELEASE, self._worker, surplus)
            kept = kept[:share]
        turnover.lost = [shard for shard in shards if shard not in kept]
        if len(kept) < share:
            rows = await connection.fetch(
                _CLAIM, self._worker, self._term, share - len(kept), [*kept, *surplus]
            )
            turnover.gained = [ShardState(*row) for row in rows]

    async def _partitions(
        self, connection: asyncpg.pool.PoolConnectionProxy, share: int, turnover: Turnover
    ) -> None:
        held = sorted(self._feed)
        rows = await connection.fetch(_RENEW_FEED, self._worker, self._term, held)
        kept = sorted(row[0] for row in rows)
        surplus = kept[share:]
        if surplus:
            await connection.execute(_RELEASE_FEED, self._worker, surplus)
            kept = kept[:share]
        turnover.feed_lost = [partition for partition in held if partition not in kept]
        if len(kept) < share:
            rows = await connection.fetch(
                _CLAIM_FEED, self._worker, self._term, share - len(kept), [*kept, *surplus]
            )
            turnover.feed_gained = [row[0] for row in rows]

    async def keep(self) -> None:
        """Prolong what is held, as long as a take-over lasts. What was lost, the next step says."""
        shards = sorted(self._held)
        epochs = [self._held[shard] for shard in shards]
        async with self._pool.acquire() as connection, connection.transaction():
            await connection.execute(_ALIVE, self._worker, self._term)
            await connection.execute(_RENEW, self._worker, self._term, shards, epochs)
            await connection.execute(_RENEW_FEED, self._worker, self._term, sorted(self._feed))

    def forget(self) -> Sequence[Shard]:
        """After a failure everything is dropped and claimed anew, under a new epoch."""
        held = sorted(self._held)
        self._held.clear()
        self._feed.clear()
        return held

    async def release(self) -> None:
        """Give everything up at once, so that nobody waits for the lease to run out."""
        async with self._pool.acquire() as connection, connection.transaction():
            await connection.execute(_RELEASE, self._worker, list(range(SHARD_COUNT)))
            await connection.execute(_RELEASE_FEED, self._worker, list(range(1024)))
            await connection.execute(_FORGET, self._worker)


async def make_rows(pool: asyncpg.Pool, feed_partitions: int) -> None:
    """The rows that leases, cursors and positions need; safe to repeat."""
    shards = list(range(SHARD_COUNT))
    for statement in (
        "INSERT INTO shards (shard) SELECT unnest($1::smallint[]) ON CONFLICT DO NOTHING",
        "INSERT INTO cursors (shard) SELECT unnest($1::smallint[]) ON CONFLICT DO NOTHING",
    ):
        await pool.execute(statement, shards)
    await pool.execute(
        "INSERT INTO feed_leases (partition) SELECT unnest($1::smallint[]) ON CONFLICT DO NOTHING",
        list(range(feed_partitions)),
    )

"""The clock of a database: fixed by its first start, turned from `feed` to `live` once, by a plan.

A plan can be looked at as often as one likes; carrying it out moves every shard's open day to
today, spreads the overdue timers and sets the clock, in one transaction or not at all.
"""

import os
from collections import Counter
from collections.abc import Sequence
from datetime import date, datetime
from itertools import islice
from typing import Any, Final, cast

import asyncpg
from msgspec import Struct, field
from msgspec.json import decode, encode

from arrears.shared.eventstore.codec import Codec, read_envelope
from arrears.shared.eventstore.port import Store, Timer
from arrears.shared.kafka.settings import BadSetting
from arrears.shared.kernel.ids import SHARD_COUNT, Shard, StreamName
from arrears.shared.runtime.overdue import Following, following, slots
from arrears.shared.runtime.stage import Clock, Stage
from arrears.shared.service.clock import wall_clock
from arrears.shared.service.opening import Service, opened
from arrears.shared.service.settings import Settings

BATCH: Final = 500
PER_HOUR: Final = 200
"""Overdue timers an hour, unless somebody wishes otherwise."""
_KEEP: Final = "INSERT INTO settings (name, value) VALUES ('clock', $1) ON CONFLICT DO NOTHING"
_SET: Final = """
    INSERT INTO settings (name, value) VALUES ($1, $2)
    ON CONFLICT (name) DO UPDATE SET value = excluded.value
"""
_STANDING: Final = """
    SELECT
        (SELECT value FROM settings WHERE name = 'clock') AS clock,
        (SELECT min(open_day) FROM shards) AS first_open_day,
        (SELECT max(open_day) FROM shards) AS last_open_day,
        (SELECT count(*) FROM workers WHERE alive_until > now()) AS workers,
        (SELECT count(*) FROM effects) AS effects,
        (SELECT sum(last_seq) FROM shards)::bigint
            - (SELECT coalesce(sum(published_seq), 0) FROM cursors)::bigint AS unpublished,
        (SELECT count(*) FROM agenda a JOIN shards s USING (shard) WHERE a.day < s.open_day)
            AS unhandled
"""
_MOVE_DAYS: Final = "UPDATE shards SET open_day = $1, epoch = epoch + 1 WHERE open_day < $1"
_SPREAD: Final = """
    UPDATE timers AS t SET due_at = n.due_at
    FROM unnest($1::smallint[], $2::text[], $3::timestamptz[], $4::timestamptz[])
        AS n (shard, stream, planned_at, due_at)
    WHERE t.shard = n.shard AND t.stream = n.stream AND t.due_at = n.planned_at
    RETURNING t.stream
"""


class TurnPlan(Struct, kw_only=True):
    """What turning the clock of one service means.

    `follows` counts events by wire name, `asks` effects by kind: what the overdue timers lead to
    if nothing else happens before their turn. `obstacles` forbid the turn. `moved_meanwhile` counts
    timers that something moved after they were planned: they stay where that put them.
    """

    service: str
    clock: str
    open_day: date | None
    to_day: date
    overdue: int = 0
    oldest: datetime | None = None
    first_at: datetime | None = None
    last_at: datetime | None = None
    per_hour: int
    follows: dict[str, int] = field(default_factory=dict)
    asks: dict[str, int] = field(default_factory=dict)
    fails: dict[str, int] = field(default_factory=dict)
    obstacles: list[str] = field(default_factory=list)
    turned: bool = False
    moved_meanwhile: int = 0


class Spread(Struct, frozen=True, kw_only=True):
    """Kept in the settings, so that a rebuild knows why these timers are later than computed."""

    first_at: datetime
    last_at: datetime
    per_hour: int
    approved_by: str
    made_at: datetime

    def explains(self, kept: datetime | None, computed: datetime | None) -> bool:
        """Whether a timer that waits for its turn is later than what its stream asks for."""
        if kept is None or computed is None:
            return False
        return self.first_at <= kept <= self.last_at and computed <= kept


async def keep_clock(pool: asyncpg.Pool, configured: Clock) -> None:
    """The first start fixes the clock of a database. Raises BadSetting where it is another one."""
    await pool.execute(_KEEP, configured)
    kept = await pool.fetchval("SELECT value FROM settings WHERE name = 'clock'")
    if kept != configured:
        way = "set ARREARS_CLOCK=live" if kept == "live" else "`arrears clock live` changes it"
        raise BadSetting("ARREARS_CLOCK", f"{configured!r}, but this database is {kept!r}: {way}")


async def spread_of(pool: asyncpg.Pool) -> Spread | None:
    kept = await pool.fetchval("SELECT value FROM settings WHERE name = 'overdue_spread'")
    return None if kept is None else decode(kept, type=Spread)


async def turn_clock(service: Service, per_hour: int, *, approved_by: str | None) -> None:
    """Print the plan as JSON; carried out where somebody approved it."""
    settings = Settings.from_env(service.name, os.environ)
    async with opened(service, settings) as running:
        turn = Turn(running.stage, running.store, running.pool, wall_clock(), per_hour)
        plan = await (turn.plan() if approved_by is None else turn.carry_out(approved_by))
    print(encode(plan).decode())


class Turn:
    """One service's way from the feed's clock to the wall clock."""

    def __init__(
        self, stage: Stage, store: Store, pool: asyncpg.Pool, now: datetime, per_hour: int
    ) -> None:
        self._stage = stage
        self._store = store
        self._pool = pool
        self._now = now
        self._per_hour = per_hour
        self._codec: Codec = stage.codec()
        self._timers: list[tuple[Timer, datetime]] = []

    async def plan(self) -> TurnPlan:
        """What is overdue, when each would be woken, and what would follow. Writes nothing."""
        plan = await self._without_looking_ahead()
        await self._look_ahead(plan)
        return plan

    async def _without_looking_ahead(self) -> TurnPlan:
        self._timers = []
        row = await self._pool.fetchrow(_STANDING)
        assert row is not None
        plan = TurnPlan(
            service=self._stage.name,
            clock=row["clock"] or "feed",
            open_day=row["first_open_day"],
            to_day=self._stage.calendar.day_of(self._now),
            per_hour=self._per_hour,
            obstacles=_obstacles(row),
        )
        if plan.clock == "live":
            return plan
        shards = [Shard(number) for number in range(SHARD_COUNT)]
        overdue = sorted(await self._store.timers(shards, self._now), key=_age)
        at = slots(self._now, self._per_hour, self._stage.calendar)
        self._timers = list(zip(overdue, islice(at, len(overdue)), strict=True))
        if self._timers:
            plan.overdue = len(self._timers)
            plan.oldest = overdue[0].due_at
            plan.first_at, plan.last_at = self._timers[0][1], self._timers[-1][1]
        return plan

    async def carry_out(self, approved_by: str) -> TurnPlan:
        """Plan again and do it, unless something stands in the way; doing it twice is once."""
        plan = await self.plan()
        if plan.obstacles or plan.clock == "live":
            return plan
        async with self._pool.acquire() as connection, connection.transaction():
            # A worker that starts now waits for the shards, and then meets the other clock.
            await connection.execute("SELECT shard FROM shards ORDER BY shard FOR UPDATE")
            row = await connection.fetchrow(_STANDING)
            assert row is not None
            plan.obstacles = _obstacles(row)
            if plan.obstacles:
                return plan
            await self._move(connection, plan, approved_by)
        return plan

    async def go_on(self) -> TurnPlan:
        """For a database that was rebuilt, and does not know when its clock was turned.

        It knows days by their events: a shard that had none since would close every day that the
        turn passed over, and wake all that is overdue at once.
        """
        plan = await self._without_looking_ahead()
        async with self._pool.acquire() as connection, connection.transaction():
            await self._move(connection, plan, "rebuild")
        return plan

    async def _move(
        self, connection: asyncpg.pool.PoolConnectionProxy, plan: TurnPlan, approved_by: str
    ) -> None:
        await connection.execute(_MOVE_DAYS, plan.to_day)
        spread_out = await connection.fetch(
            _SPREAD,
            [timer.shard for timer, _ in self._timers],
            [timer.stream for timer, _ in self._timers],
            [timer.due_at for timer, _ in self._timers],
            [at for _, at in self._timers],
        )
        plan.moved_meanwhile = len(self._timers) - len(spread_out)
        await connection.execute(_SET, "clock", "live")
        if plan.first_at is not None and plan.last_at is not None:
            spread = Spread(
                first_at=plan.first_at,
                last_at=plan.last_at,
                per_hour=plan.per_hour,
                approved_by=approved_by,
                made_at=self._now,
            )
            await connection.execute(_SET, "overdue_spread", encode(spread).decode())
        plan.turned = True

    async def _look_ahead(self, plan: TurnPlan) -> None:
        follows: Counter[str] = Counter()
        asks: Counter[str] = Counter()
        fails: Counter[str] = Counter()
        for start in range(0, len(self._timers), BATCH):
            batch = self._timers[start : start + BATCH]
            for found in await self._following(batch):
                follows.update(found.events)
                asks.update(found.effects)
                if found.error is not None:
                    fails[found.error] += 1
        plan.follows, plan.asks, plan.fails = dict(follows), dict(asks), dict(fails)

    async def _following(self, batch: Sequence[tuple[Timer, datetime]]) -> Sequence[Following]:
        wanted: dict[Shard, list[StreamName]] = {}
        for timer, _ in batch:
            wanted.setdefault(timer.shard, []).append(timer.stream)
        states: dict[tuple[Shard, StreamName], Any] = {}
        for stored in await self._store.load(wanted):
            key = (stored.shard, stored.stream)
            decider = self._stage.deciders[_category(stored.stream)]
            envelope = read_envelope(stored.value)
            event = self._codec.decode(envelope.type, envelope.data)
            states[key] = decider.evolve(states.get(key, decider.initial), event)
        return [
            following(self._stage, _category(timer.stream), states[(timer.shard, timer.stream)], at)
            for timer, at in batch
        ]


def _category(stream: StreamName) -> str:
    return stream.partition("-")[0]


def _age(timer: Timer) -> tuple[datetime, StreamName]:
    return cast("datetime", timer.due_at), timer.stream


def _obstacles(row: asyncpg.Record) -> list[str]:
    """Only a service at rest, at a closed day, with everything said, may turn."""
    found = []
    if row["workers"]:
        found.append(f"{row['workers']} workers run: stop the service first")
    if row["first_open_day"] != row["last_open_day"]:
        found.append(f"shards stand at {row['first_open_day']} to {row['last_open_day']}")
    if row["effects"]:
        found.append(f"{row['effects']} effects have no answer")
    if row["unpublished"]:
        found.append(f"{row['unpublished']} events are not published")
    if row["unhandled"]:
        found.append(f"{row['unhandled']} inputs of closed days are not handled")
    return found

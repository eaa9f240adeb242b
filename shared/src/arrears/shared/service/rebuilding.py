"""Rebuilding a service into an empty database, from its store or from Kafka, and comparing.

From the store everything that is computed (timers, projections) is computed again. From Kafka the
events come first, from the service's own topic; then the same. What the relay had not published is
not promised (protocol 4.2). No gateway is called. What is kept from Kafka can take over: it knows
where to go on hearing (`runtime.resuming`), and effects without all their answers count as sent, so
that only a gateway that honours their keys is asked again.
"""

import os
import time
from collections import defaultdict
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from typing import Final, Literal

import asyncpg
from msgspec.json import encode

from arrears.shared.contracts.corebanking import FEED_TOPIC
from arrears.shared.eventstore.leases import make_rows
from arrears.shared.eventstore.pool import open_pool
from arrears.shared.eventstore.port import Store, StoredEvent
from arrears.shared.eventstore.postgres import PostgresStore
from arrears.shared.eventstore.projector import Projector
from arrears.shared.kafka.adapter import KafkaBus
from arrears.shared.kafka.settings import KafkaSettings
from arrears.shared.kernel.ids import SHARD_COUNT, Shard
from arrears.shared.runtime.resuming import Resuming
from arrears.shared.runtime.stage import closing_type
from arrears.shared.service.clock import wall_clock
from arrears.shared.service.drafts import draft
from arrears.shared.service.filling import fill, from_store, from_topic
from arrears.shared.service.migrating import migrate_async
from arrears.shared.service.opening import Running, Service, foldings_of, opened
from arrears.shared.service.rederiving import Rederived, rederive
from arrears.shared.service.settings import Settings, database_url
from arrears.shared.service.turning import PER_HOUR, Turn, keep_clock, spread_of

Source = Literal["store", "kafka"]
_Reads = asyncpg.Pool | asyncpg.pool.PoolConnectionProxy
_ROWS: Final = "SELECT key, row FROM projections WHERE name = $1 AND shard = ANY($2::smallint[])"
_AHEAD: Final = """
    SELECT name, shard, coalesce(last_seq, 0) AS last_seq
    FROM projection_cursors LEFT JOIN shards USING (shard) WHERE seq > coalesce(last_seq, 0)
"""
_WITHOUT_CURSOR: Final = """
    SELECT DISTINCT name, shard FROM projections AS p WHERE NOT EXISTS (
        SELECT FROM projection_cursors AS c
        WHERE c.name = p.name AND c.shard = p.shard AND c.seq > 0)
    ORDER BY name, shard
"""


@dataclass
class Comparison:
    """What differs between the service and its rebuild; `places` names the first differences.

    `not_compared` counts the shards of projections whose live cursor stands elsewhere than the
    rebuild: it is on its way, or stuck, and which one a single look does not tell.
    """

    service: str
    source: str
    database: str
    events: int = 0
    streams: int = 0
    timers: int = 0
    rows: int = 0
    unpublished: int = 0
    not_compared: int = 0
    differences: int = 0
    places: list[str] = field(default_factory=list)
    seconds: dict[str, float] = field(default_factory=dict)
    """How long each phase took: `fill`, `derive` and `project`."""

    def differs(self, place: str) -> None:
        self.differences += 1
        if len(self.places) < 20:
            self.places.append(place)

    @contextmanager
    def timed(self, phase: str) -> Iterator[None]:
        begun = time.perf_counter()
        yield
        self.seconds[phase] = time.perf_counter() - begun


async def rebuild_service(service: Service, source: Source, *, keep: bool, as_json: bool) -> int:
    """The exit code: 0 where the rebuild equals the service, 1 where it does not.

    Raises NoDraft where the database of the rebuild's name must not be replaced.
    """
    settings = Settings.from_env(service.name, os.environ)
    name = f"{settings.database}_rebuild"
    async with draft(settings, name, keep=keep) as url:
        await migrate_async(service.migrations, url)
        async with opened(service, settings) as running:
            pool = await open_pool(url, max_size=4)
            try:
                found = await _rebuild(service, running, pool, source, name)
                if keep and source == "kafka":
                    await _make_ready(running, pool)
            finally:
                await pool.close()
    _say(found, keep=keep, as_json=as_json)
    return 1 if found.differences else 0


async def _rebuild(
    service: Service, running: Running, pool: asyncpg.Pool, source: Source, name: str
) -> Comparison:
    found = Comparison(service=service.name, source=source, database=name)
    rebuilt = PostgresStore(pool)
    await make_rows(pool, 0)
    bus = KafkaBus(KafkaSettings.from_env(os.environ))
    try:
        with found.timed("fill"):
            batches = (
                from_store(running.store)
                if source == "store"
                else from_topic(bus, running.stage.topic)
            )
            await fill(rebuilt, batches, closing_type(service.name))
            # What was filled at a stroke has no figures yet by which the server plans its reads.
            await pool.execute("ANALYZE events")
    finally:
        await bus.close()
    await compare_events(running.store, rebuilt, found)
    with found.timed("derive"):
        derived = await rederive(running.stage, rebuilt)
        await derived.write(pool)
    await _compare_timers(running, derived, found)
    seqs = {state.shard: state.last_seq for state in await rebuilt.shard_states()}
    await _project(service, running, database_url(running.settings.server, name), seqs, found)
    await compare_rows(running.pool, pool, seqs, found)
    return found


async def _project(
    service: Service, running: Running, dsn: str, seqs: dict[Shard, int], found: Comparison
) -> None:
    """Rows and cursor move together, so what a dying server has not written down is folded again:
    no page waits for the disk."""
    settings = {"synchronous_commit": "off"}
    pool = await open_pool(dsn, min_size=2, max_size=2, server_settings=settings)
    try:
        projector = Projector(
            pool,
            PostgresStore(pool),
            foldings_of(service, running.stage),
            step_max=max(1, sum(seqs.values())),
        )
        await projector.take(list(seqs))
        with found.timed("project"):
            while await projector.step(seqs):
                pass
    finally:
        await pool.close()


async def _make_ready(running: Running, pool: asyncpg.Pool) -> None:
    """A worker that starts on this database goes on where the lost one stood."""
    store, clock = PostgresStore(pool), running.settings.ground.clock
    shards = [Shard(number) for number in range(SHARD_COUNT)]
    await store.mark_sent(await store.effects(shards), wall_clock())
    bus = KafkaBus(KafkaSettings.from_env(os.environ))
    try:
        has_feed = running.stage.feed is not None
        await make_rows(pool, await bus.partition_count(FEED_TOPIC) if has_feed else 0)
        await Resuming(running.stage, store, bus, clock=clock, now=wall_clock).run()
    finally:
        await bus.close()
    if clock == "live":
        await Turn(running.stage, store, pool, wall_clock(), PER_HOUR).go_on()
    await keep_clock(pool, clock)


# --- Comparing


async def compare_events(kept: Store, rebuilt: Store, found: Comparison) -> None:
    """Streams, versions and bytes, event by event in order of number, and what only one has.

    Only the service: its relay has not published it yet. Only the rebuild: the service lost it.
    """
    streams: set[str] = set()
    for number in range(SHARD_COUNT):
        shard = Shard(number)
        mine, theirs = _each(kept.scan(shard)), _each(rebuilt.scan(shard))
        event, other = await anext(mine, None), await anext(theirs, None)
        while event is not None or other is not None:
            if other is None or (event is not None and event.seq < other.seq):
                found.unpublished += 1
                event = await anext(mine, None)
                continue
            if event is None or other.seq < event.seq:
                found.differs(f"{_where(other)} is missing in the store")
                other = await anext(theirs, None)
                continue
            found.events += 1
            streams.add(event.stream)
            if _place(event) != _place(other) or event.value != other.value:
                found.differs(_where(event))
            event, other = await anext(mine, None), await anext(theirs, None)
    found.streams = len(streams)
    if found.unpublished and found.source == "store":
        found.differs(f"{found.unpublished} events are missing")


async def _each(pages: AsyncIterator[Sequence[StoredEvent]]) -> AsyncIterator[StoredEvent]:
    async for page in pages:
        for event in page:
            yield event


def _where(event: StoredEvent) -> str:
    return f"shard {event.shard} seq {event.seq} stream {event.stream} v{event.version}"


def _place(event: StoredEvent) -> tuple[int, str, int, str]:
    return (event.seq, event.stream, event.version, event.event_id)


async def _compare_timers(running: Running, derived: Rederived, found: Comparison) -> None:
    if found.unpublished:
        return
    rows = await running.pool.fetch("SELECT shard, stream, due_at FROM timers")
    kept = {(row["shard"], row["stream"]): row["due_at"] for row in rows}
    parked = {row[0] for row in await running.pool.fetch("SELECT borrower_id FROM parked")}
    made = {
        (timer.shard, timer.stream): timer.due_at
        for timer in derived.timers
        if timer.borrower_id not in parked
    }
    found.timers = len(made)
    spread = await spread_of(running.pool)
    for place in kept.keys() | made.keys():
        if kept.get(place) == made.get(place):
            continue
        if spread is None or not spread.explains(kept.get(place), made.get(place)):
            found.differs(f"timer of {place[1]}: {kept.get(place)}, rebuilt {made.get(place)}")


async def compare_rows(
    kept: asyncpg.Pool, rebuilt: asyncpg.Pool, seqs: Mapping[Shard, int], found: Comparison
) -> None:
    """Projection rows of shards whose live cursor stands where the rebuild ends.

    A cursor behind it may be on its way; one ahead of its own store is not, nor are rows without.
    """
    theirs = await _cursors(rebuilt)
    async with kept.acquire() as live, live.transaction(isolation="repeatable_read", readonly=True):
        ours = await _cursors(live)
        ahead = {(row["name"], row["shard"]): row["last_seq"] for row in await live.fetch(_AHEAD)}
        even: dict[str, set[int]] = defaultdict(set)
        for name, shard in sorted(ours.keys() | theirs.keys()):
            seq = ours.get((name, shard))
            if (name, shard) in ahead:
                last_seq = ahead[name, shard]
                found.differs(f"{name} cursor of shard {shard}: at {seq}, the store at {last_seq}")
            elif seq == seqs.get(Shard(shard)):
                even[name].add(shard)
            else:
                found.not_compared += 1
        for row in await live.fetch(_WITHOUT_CURSOR):
            found.differs(f"{row['name']} has rows of shard {row['shard']}, but no cursor")
        for name, shards in even.items():
            rows = await _rows(live, name, shards)
            made = await _rows(rebuilt, name, shards)
            found.rows += len(made)
            for key in rows.keys() | made.keys():
                if rows.get(key) != made.get(key):
                    found.differs(f"{name} row {key}")


async def _cursors(pool: _Reads) -> dict[tuple[str, int], int]:
    rows = await pool.fetch("SELECT name, shard, seq FROM projection_cursors")
    return {(row["name"], row["shard"]): row["seq"] for row in rows}


async def _rows(pool: _Reads, name: str, shards: set[int]) -> dict[str, bytes]:
    rows = await pool.fetch(_ROWS, name, sorted(shards))
    return {row["key"]: row["row"] for row in rows}


def _say(found: Comparison, *, keep: bool, as_json: bool) -> None:
    if as_json:
        print(encode(asdict(found)).decode())
        return
    verdict = "equal" if not found.differences else f"{found.differences} DIFFERENCES"
    print(
        f"{found.service} rebuilt from {found.source}: {verdict}; {found.events} events of "
        f"{found.streams} streams, {found.timers} timers, {found.rows} rows compared"
        + (f"; {found.unpublished} events not yet published" if found.unpublished else "")
        + (f"; {found.not_compared} projections lag and wait" if found.not_compared else "")
    )
    for place in found.places:
        print(f"  differs: {place}")
    if keep:
        print(f"kept as database {found.database}")

"""Reading everything for the proof: the stages' databases, the topics, and our own rows.

Reads only, and only for the proof: no answer of history comes from another service's database.
The order makes lag harmless: what a copy must have is asked before what its source has.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import asyncpg

from arrears.history.adapters.postgres import PostgresHistory
from arrears.history.application.hearing import topic_of
from arrears.history.application.verifying import (
    Copies,
    Name,
    Verification,
    breaks_of,
    named,
    verification,
)
from arrears.history.domain.proof import Break, Found, Witness
from arrears.history.domain.told import RANK, SERVICES
from arrears.shared.runtime.bus import Bus, Record, TopicPartition
from arrears.shared.service.settings import database_url

PAGE_ROWS: Final = 5_000
_GROUP: Final = "arrears-history-verify"
_POLL_SECONDS: Final = 0.2
_SILENT_POLLS_MAX: Final = 100
_EVENTS: Final = """
    SELECT shard, seq, value, stream, version, event_id, type, business_day
    FROM events ORDER BY shard, seq
"""
_NAME: Final = "SELECT stream, version FROM events WHERE shard = $1 AND seq = $2"
_OUR_NAME: Final = """
    select stream, version from history_events where service = $1 and shard = $2 and seq = $3
"""


class Databases:
    """Where each stage's store is: a database of the same server unless the settings name one."""

    def __init__(self, server: str, env: Mapping[str, str]) -> None:
        self._server = server
        self._env = env

    def of(self, service: str) -> str:
        name = self._env.get(f"ARREARS_{service.upper()}_DATABASE", f"arrears_{service}")
        return database_url(self._server, name)


async def verify(databases: Databases, dsn: str, bus: Bus) -> Verification:
    """`dsn` is our own database."""
    published = {name: await _published(databases.of(name)) for name in SERVICES}
    history = await _read_history(dsn)
    every = []
    for service in SERVICES:
        topic = await _read_topic(bus, service)
        topic.expects({(service, shard): seq for shard, seq in published[service].items()})
        store = await _read_store(databases.of(service), service)
        every.append(Copies(service=service, store=store, topic=topic, history=history[service]))
    breaks = [broken for copies in every for broken in breaks_of(copies)]
    names = await _names(breaks, databases, dsn)
    return verification(every, [named(broken, names) for broken in breaks])


async def _published(dsn: str) -> dict[int, int]:
    connection = await asyncpg.connect(dsn)
    try:
        rows = await connection.fetch("SELECT shard, published_seq FROM cursors")
    finally:
        await connection.close()
    return {row["shard"]: row["published_seq"] for row in rows}


async def _read_history(dsn: str) -> dict[str, Witness]:
    seen = {service: Witness("the history") for service in SERVICES}
    store = await PostgresHistory.connect(dsn)
    try:
        last = {(place.service, place.shard): place.last_seq for place in await store.places()}
        async for page in store.scan():
            for kept in page:
                service = SERVICES[kept.service]
                seen[service].reads(
                    (
                        Found(
                            service,
                            kept.shard,
                            kept.seq,
                            kept.value,
                            kept.stream,
                            kept.version,
                            kept.event_id,
                            kept.type,
                            kept.business_day,
                        ),
                    )
                )
    finally:
        await store.close()
    for service, witness in seen.items():
        witness.expects({shelf: seq for shelf, seq in last.items() if shelf[0] == service})
    return seen


async def _read_store(dsn: str, service: str) -> Witness:
    seen = Witness(f"{service}'s store")
    connection = await asyncpg.connect(dsn)
    try:
        async with connection.transaction(isolation="repeatable_read", readonly=True):
            rows = await connection.fetch("SELECT shard, last_seq FROM shards")
            cursor = await connection.cursor(_EVENTS)
            while page := await cursor.fetch(PAGE_ROWS):
                seen.reads(Found(service, *row) for row in page)
    finally:
        await connection.close()
    seen.expects({(service, row["shard"]): row["last_seq"] for row in rows})
    return seen


async def _read_topic(bus: Bus, service: str) -> Witness:
    """From the first record to the last one that stood there when the reading began."""
    topic = topic_of(service)
    seen = Witness(f"topic {topic}")
    bounds = await bus.bounds(topic)
    left = {place: end for place, (first, end) in bounds.items() if first < end}
    listener = bus.listener(_GROUP)
    silent = 0
    try:
        await listener.assign({place: bounds[place][0] for place in left})
        while left and silent < _SILENT_POLLS_MAX:
            batches = await listener.poll(records_max=PAGE_ROWS, wait_seconds=_POLL_SECONDS)
            silent = 0 if batches else silent + 1
            for place, records in batches.items():
                _hear(seen, service, place, records)
                if place in left and records[-1].offset + 1 >= left[place]:
                    del left[place]
    finally:
        await listener.close()
    for place in left:
        seen.breaks.append(_unread(seen, service, place, "the broker does not give out its end"))
    return seen


def _hear(seen: Witness, service: str, place: TopicPartition, records: Sequence[Record]) -> None:
    for record in records:
        if record.seq is None:
            says = f"offset {record.offset} has no number: it is not ours"
            seen.breaks.append(_unread(seen, service, place, says))
        else:
            seen.reads((Found(service, place.partition, record.seq, record.value),))


def _unread(seen: Witness, service: str, place: TopicPartition, says: str) -> Break:
    held = len(seen.hashes((service, place.partition))) // 32
    return Break(
        kind="unreadable",
        place=seen.place,
        service=service,
        shard=place.partition,
        seq=held + 1,
        stream=None,
        version=None,
        says=says,
    )


async def _names(
    breaks: Sequence[Break], databases: Databases, dsn: str
) -> dict[tuple[str, int, int], Name]:
    """Streams and versions of numbers that the broken place could not name itself."""
    wanted = sorted({(b.service, b.shard, b.seq) for b in breaks if b.stream is None})[:1000]
    names: dict[tuple[str, int, int], Name] = {}
    if not wanted:
        return names
    ours = await asyncpg.connect(dsn)
    try:
        for service in SERVICES:
            theirs = await asyncpg.connect(databases.of(service))
            try:
                for key in (one for one in wanted if one[0] == service):
                    row = await _either(ours, theirs, key)
                    if row is not None:
                        names[key] = (row["stream"], row["version"])
            finally:
                await theirs.close()
    finally:
        await ours.close()
    return names


async def _either(
    ours: asyncpg.Connection, theirs: asyncpg.Connection, key: tuple[str, int, int]
) -> Any:
    service, shard, seq = key
    found = await theirs.fetchrow(_NAME, shard, seq)
    return found or await ours.fetchrow(_OUR_NAME, RANK[service], shard, seq)

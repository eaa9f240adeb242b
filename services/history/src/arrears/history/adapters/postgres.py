"""The history in PostgreSQL: `hear` is the only writer; everything else reads.

SQLAlchemy describes the tables (`tables.py`); this file speaks to them by asyncpg, because every
event of every service passes here.
"""

import time
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from datetime import date
from itertools import product
from typing import Any, Final

import asyncpg
from asyncpg.pool import PoolConnectionProxy
from msgspec.json import Decoder, encode
from msgspec.structs import astuple

from arrears.history.application.hearing import (
    Heard,
    Place,
    all_places,
    check_repeated,
    topic_of,
)
from arrears.history.application.ports import CaseFilter, Filed, Moved, Shelf, Since
from arrears.history.application.projections import case_list
from arrears.history.domain.digest import Row as CanonicalRow
from arrears.history.domain.portfolio.fold import Row as FigureRow
from arrears.history.domain.told import INPUT_SKIPPED, RANK, SERVICES, Kept
from arrears.shared.eventstore.pool import (
    GOODBYE_SECONDS,
    bounded,
    close_pool,
    end_lost,
    open_pool,
)
from arrears.shared.kernel.ids import SHARD_COUNT

Connection = PoolConnectionProxy
ASK_SECONDS: Final = 5.0
_SILENCE: Final = "20s"
PAGE_ROWS: Final = 5000
_COLUMNS: Final = Kept.__struct_fields__
_ALL: Final = ", ".join(_COLUMNS)
_ROW: Final = Decoder(case_list.Row)
_HEARING_LOCK: Final = 0x41525245415253

_PLACES: Final = """
    insert into positions (topic, partition, position, last_seq, closed_day, last_record_hash)
    select topic, partition, 0, 0, null, '' from unnest($1::text[], $2::smallint[])
        as missing (topic, partition) on conflict do nothing
"""
_LOCK: Final = """
    select topic, partition, position, last_seq, closed_day, last_record_hash from positions
    where partition = any ($1::smallint[]) order by topic, partition for update
"""
_MOVE: Final = """
    update positions as p set position = n.position, last_seq = n.last_seq,
        closed_day = n.closed_day, last_record_hash = n.hash
    from unnest($1::text[], $2::smallint[], $3::bigint[], $4::bigint[], $5::date[], $6::bytea[])
        as n (topic, partition, position, last_seq, closed_day, hash)
    where p.topic = n.topic and p.partition = n.partition
"""
_PUT_ROWS: Final = """
    insert into case_list (case_id, loan_key, borrower_id, status, stage, bucket, body)
    select * from unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[],
        $7::bytea[])
    on conflict (case_id) do update set loan_key = excluded.loan_key,
        borrower_id = excluded.borrower_id, status = excluded.status, stage = excluded.stage,
        bucket = excluded.bucket, body = excluded.body
"""
_PUT_LOANS: Final = """
    insert into loans (loan_key, borrower_id) select * from unnest($1::text[], $2::text[])
    on conflict (loan_key) do update set borrower_id = excluded.borrower_id
        where loans.borrower_id <> excluded.borrower_id
"""
_CASES: Final = """
    select body from case_list
    where ($1::text is null or status = $1) and ($2::text is null or stage = $2)
      and ($3::text is null or bucket = $3) and ($4::text is null or loan_key = $4)
      and ($5::text is null or borrower_id = $5) and ($6::text is null or case_id > $6)
      and ($8::text is null or (loan_key >= $8 || '@' and loan_key < $8 || 'A'))
    order by case_id limit $7
"""
"""The keys of one loan id stand together: `A` is the next letter after `@`."""


class PostgresHistory:
    def __init__(self, pool: asyncpg.Pool) -> None:
        self._pool = pool

    @classmethod
    async def connect(cls, dsn: str, **bounds: Any) -> "PostgresHistory":
        """The tables must be there: `arrears-history migrate`. `bounds` as in `eventstore.pool`."""
        pool = await open_pool(dsn, max_size=8, **bounds)
        wanted = all_places()
        try:
            await pool.execute(
                _PLACES, [place.topic for place in wanted], [place.shard for place in wanted]
            )
        except BaseException:
            await close_pool(pool)
            raise
        return cls(pool)

    async def renew(self) -> None:
        """After a failure: connections that died in silence are not found out one by one, and
        what was lost in the middle of a COPY gives its places up."""
        await self._pool.expire_connections()
        async with self._pool.acquire() as connection:
            await end_lost(connection)

    async def close(self) -> None:
        await close_pool(self._pool)

    # --- Writing

    async def hear(self, batches: Sequence[Heard]) -> None:
        shards = sorted({heard.before.shard for heard in batches})
        async with self._pool.acquire() as connection, connection.transaction():
            # All places of a shard are locked, so that rows of its cases have one writer.
            held = {
                (p.service, p.shard): p for p in map(_place, await connection.fetch(_LOCK, shards))
            }
            for heard in batches:
                before = heard.before
                if held[(before.service, before.shard)] != before:
                    raise Moved(f"{before.topic}/{before.shard}")
                await _check_repeated(connection, heard)
            events = [kept for heard in batches for kept in heard.events]
            await connection.copy_records_to_table(
                "history_events", records=map(astuple, events), columns=_COLUMNS
            )
            await _project(connection, events)
            after = [heard.after for heard in batches]
            await connection.execute(
                _MOVE,
                [place.topic for place in after],
                [place.shard for place in after],
                [place.position for place in after],
                [place.last_seq for place in after],
                [place.closed_day for place in after],
                [place.last_hash for place in after],
            )

    async def rebuild_case_list(self) -> Sequence[str]:
        rows: dict[str, case_list.Row] = {}
        borrowers: dict[str, str] = {}
        async with self._pool.acquire() as connection, connection.transaction():
            # Hearing waits meanwhile: what it would add could not be in the rows folded here.
            await connection.execute("lock table positions in exclusive mode")
            async for page in self.scan():
                _fold_changes(map(case_list.read, page), rows, borrowers)
            before = await _rows(connection, None)
            await connection.execute("truncate case_list, loans")
            await _put(connection, rows.values(), borrowers)
        names = before.keys() | rows.keys()
        return sorted(name for name in names if before.get(name) != rows.get(name))

    # --- Reading

    async def places(self) -> Sequence[Place]:
        async with self._pool.acquire() as connection:
            found = await connection.fetch(
                "select topic, partition, position, last_seq, closed_day, last_record_hash"
                " from positions"
            )
        return sorted(map(_place, found), key=lambda place: (RANK[place.service], place.shard))

    async def events_of(self, subjects: Sequence[str], up_to: date | None = None) -> Sequence[Kept]:
        async with self._pool.acquire() as connection:
            found = await connection.fetch(
                f"select {_ALL} from history_events where subject = any ($1::text[])"
                " and business_day <= $2 order by service, shard, seq",
                list(subjects),
                up_to or date.max,
            )
        return [Kept(*record) for record in found]

    async def figures(
        self, wire_names: Sequence[str], up_to: date | None, since: Since | None = None
    ) -> AsyncIterator[tuple[Shelf, int, Sequence[FigureRow]]]:
        query = (
            "select type, business_day, value, seq from history_events where service = $1"
            " and shard = $2 and seq > $3 and type = any ($4::text[]) and business_day <= $5"
            " order by seq"
        )
        async for shelf, page in self._by_shelf(
            query, list(wire_names), up_to or date.max, since=since
        ):
            yield shelf, page[-1]["seq"], [(one[0], one[1], one[2]) for one in page]

    async def scan(self, up_to: date | None = None) -> AsyncIterator[Sequence[Kept]]:
        query = (
            f"select {_ALL} from history_events where service = $1 and shard = $2 and seq > $3"
            " and business_day <= $4 order by seq"
        )
        async for _, page in self._by_shelf(query, up_to or date.max):
            yield [Kept(*record) for record in page]

    async def canonical(self, up_to: date) -> AsyncIterator[Sequence[CanonicalRow]]:
        query = (
            "select subject, service, stream, version, type, value from history_events"
            " where business_day <= $1 order by subject, service, stream, version"
        )
        async with self._pool.acquire() as connection, _snapshot(connection):
            cursor = await connection.cursor(query, up_to)
            while page := await cursor.fetch(PAGE_ROWS):
                yield [tuple(record) for record in page]

    async def skipped(self, up_to: date) -> frozenset[str]:
        names = [f"arrears.{service}.{INPUT_SKIPPED}.v1" for service in SERVICES]
        async with self._pool.acquire() as connection:
            found = await connection.fetch(
                "select distinct subject from history_events"
                " where type = any ($1::text[]) and business_day <= $2",
                names,
                up_to,
            )
        return frozenset(record["subject"] for record in found)

    async def cases(self, wanted: CaseFilter) -> Sequence[case_list.Row]:
        async with self._pool.acquire() as connection:
            found = await connection.fetch(_CASES, *astuple(wanted))
        return [_ROW.decode(record["body"]) for record in found]

    async def case_counts(self) -> Mapping[tuple[str, str], int]:
        async with self._pool.acquire() as connection:
            found = await connection.fetch(
                "select status, stage, count(*) from case_list group by status, stage"
            )
        return {(status, stage): count for status, stage, count in found}

    async def borrower_of(self, loan_key: str) -> str | None:
        async with self._pool.acquire() as connection:
            found: str | None = await connection.fetchval(
                "select borrower_id from loans where loan_key = $1", loan_key
            )
        return found

    async def filed(self) -> Mapping[str, Filed]:
        async with self._pool.acquire() as connection:
            found = await connection.fetch(
                "select case_id, loan_key, borrower_id, status, stage, bucket from case_list"
            )
        return {case_id: tuple(columns) for case_id, *columns in found}

    async def borrowers(self) -> Mapping[str, str]:
        async with self._pool.acquire() as connection:
            found = await connection.fetch("select loan_key, borrower_id from loans")
        return {loan_key: borrower_id for loan_key, borrower_id in found}

    async def counts(self, up_to: date | None = None) -> Mapping[str, int]:
        found = dict.fromkeys(SERVICES, 0)
        if up_to is None:
            # Numbers have no holes: the last ones tell the counts without reading a single event.
            for place in await self.places():
                found[place.service] += place.last_seq
            return found
        async with self._pool.acquire() as connection:
            counted = await connection.fetch(
                "select service, count(*) from history_events"
                " where business_day <= $1 group by service",
                up_to,
            )
        return found | {SERVICES[rank]: count for rank, count in counted}

    async def _by_shelf(
        self, query: str, *arguments: object, since: Since | None = None
    ) -> AsyncIterator[tuple[Shelf, Sequence[asyncpg.Record]]]:
        """One snapshot, read shard by shard along the primary key: no sort, bounded memory."""
        async with self._pool.acquire() as connection, _snapshot(connection):
            for shelf in product(SERVICES, range(SHARD_COUNT)):
                service, shard = shelf
                seq = (since or {}).get(shelf, 0)
                cursor = await connection.cursor(query, RANK[service], shard, seq, *arguments)
                while page := await cursor.fetch(PAGE_ROWS):
                    yield shelf, page


class PostgresTurn:
    """Holds an advisory lock on a connection of its own: who dies, gives up its turn.

    Who is cut off as well: the server ends a session that has said nothing for a while.
    """

    def __init__(self, dsn: str) -> None:
        self._dsn = dsn
        self._connection: asyncpg.Connection | None = None
        self._held = False
        self._asked_at = 0.0

    async def mine(self) -> bool:
        if self._connection is None or self._connection.is_closed():
            self._held = False
            self._connection = await asyncpg.connect(
                self._dsn, **bounded("history-turn", idle_session_timeout=_SILENCE)
            )
            self._asked_at = time.monotonic()
        if not self._held:
            self._held = bool(
                await self._connection.fetchval("select pg_try_advisory_lock($1)", _HEARING_LOCK)
            )
        elif time.monotonic() - self._asked_at > ASK_SECONDS:
            await self._connection.fetchval("select 1")
            self._asked_at = time.monotonic()
        return self._held

    async def give_up(self) -> None:
        connection, self._connection, self._held = self._connection, None, False
        if connection is not None and not connection.is_closed():
            await connection.close(timeout=GOODBYE_SECONDS)


def _snapshot(connection: Connection) -> asyncpg.transaction.Transaction:
    return connection.transaction(isolation="repeatable_read", readonly=True)


def _place(record: asyncpg.Record) -> Place:
    return Place(
        service=_SERVICE_OF_TOPIC[record["topic"]],
        shard=record["partition"],
        position=record["position"],
        last_seq=record["last_seq"],
        last_hash=record["last_record_hash"],
        closed_day=record["closed_day"],
    )


_SERVICE_OF_TOPIC: Final = {topic_of(service): service for service in SERVICES}


async def _check_repeated(connection: Connection, heard: Heard) -> None:
    if not heard.repeated:
        return
    found = await connection.fetch(
        "select seq, value from history_events"
        " where service = $1 and shard = $2 and seq = any ($3::bigint[])",
        RANK[heard.before.service],
        heard.before.shard,
        [seq for seq, _ in heard.repeated],
    )
    check_repeated(heard, {record["seq"]: record["value"] for record in found})


async def _project(connection: Connection, events: Sequence[Kept]) -> None:
    changes = [case_list.read(kept) for kept in events]
    names = sorted({change.case_id for change in changes if change.case_id is not None})
    rows = await _rows(connection, names)
    borrowers: dict[str, str] = {}
    _fold_changes(changes, rows, borrowers)
    await _put(connection, rows.values(), borrowers)


def _fold_changes(
    changes: Iterable[case_list.Change],
    rows: dict[str, case_list.Row],
    borrowers: dict[str, str],
) -> None:
    for change in changes:
        if change.loan_key:
            borrowers[change.loan_key] = change.borrower_id
        if change.case_id is None:
            continue
        row = case_list.evolve(rows.get(change.case_id), change)
        if row is not None:
            rows[change.case_id] = row


async def _rows(connection: Connection, names: Sequence[str] | None) -> dict[str, case_list.Row]:
    found = await connection.fetch(
        "select body from case_list where $1::text[] is null or case_id = any ($1::text[])", names
    )
    rows = (_ROW.decode(record["body"]) for record in found)
    return {row.case_id: row for row in rows}


async def _put(
    connection: Connection, rows: Iterable[case_list.Row], borrowers: Mapping[str, str]
) -> None:
    ordered = sorted(rows, key=lambda row: row.case_id)
    await connection.execute(
        _PUT_ROWS,
        [row.case_id for row in ordered],
        [row.loan_key for row in ordered],
        [row.borrower_id for row in ordered],
        [row.status for row in ordered],
        [row.stage for row in ordered],
        [row.bucket for row in ordered],
        [encode(row) for row in ordered],
    )
    await connection.execute(_PUT_LOANS, list(borrowers), list(borrowers.values()))

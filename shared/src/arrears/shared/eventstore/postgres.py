"""The event store on PostgreSQL 15 and later: asyncpg, one transaction a change, set-based SQL.

Lock order everywhere: positions, then shards ascending (protocol 1.3).
"""

from collections.abc import AsyncIterator, Collection, Iterable, Mapping, Sequence
from datetime import date, datetime
from typing import Any, Final

import asyncpg

from arrears.shared.eventstore import sql
from arrears.shared.eventstore.port import (
    AgendaRow,
    Change,
    EventRepeated,
    Fenced,
    PendingEffect,
    Position,
    ShardMoved,
    ShardState,
    StoredEvent,
    StreamMoved,
    Timer,
)
from arrears.shared.kernel.ids import BorrowerId, EventId, Shard, StreamName

Connection = asyncpg.pool.PoolConnectionProxy | asyncpg.Connection
SCAN_PAGE: Final = 2000


class PostgresStore:
    """One service's database. `pool` connections need no special settings."""

    def __init__(self, pool: asyncpg.Pool) -> None:
        self.pool = pool

    # --- Reading

    async def shard_states(self) -> Sequence[ShardState]:
        rows = await self.pool.fetch(sql.SHARD_STATES)
        return [ShardState(*row) for row in rows]

    async def load(self, streams: Mapping[Shard, Iterable[StreamName]]) -> Sequence[StoredEvent]:
        pairs = sorted({(shard, name) for shard, names in streams.items() for name in names})
        rows = await self.pool.fetch(
            sql.LOAD_STREAMS, [shard for shard, _ in pairs], [name for _, name in pairs]
        )
        return [_stored(row) for row in rows]

    async def after(self, shard: Shard, seq: int, *, limit: int) -> Sequence[StoredEvent]:
        return [_stored(row) for row in await self.pool.fetch(sql.EVENTS_AFTER, shard, seq, limit)]

    async def open_first_day(self, shard: Shard, day: date) -> date:
        found = await self.pool.fetchval(sql.OPEN_FIRST_DAY, shard, day)
        assert isinstance(found, date)
        return found

    async def positions(self) -> Sequence[Position]:
        return [Position(*row) for row in await self.pool.fetch(sql.POSITIONS)]

    async def settle_homes(self, homes: Mapping[str, BorrowerId]) -> Mapping[str, BorrowerId]:
        loans = sorted(homes)
        await self.pool.execute(sql.SETTLE_HOMES, loans, [homes[loan] for loan in loans])
        return {row[0]: BorrowerId(row[1]) for row in await self.pool.fetch(sql.HOMES, loans)}

    async def prepare_positions(self, places: Sequence[tuple[str, int]]) -> None:
        await self.pool.execute(
            sql.PREPARE_POSITIONS, [topic for topic, _ in places], [part for _, part in places]
        )

    async def agenda(
        self, shards: Sequence[Shard], up_to: date, before: datetime, *, limit: int
    ) -> Sequence[AgendaRow]:
        rows = await self.pool.fetch(sql.AGENDA, list(shards), up_to, before, limit)
        if len(rows) >= limit:
            last = rows[-1]["shard"]
            whole = [row for row in rows if row["shard"] != last]
            rows = whole or await self.pool.fetch(sql.AGENDA, [last], up_to, before, None)
        return [_agenda_row(row) for row in rows]

    async def timers(self, shards: Sequence[Shard], before: datetime) -> Sequence[Timer]:
        return [Timer(*row) for row in await self.pool.fetch(sql.TIMERS, list(shards), before)]

    async def effects(self, shards: Sequence[Shard]) -> Sequence[PendingEffect]:
        return [PendingEffect(*row) for row in await self.pool.fetch(sql.EFFECTS, list(shards))]

    async def effect(self, event_id: EventId) -> PendingEffect | None:
        row = await self.pool.fetchrow(sql.EFFECT, event_id)
        return None if row is None else PendingEffect(*row)

    async def parked_borrowers(self, shards: Sequence[Shard]) -> Sequence[BorrowerId]:
        rows = await self.pool.fetch(sql.PARKED_BORROWERS, list(shards))
        return [BorrowerId(row[0]) for row in rows]

    async def parked_inputs(self, borrower_id: BorrowerId) -> Sequence[tuple[int, AgendaRow]]:
        rows = await self.pool.fetch(sql.PARKED_INPUTS, borrower_id)
        return [(row["number"], _agenda_row(row)) for row in rows]

    async def cursors(self, shards: Sequence[Shard]) -> Mapping[Shard, int]:
        rows = await self.pool.fetch(sql.CURSORS, list(shards))
        return {Shard(row[0]): row[1] for row in rows}

    async def scan(self, shard: Shard) -> AsyncIterator[Sequence[StoredEvent]]:
        seq = 0
        while True:
            page = await self.after(shard, seq, limit=SCAN_PAGE)
            if not page:
                return
            yield page
            seq = page[-1].seq

    # --- Writing

    async def commit(self, change: Change) -> None:
        async with self.pool.acquire() as connection:
            try:
                async with connection.transaction():
                    await self._commit(connection, change)
            except asyncpg.UniqueViolationError as error:
                raise _unique(error) from error

    async def _commit(self, connection: Connection, change: Change) -> None:
        if change.positions or change.shards:
            await _append(connection, change, await _claim(connection, change))
        await _move_agenda(connection, change)
        if change.timers:
            await _set_timers(connection, change)
        if change.effects_added:
            effects = change.effects_added
            await connection.execute(
                sql.ADD_EFFECTS,
                [effect.event_id for effect in effects],
                [effect.shard for effect in effects],
                [effect.stream for effect in effects],
                [effect.borrower_id for effect in effects],
                [effect.kind for effect in effects],
                [effect.at for effect in effects],
            )
        if change.effects_answered:
            ids = [effect.event_id for effect in change.effects_answered]
            if _count(await connection.execute(sql.DELETE_EFFECTS, ids)) != len(ids):
                raise Fenced("an effect was answered by another")
        if change.effects_sent_again:
            ids = [effect.event_id for effect in change.effects_sent_again]
            if _count(await connection.execute(sql.SEND_AGAIN, ids)) != len(ids):
                raise Fenced("an effect is no longer in doubt")
        await _set_aside(connection, change)

    async def mark_sent(self, effects: Sequence[PendingEffect], at: datetime) -> None:
        known = [effect.event_id for effect in effects], [effect.sent_at for effect in effects]
        async with self.pool.acquire() as connection, connection.transaction():
            marked = await connection.execute(sql.MARK_SENT, *known, at)
            if int(marked.split()[-1]) != len(effects):
                raise Fenced("an effect was sent or answered by another")

    async def mark_in_doubt(self, effects: Sequence[PendingEffect]) -> None:
        await self.pool.execute(sql.MARK_IN_DOUBT, [effect.event_id for effect in effects])

    async def move_cursors(self, moves: Mapping[Shard, tuple[int, int]]) -> None:
        shards = sorted(moves)
        try:
            await self.pool.execute(
                sql.MOVE_CURSORS,
                shards,
                [moves[shard][0] for shard in shards],
                [moves[shard][1] for shard in shards],
            )
        except asyncpg.DivisionByZeroError as error:
            raise Fenced("a relay cursor moved") from error


async def _claim(connection: Connection, change: Change) -> dict[Shard, int]:
    """Move positions and shards from where the change expects them; the last seqs before it."""
    moves = sorted(change.positions, key=lambda move: (move.topic, move.partition))
    shards = sorted(change.shards)
    parts = [change.shards[shard] for shard in shards]
    row = await connection.fetchrow(
        sql.CLAIM,
        [move.topic for move in moves],
        [move.partition for move in moves],
        [move.expected for move in moves],
        [move.position for move in moves],
        [move.last_seq for move in moves],
        [move.last_hash for move in moves],
        [move.closed_day for move in moves],
        [move.first_day for move in moves],
        shards,
        [part.expected_seq for part in parts],
        [part.epoch for part in parts],
        [part.open_day for part in parts],
        [len(part.events) for part in parts],
        [part.next_open_day for part in parts],
    )
    assert row is not None
    if row[0] != len(moves):
        raise Fenced("a position moved")
    if len(row[1]) != len(shards):
        raise await _why_not(connection, change, change.shards.keys() - set(row[1]))
    return {
        Shard(shard): last - len(change.shards[shard].events)
        for shard, last in zip(row[1], row[2], strict=True)
    }


async def _why_not(connection: Connection, change: Change, left: Collection[Shard]) -> Exception:
    """Why the shards that are `left` did not move; we hold their locks."""
    for shard, epoch in await connection.fetch(sql.EPOCHS, sorted(left)):
        if change.shards[shard].epoch not in (None, epoch):
            return Fenced(f"shard {shard} has another owner")
    return ShardMoved(sorted(left))


async def _append(connection: Connection, change: Change, last: dict[Shard, int]) -> None:
    records: list[tuple[Any, ...]] = []
    for shard in sorted(change.shards):
        for seq, event in enumerate(change.shards[shard].events, start=last[shard] + 1):
            records.append(
                (
                    shard,
                    seq,
                    event.stream,
                    event.version,
                    event.event_id,
                    event.type,
                    event.borrower_id,
                    event.business_day,
                    event.value,
                )
            )
    if records:
        await connection.copy_records_to_table("events", records=records, columns=sql.EVENT_COLUMNS)


async def _move_agenda(connection: Connection, change: Change) -> None:
    deleted = change.agenda_deleted
    if deleted:
        done = await connection.execute(
            sql.DELETE_AGENDA,
            [row.shard for row in deleted],
            [row.day for row in deleted],
            [row.row_id for row in deleted],
        )
        if _count(done) != len(deleted):
            raise Fenced("agenda rows were handled by another")
    if change.agenda_added:
        await connection.copy_records_to_table(
            "agenda",
            records=[
                (
                    row.shard,
                    row.day,
                    row.row_id,
                    row.at,
                    row.rank,
                    row.borrower_id,
                    row.order.encode(),
                    row.origin,
                    row.value,
                )
                for row in change.agenda_added
            ],
            columns=sql.AGENDA_COLUMNS,
        )


async def _set_timers(connection: Connection, change: Change) -> None:
    gone = [timer for timer in change.timers if timer.due_at is None]
    if gone:
        await connection.execute(
            sql.DELETE_TIMERS, [timer.shard for timer in gone], [timer.stream for timer in gone]
        )
    due = [timer for timer in change.timers if timer.due_at is not None]
    if due:
        await connection.execute(
            sql.SET_TIMERS,
            [timer.shard for timer in due],
            [timer.stream for timer in due],
            [timer.borrower_id for timer in due],
            [timer.due_at for timer in due],
        )


async def _set_aside(connection: Connection, change: Change) -> None:
    if change.refused:
        await connection.executemany(
            sql.ADD_REFUSED,
            [
                (
                    item.origin,
                    item.reason,
                    item.field,
                    item.fact_id,
                    item.borrower_id,
                    item.day,
                    item.value,
                    item.refused_at,
                )
                for item in change.refused
            ],
        )
    if change.duplicates:
        await connection.execute(
            sql.ADD_DUPLICATES,
            [item.origin for item in change.duplicates],
            [item.event_id for item in change.duplicates],
        )
    if change.parked:
        await connection.copy_records_to_table(
            "parked",
            records=[
                (
                    item.row.shard,
                    item.row.borrower_id,
                    item.error,
                    item.first,
                    item.row.day,
                    item.row.row_id,
                    item.row.at,
                    item.row.rank,
                    item.row.order.encode(),
                    item.row.origin,
                    item.row.value,
                )
                for item in change.parked
            ],
            columns=sql.PARKED_COLUMNS,
        )
    if change.unparked:
        done = await connection.execute(sql.DELETE_PARKED, change.unparked)
        if _count(done) != len(change.unparked):
            raise Fenced("a parked input was taken by another")


def _stored(row: asyncpg.Record) -> StoredEvent:
    return StoredEvent(
        shard=Shard(row[0]),
        seq=row[1],
        stream=StreamName(row[2]),
        version=row[3],
        event_id=EventId(row[4]),
        type=row[5],
        borrower_id=BorrowerId(row[6]),
        business_day=row[7],
        value=row[8],
    )


def _agenda_row(row: asyncpg.Record) -> AgendaRow:
    return AgendaRow(
        shard=Shard(row[0]),
        day=row[1],
        row_id=row[2],
        at=row[3],
        rank=row[4],
        borrower_id=BorrowerId(row[5]),
        order=row[6].decode(),
        origin=row[7],
        value=row[8],
    )


def _count(status: str) -> int:
    """The number of rows in a command tag such as `DELETE 17`."""
    return int(status.rpartition(" ")[2])


def _unique(error: asyncpg.UniqueViolationError) -> Exception:
    if error.constraint_name == "events_stream_version":
        return StreamMoved(str(error.detail))
    if error.constraint_name == "events_event_id":
        return EventRepeated(str(error.detail))
    return Fenced(f"{error.constraint_name}: {error.detail}")

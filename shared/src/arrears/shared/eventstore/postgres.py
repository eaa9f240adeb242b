"""The event store on PostgreSQL 15 and later: asyncpg and set-based SQL."""

from collections.abc import AsyncIterator, Collection, Iterable, Mapping, Sequence
from datetime import date, datetime
from typing import Final, cast

import asyncpg

from arrears.shared.eventstore import sql
from arrears.shared.eventstore.port import (
    AgendaRow,
    Change,
    EventData,
    Fenced,
    PendingEffect,
    Position,
    ShardState,
    StoredEvent,
    Timer,
)
from arrears.shared.eventstore.postgres_commit import commit
from arrears.shared.kernel.ids import SHARD_COUNT, BorrowerId, EventId, Shard, StreamName

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

    async def event(self, event_id: EventId) -> StoredEvent | None:
        row = await self.pool.fetchrow(sql.EVENT, list(range(SHARD_COUNT)), event_id)
        return None if row is None else _stored(row)

    async def after(self, shard: Shard, seq: int, *, limit: int) -> Sequence[StoredEvent]:
        return [_stored(row) for row in await self.pool.fetch(sql.EVENTS_AFTER, shard, seq, limit)]

    async def data_after(self, shard: Shard, seq: int, *, limit: int) -> Sequence[EventData]:
        # A record is read as the tuple that it stands for: nothing is copied.
        return cast("Sequence[EventData]", await self.pool.fetch(sql.DATA_AFTER, shard, seq, limit))

    async def open_first_day(self, shard: Shard, day: date) -> date:
        found = await self.pool.fetchval(sql.OPEN_FIRST_DAY, shard, day)
        assert isinstance(found, date)
        return found

    async def positions(self) -> Sequence[Position]:
        return [Position(*row) for row in await self.pool.fetch(sql.POSITIONS)]

    async def settle_homes(
        self, homes: Mapping[str, BorrowerId | None]
    ) -> Mapping[str, BorrowerId]:
        loans = sorted(homes)
        rows = await self.pool.fetch(sql.SETTLE_HOMES, loans, [homes[loan] for loan in loans])
        if len(rows) < len(loans):  # Settled by another meanwhile, or nobody was named for them.
            rows = await self.pool.fetch(sql.HOMES, loans)
        return {row[0]: BorrowerId(row[1]) for row in rows}

    async def prepare_positions(self, places: Sequence[tuple[str, int]]) -> None:
        await self.pool.execute(
            sql.PREPARE_POSITIONS, [topic for topic, _ in places], [part for _, part in places]
        )

    async def due(self, shards: Sequence[Shard], up_to: date, before: datetime) -> Sequence[Shard]:
        rows = await self.pool.fetch(sql.DUE, list(shards), up_to, before)
        return [Shard(row[0]) for row in rows]

    async def agenda(
        self,
        shards: Sequence[Shard],
        up_to: date,
        before: datetime,
        *,
        limit: int,
        free_only: bool = False,
    ) -> Sequence[AgendaRow]:
        statement = sql.AGENDA_OF_FREE if free_only else sql.AGENDA
        rows = await self.pool.fetch(statement, list(shards), up_to, before, limit)
        if len(rows) >= limit:
            last = rows[-1]["shard"]
            whole = [row for row in rows if row["shard"] != last]
            rows = whole or await self.pool.fetch(statement, [last], up_to, before, None)
        return [_agenda_row(row) for row in rows]

    async def waiting(
        self, whose: Sequence[tuple[Shard, BorrowerId]], up_to: date, before: datetime
    ) -> Collection[BorrowerId]:
        shards, borrowers = [shard for shard, _ in whose], [borrower for _, borrower in whose]
        rows = await self.pool.fetch(sql.WAITING, shards, borrowers, up_to, before)
        return {BorrowerId(row[0]) for row in rows}

    async def timers(self, shards: Sequence[Shard], before: datetime) -> Sequence[Timer]:
        return [Timer(*row) for row in await self.pool.fetch(sql.TIMERS, list(shards), before)]

    async def effects(self, shards: Sequence[Shard]) -> Sequence[PendingEffect]:
        return [PendingEffect(*row) for row in await self.pool.fetch(sql.EFFECTS, list(shards))]

    async def effect(self, event_id: EventId) -> PendingEffect | None:
        row = await self.pool.fetchrow(sql.EFFECT, event_id)
        return None if row is None else PendingEffect(*row)

    async def parked_borrowers(self, shards: Sequence[Shard]) -> Mapping[BorrowerId, datetime]:
        rows = await self.pool.fetch(sql.PARKED_BORROWERS, list(shards))
        return {BorrowerId(row[0]): row[1] for row in rows}

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
        await commit(self.pool, change)

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

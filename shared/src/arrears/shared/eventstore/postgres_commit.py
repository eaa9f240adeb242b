"""A change on PostgreSQL: one transaction, and one statement where little but events follows.

Lock order everywhere: positions, then shards ascending (protocol 1.3), then keys of commands.
"""

from collections.abc import Collection, Sequence
from functools import partial
from typing import Any, Final

import asyncpg
from msgspec.structs import asdict

from arrears.shared.eventstore import sql
from arrears.shared.eventstore.pool import unlocked
from arrears.shared.eventstore.port import Change, EventRepeated, Fenced, ShardMoved, StreamMoved
from arrears.shared.kernel.ids import Shard

Connection = asyncpg.pool.PoolConnectionProxy | asyncpg.Connection
FEW_EVENTS: Final = 100
"""Above it, COPY inside a transaction is faster than one statement that carries the events."""


async def commit(pool: asyncpg.Pool, change: Change) -> None:
    """Raises Fenced, ShardMoved, StreamMoved or EventRepeated, and has then changed nothing."""
    try:
        await unlocked(partial(_attempt, pool, change))
    except asyncpg.UniqueViolationError as error:
        raise _unique(error) from error


async def _attempt(pool: asyncpg.Pool, change: Change) -> None:
    if _is_small(change) and await _append_at_once(pool, change):
        return
    async with pool.acquire() as connection, connection.transaction():
        await _commit(connection, change)


def _is_small(change: Change) -> bool:
    """Whether it moves positions, appends a few events and sets their timers, and no more than
    turns are held for that."""
    others = any(
        value
        for name, value in asdict(change).items()
        if name not in {"positions", "shards", "timers", "turns"}
    )
    few = sum(len(part.events) for part in change.shards.values()) <= FEW_EVENTS
    return few and len(change.timers) <= FEW_EVENTS and not others


async def _append_at_once(pool: asyncpg.Pool, change: Change) -> bool:
    """False: it does not fit, so nothing has changed, and going step by step tells why."""
    events = [
        (shard, nth, event)
        for shard in sorted(change.shards)
        for nth, event in enumerate(change.shards[shard].events, start=1)
    ]
    try:
        await pool.execute(
            sql.CLAIM_AND_APPEND,
            *_claimed(change),
            [shard for shard, _, _ in events],
            [nth for _, nth, _ in events],
            [event.stream for _, _, event in events],
            [event.version for _, _, event in events],
            [event.event_id for _, _, event in events],
            [event.type for _, _, event in events],
            [event.borrower_id for _, _, event in events],
            [event.business_day for _, _, event in events],
            [event.value for _, _, event in events],
            *_timers_gone(change),
            *_timers_due(change),
            *_turns(change),
        )
    except (asyncpg.DivisionByZeroError, asyncpg.UniqueViolationError):
        return False
    return True


async def _commit(connection: Connection, change: Change) -> None:
    last = await _claim(connection, change) if change.positions or change.shards else {}
    if change.turns:
        held = await connection.fetch(sql.HOLD_TURNS, *_turns(change))
        if len(held) != len(change.turns):
            raise Fenced("a command was taken over")
    await _append(connection, change, last)
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
        if count(await connection.execute(sql.DELETE_EFFECTS, ids)) != len(ids):
            raise Fenced("an effect was answered by another")
    if change.effects_sent_again:
        ids = [effect.event_id for effect in change.effects_sent_again]
        if count(await connection.execute(sql.SEND_AGAIN, ids)) != len(ids):
            raise Fenced("an effect is no longer in doubt")
    await _set_aside(connection, change)


async def _claim(connection: Connection, change: Change) -> dict[Shard, int]:
    """Move positions and shards from where the change expects them; the last seqs before it."""
    row = await connection.fetchrow(sql.CLAIM, *_claimed(change))
    assert row is not None
    if row[0] != len(change.positions):
        raise Fenced("a position moved")
    if len(row[1]) != len(change.shards):
        raise await _why_not(connection, change, change.shards.keys() - set(row[1]))
    return {
        Shard(shard): last - len(change.shards[shard].events)
        for shard, last in zip(row[1], row[2], strict=True)
    }


def _claimed(change: Change) -> tuple[Sequence[Any], ...]:
    """What both statements that claim take: positions and shards, column by column."""
    moves = sorted(change.positions, key=lambda move: (move.topic, move.partition))
    shards = sorted(change.shards)
    parts = [change.shards[shard] for shard in shards]
    return (
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
        [part.idle_until for part in parts],
    )


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
        if count(done) != len(deleted):
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
    if any(timer.due_at is None for timer in change.timers):
        await connection.execute(sql.DELETE_TIMERS, *_timers_gone(change))
    if any(timer.due_at is not None for timer in change.timers):
        await connection.execute(sql.SET_TIMERS, *_timers_due(change))


def _timers_gone(change: Change) -> tuple[Sequence[Any], ...]:
    gone = [timer for timer in change.timers if timer.due_at is None]
    return [timer.shard for timer in gone], [timer.stream for timer in gone]


def _timers_due(change: Change) -> tuple[Sequence[Any], ...]:
    due = [timer for timer in change.timers if timer.due_at is not None]
    return (
        [timer.shard for timer in due],
        [timer.stream for timer in due],
        [timer.borrower_id for timer in due],
        [timer.due_at for timer in due],
    )


def _turns(change: Change) -> tuple[Sequence[Any], ...]:
    turns = sorted(change.turns, key=lambda held: (held.key, held.actor))
    return (
        [held.key for held in turns],
        [held.actor for held in turns],
        [held.turn for held in turns],
        [held.answer for held in turns],
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
                    item.parked_at,
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
        if count(done) != len(change.unparked):
            raise Fenced("a parked input was taken by another")


def count(status: str) -> int:
    """The number of rows in a command tag such as `DELETE 17`."""
    return int(status.rpartition(" ")[2])


def _unique(error: asyncpg.UniqueViolationError) -> Exception:
    if error.constraint_name == "events_stream_version":
        return StreamMoved(str(error.detail))
    if error.constraint_name == "events_event_id":
        return EventRepeated(str(error.detail))
    return Fenced(f"{error.constraint_name}: {error.detail}")

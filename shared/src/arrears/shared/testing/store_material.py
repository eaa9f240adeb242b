"""Events, rows and changes made by hand, for the suite of all event stores."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta

from msgspec.json import encode

from arrears.shared.eventstore.port import (
    AgendaRow,
    Change,
    CommandTurn,
    Duplicate,
    ParkedInput,
    PendingEffect,
    PositionMove,
    RefusedInput,
    ShardChange,
    StoredEvent,
    Timer,
)
from arrears.shared.kernel.ids import BorrowerId, EventId, Shard, StaffId, StreamName

DAY = date(2024, 3, 1)
NEXT_DAY = date(2024, 3, 2)
AT = datetime(2024, 3, 1, 9, 30, 0, 123456, tzinfo=UTC)
LATER = AT + timedelta(hours=1)
ONE, TWO = Shard(1), Shard(2)
LOAN = StreamName("intake.loan-1")
OTHER = StreamName("intake.loan-2")
ANNA = BorrowerId("anna")
TOPIC = "arrears.intake.v1"


def event(
    number: int, stream: StreamName = LOAN, *, shard: Shard = ONE, name: str = ""
) -> StoredEvent:
    """The event that has this version of its stream."""
    return StoredEvent(
        shard=shard,
        stream=stream,
        version=number,
        event_id=EventId(name or f"{stream}/{number}"),
        type="arrears.intake.case_opened.v1",
        borrower_id=ANNA,
        business_day=DAY,
        value=encode({"stream": stream, "actor": ',"data":\u20ac', "data": {"number": number}}),
    )


def append(
    *events: StoredEvent,
    expected: int | None,
    epoch: int | None = 0,
    day: date | None = DAY,
    next_day: date | None = None,
) -> Change:
    shard = events[0].shard if events else ONE
    part = ShardChange(
        shard=shard,
        expected_seq=expected,
        epoch=epoch,
        open_day=day,
        events=list(events),
        next_open_day=next_day,
    )
    return Change(shards={shard: part})


def row(number: int, *, shard: Shard = ONE, day: date = DAY, at: datetime = AT) -> AgendaRow:
    return AgendaRow(
        shard=shard,
        day=day,
        at=at,
        rank=1,
        borrower_id=ANNA,
        order=f"loan\x00{number:04d}",
        origin=f"{TOPIC}/1/{number}",
        value=b"\x00heard",
        row_id=number,
    )


def effect(number: int, *, shard: Shard = ONE) -> PendingEffect:
    return PendingEffect(
        shard=shard,
        event_id=EventId(f"effect-{number}"),
        stream=LOAN,
        borrower_id=ANNA,
        kind="letter",
        at=AT,
    )


def move(expected: int, position: int, partition: int = 0) -> PositionMove:
    return PositionMove(
        topic=TOPIC,
        partition=partition,
        expected=expected,
        position=position,
        last_seq=position,
        last_hash=b"\x01\xff",
        closed_day=DAY,
        first_day=DAY,
    )


def refused(number: int) -> RefusedInput:
    return RefusedInput(
        origin=f"feed/0/{number}",
        reason="negative",
        field="amount",
        fact_id=None,
        borrower_id=None,
        day=DAY,
        value=b"{}",
        refused_at=AT,
    )


def full_change() -> Change:
    """A change that moves everything that can be moved."""
    full = append(event(2), expected=1, next_day=NEXT_DAY)
    full.shards.update(append(event(1, OTHER, shard=TWO), expected=0).shards)
    full.positions = [move(5, 6), move(0, 1, 1)]
    full.agenda_added = [row(2), row(3, shard=TWO)]
    full.agenda_deleted = [row(1)]
    full.timers = [Timer(shard=ONE, stream=LOAN, borrower_id=ANNA, due_at=AT)]
    full.effects_added = [effect(2)]
    full.effects_answered = [effect(1)]
    full.refused = [refused(1)]
    full.duplicates = [Duplicate(origin="feed/0/2", event_id=EventId("e"))]
    full.parked = [ParkedInput(row=row(9), error="KeyError", first=True, parked_at=AT)]
    return full


def failing_changes() -> Sequence[Change]:
    """The full change, each time with one thing that is not as it expects."""
    position, gone, answered = full_change(), full_change(), full_change()
    position.positions[1] = move(3, 4, 1)
    gone.agenda_deleted.append(row(7))
    answered.effects_answered.append(effect(7))
    epoch, number, version, name = full_change(), full_change(), full_change(), full_change()
    epoch.shards[TWO].epoch = 9
    number.shards[TWO].expected_seq = 3
    version.shards[TWO].events[0] = event(5, LOAN, shard=TWO, name="v")
    version.shards[TWO].events.append(event(5, LOAN, shard=TWO, name="w"))
    name.shards[ONE].events[0] = event(2, name=f"{LOAN}/1")
    asked, heard = full_change(), full_change()
    asked.effects_added.append(effect(1))
    asked.effects_answered.clear()
    heard.agenda_added.append(row(1))
    heard.agenda_deleted.clear()
    taken_over = full_change()
    taken_over.turns = [CommandTurn("key", StaffId("li"), AT.isoformat())]
    return (position, gone, answered, epoch, number, version, name, asked, heard, taken_over)

"""Repairing parked input: staff let it be tried again, or give the first of it up with a reason.

A retry puts everything of the borrower back on the agenda of the open day, at its 00:00, in the
order it came (protocol 2.5). Giving up is itself an event; such a case leaves the digest's promise.
"""

from datetime import datetime

from msgspec.structs import replace

from arrears.shared.eventstore.port import AgendaRow, Change, Store
from arrears.shared.kernel.decider import Refused
from arrears.shared.kernel.ids import BorrowerId, StaffId, derived_id, stream_name
from arrears.shared.runtime.stage import TIMER_RANK, InputSkipped, Stage
from arrears.shared.runtime.transact import open_desk
from arrears.shared.runtime.workbench import Cause, Draft


async def retry_parked(stage: Stage, store: Store, borrower_id: BorrowerId) -> int:
    """How many inputs go back to the agenda. Raises Refused where nothing is parked."""
    parked = await store.parked_inputs(borrower_id)
    if not parked:
        raise Refused("nothing_is_parked", "borrower_id")
    _, shelf = await open_desk(stage, store, borrower_id)
    assert shelf.open_day is not None
    start = stage.calendar.start_of(shelf.open_day)
    rows: list[AgendaRow] = [
        replace(row, day=shelf.open_day, at=start) for _, row in parked if row.rank != TIMER_RANK
    ]
    numbers = [number for number, _ in parked]
    await store.commit(Change(agenda_added=rows, unparked=numbers))
    return len(rows)


async def skip_parked(
    stage: Stage,
    store: Store,
    borrower_id: BorrowerId,
    *,
    reason: str,
    actor: StaffId,
    recorded_at: datetime,
) -> int:
    """Give up the first parked input; how many still wait. Raises Refused where none is."""
    parked = await store.parked_inputs(borrower_id)
    if not parked:
        raise Refused("nothing_is_parked", "borrower_id")
    number, row = parked[0]
    bench, shelf = await open_desk(stage, store, borrower_id)
    category = f"{stage.name}.parking"
    stream = stream_name(category, borrower_id)
    await bench.load({shelf.shard: [(stream, category, borrower_id)]})
    assert shelf.open_day is not None
    at = stage.calendar.start_of(shelf.open_day)
    entry = shelf.entries[stream]
    draft = Draft(recorded_at)
    bench.decide(
        draft,
        shelf,
        stream,
        InputSkipped(origin=row.origin, reason=reason),
        Cause(id=derived_id("skip", row.origin), actor=actor),
        at if entry.time is None else max(at, entry.time),
    )
    change = draft.finish()
    change.shards[shelf.shard].expected_seq = None
    change.unparked = [number]
    await store.commit(change)
    return len(parked) - 1

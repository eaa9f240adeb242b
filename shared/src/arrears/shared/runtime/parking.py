"""Repairing parked input: staff let it be tried again, or give the first of it up with a reason.

A retry puts everything of the borrower back on the agenda of the open day, at its 00:00, in the
order it came (protocol 2.5). Giving up is itself an event; such a case leaves the digest's promise.
Where nothing is parked any more the others are told, so that contact may permit again.
"""

from collections.abc import Sequence
from datetime import datetime

from arrears.shared.eventstore.codec import read_envelope
from arrears.shared.eventstore.port import AgendaRow, CommandTurn, Store
from arrears.shared.kernel.decider import Refused
from arrears.shared.kernel.ids import BorrowerId, StaffId
from arrears.shared.runtime.agenda import tried_again
from arrears.shared.runtime.saying import Saying, said_before
from arrears.shared.runtime.stage import (
    TIMER_RANK,
    InputReleased,
    InputSkipped,
    Stage,
    parking_place,
)
from arrears.shared.runtime.transact import begun_again


async def retry_parked(
    stage: Stage,
    store: Store,
    borrower_id: BorrowerId,
    *,
    turn: CommandTurn,
    recorded_at: datetime,
) -> int:
    """How many inputs go back to the agenda. Raises Refused where none is parked, TooBusy.

    Where the `turn` is lost before the commit nothing is changed; asked for again under its key
    it is told what it has led to.
    """

    async def attempt() -> int:
        parked = await store.parked_inputs(borrower_id)
        for said in await _said(stage, store, borrower_id, turn):
            if isinstance(said, InputReleased):
                return said.retried
        repair = await _open(stage, store, borrower_id, turn, recorded_at, parked)
        rows: list[AgendaRow] = [
            tried_again(row, place, repair.day)
            for place, (_, row) in enumerate(parked)
            if row.rank != TIMER_RANK
        ]
        repair.say(InputReleased(retried=len(rows)), repair.start)
        _, change = repair.finish()
        change.agenda_added = rows
        change.unparked = [number for number, _ in parked]
        await store.commit(change)
        return len(rows)

    return await begun_again(borrower_id, attempt)


async def skip_parked(
    stage: Stage,
    store: Store,
    borrower_id: BorrowerId,
    *,
    origin: str,
    reason: str,
    approved_by: StaffId,
    turn: CommandTurn,
    recorded_at: datetime,
) -> int:
    """Give up the first parked input, which came from `origin`; how many still wait.

    Raises as `retry_parked`, and Refused where another input is the first: whoever asks, only what
    they saw is given up. Nobody approves what they ask for themselves.
    """
    if approved_by == turn.actor:
        raise Refused("same_person", "approved_by")
    said = InputSkipped(origin=origin, reason=reason, approved_by=approved_by)

    async def attempt() -> int:
        parked = await store.parked_inputs(borrower_id)
        if await _said(stage, store, borrower_id, turn):
            return len(parked)
        repair = await _open(stage, store, borrower_id, turn, recorded_at, parked)
        number, row = parked[0]
        if row.origin != origin:
            raise Refused("not_the_first_parked", "origin")
        repair.say(said, repair.start)
        left = len(parked) - 1
        if not left:
            repair.say(InputReleased(retried=0), repair.start)
        _, change = repair.finish()
        change.unparked = [number]
        await store.commit(change)
        return left

    return await begun_again(borrower_id, attempt)


async def _said(
    stage: Stage, store: Store, borrower_id: BorrowerId, turn: CommandTurn
) -> Sequence[object]:
    """What this very request has led to before."""
    stored = await said_before(store, parking_place(stage.name, borrower_id), turn)
    envelopes, codec = [read_envelope(one.value) for one in stored], stage.codec()
    return [codec.decode(envelope.type, envelope.data) for envelope in envelopes]


async def _open(
    stage: Stage,
    store: Store,
    borrower_id: BorrowerId,
    turn: CommandTurn,
    recorded_at: datetime,
    parked: Sequence[tuple[int, AgendaRow]],
) -> Saying:
    """Raises Refused where nothing is parked."""
    if not parked:
        raise Refused("nothing_is_parked", "borrower_id")
    return await Saying.open(
        stage, store, parking_place(stage.name, borrower_id), turn, recorded_at
    )

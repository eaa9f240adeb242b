"""Repairing parked input: staff let it be tried again, or give the first of it up with a reason.

A retry puts everything of the borrower back on the agenda of the open day, at its 00:00, in the
order it came (protocol 2.5). Giving up is itself an event; such a case leaves the digest's promise.
Where nothing is parked any more the others are told, so that contact may permit again.
"""

from datetime import datetime

from msgspec.structs import replace

from arrears.shared.eventstore.port import AgendaRow, Change, Store
from arrears.shared.kernel.decider import Refused
from arrears.shared.kernel.ids import BorrowerId, StaffId, derived_id
from arrears.shared.runtime.shelves import Draft, Shelf
from arrears.shared.runtime.stage import (
    TIMER_RANK,
    InputReleased,
    InputSkipped,
    Stage,
    parking_place,
)
from arrears.shared.runtime.transact import begun_again, open_desk
from arrears.shared.runtime.workbench import Cause, Workbench


async def retry_parked(
    stage: Stage,
    store: Store,
    borrower_id: BorrowerId,
    *,
    actor: StaffId,
    recorded_at: datetime,
) -> int:
    """How many inputs go back to the agenda. Raises Refused where none is parked, TooBusy."""

    async def attempt() -> int:
        repair = await Repair.open(stage, store, borrower_id, actor, recorded_at)
        rows: list[AgendaRow] = [
            replace(row, day=repair.day, at=repair.start)
            for _, row in repair.parked
            if row.rank != TIMER_RANK
        ]
        repair.say(InputReleased(retried=len(rows)), "retry")
        change = repair.finish()
        change.agenda_added = rows
        change.unparked = [number for number, _ in repair.parked]
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
    actor: StaffId,
    recorded_at: datetime,
) -> int:
    """Give up the first parked input, which came from `origin`; how many still wait.

    Raises as `retry_parked`, and Refused where another input is the first: asked for twice, or by
    two people, only what they saw is given up.
    """

    async def attempt() -> int:
        repair = await Repair.open(stage, store, borrower_id, actor, recorded_at)
        number, row = repair.parked[0]
        if row.origin != origin:
            raise Refused("not_the_first_parked", "origin")
        repair.say(InputSkipped(origin=row.origin, reason=reason), "skip")
        left = len(repair.parked) - 1
        if not left:
            repair.say(InputReleased(retried=0), "release")
        change = repair.finish()
        change.unparked = [number]
        await store.commit(change)
        return left

    return await begun_again(borrower_id, attempt)


class Repair:
    """One command of staff on what is parked of a borrower, until it is committed."""

    def __init__(
        self,
        bench: Workbench,
        shelf: Shelf,
        borrower_id: BorrowerId,
        actor: StaffId,
        recorded_at: datetime,
    ) -> None:
        assert shelf.open_day is not None
        self.day = shelf.open_day
        self.start = bench.stage.calendar.start_of(self.day)
        self.parked: list[tuple[int, AgendaRow]] = []
        self._bench, self._shelf, self._actor = bench, shelf, actor
        self._stream = parking_place(bench.stage.name, borrower_id)[0]
        self._draft = Draft(recorded_at)

    @classmethod
    async def open(
        cls,
        stage: Stage,
        store: Store,
        borrower_id: BorrowerId,
        actor: StaffId,
        recorded_at: datetime,
    ) -> "Repair":
        """Raises Refused where nothing is parked."""
        parked = await store.parked_inputs(borrower_id)
        if not parked:
            raise Refused("nothing_is_parked", "borrower_id")
        bench, shelf = await open_desk(stage, store, borrower_id)
        await bench.load({shelf.shard: [parking_place(stage.name, borrower_id)]})
        repair = cls(bench, shelf, borrower_id, actor, recorded_at)
        repair.parked = list(parked)
        return repair

    def say(self, event: InputReleased | InputSkipped, verb: str) -> None:
        entry = self._shelf.entries[self._stream]
        cause = derived_id(verb, self.parked[0][1].origin, str(entry.version))
        at = self.start if entry.time is None else max(self.start, entry.time)
        self._bench.decide(
            self._draft, self._shelf, self._stream, event, Cause(id=cause, actor=self._actor), at
        )

    def finish(self) -> Change:
        change = self._draft.finish()
        change.shards[self._shelf.shard].expected_seq = None
        return change

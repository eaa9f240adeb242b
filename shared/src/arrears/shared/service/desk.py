"""The desk of a running service: people's commands over the one write path, rows from tables."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime

import asyncpg

from arrears.shared.eventstore.port import Store, StoredEvent
from arrears.shared.eventstore.projector import projected_row, projected_rows
from arrears.shared.http.desk import Busy, Issued, IssuedEvent
from arrears.shared.kernel.ids import BorrowerId, StaffId, derived_id
from arrears.shared.kernel.reaction import Issue
from arrears.shared.runtime.stage import Clock, Stage
from arrears.shared.runtime.transact import TooBusy, open_desk, transact
from arrears.shared.runtime.workbench import Cause


@contextmanager
def told_busy() -> Iterator[None]:
    """Too many lost races are told to the caller as something to be tried again."""
    try:
        yield
    except TooBusy as error:
        raise Busy from error


def issued(events: Iterable[StoredEvent]) -> Issued:
    """What a command has led to, as it is answered."""
    return Issued(
        events=tuple(
            IssuedEvent(
                id=event.event_id, type=event.type, stream=event.stream, version=event.version
            )
            for event in events
        )
    )


class ServiceDesk:
    """A CommandDesk (http.desk) over the service's store and projections."""

    def __init__(
        self,
        stage: Stage,
        store: Store,
        pool: asyncpg.Pool,
        *,
        clock: Clock,
        wall: Callable[[], datetime],
    ) -> None:
        self._stage = stage
        self._store = store
        self._pool = pool
        self._clock = clock
        self._wall = wall

    async def issue(
        self, issue: Issue, borrower_id: BorrowerId, *, actor: StaffId, idempotency_key: str
    ) -> Issued:
        cause = Cause(id=derived_id("command", actor, idempotency_key), actor=actor)
        with told_busy():
            events = await transact(
                self._stage,
                self._store,
                issue,
                borrower_id,
                cause=cause,
                at=await self.now(borrower_id),
                recorded_at=self._wall(),
            )
        return issued(events)

    async def now(self, borrower_id: BorrowerId) -> datetime:
        """`live`: the wall clock. `feed`: 00:00 of the borrower's open day; streams move it on."""
        if self._clock == "live":
            return self._wall()
        _, shelf = await open_desk(self._stage, self._store, borrower_id)
        assert shelf.open_day is not None
        return self._stage.calendar.start_of(shelf.open_day)

    async def home(self, loan_key: str, borrower_id: BorrowerId) -> BorrowerId:
        return (await self._store.settle_homes({loan_key: borrower_id}))[loan_key]

    async def row(self, projection: str, key: str) -> bytes | None:
        return await projected_row(self._pool, projection, key)

    async def rows(
        self, projection: str, after: str | None, limit: int
    ) -> Sequence[tuple[str, bytes]]:
        return await projected_rows(self._pool, projection, after, limit)

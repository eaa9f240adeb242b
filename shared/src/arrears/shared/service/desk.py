"""The desk of a running service: people's commands over the one write path, rows from tables."""

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime

import asyncpg
from msgspec.json import encode

from arrears.shared.eventstore.port import CommandTurn, Store, StoredEvent
from arrears.shared.eventstore.rows import find_rows, projected_rows
from arrears.shared.http.desk import Issued, IssuedEvent, Kept
from arrears.shared.kernel.ids import BorrowerId
from arrears.shared.kernel.reaction import Issue
from arrears.shared.runtime.stage import Clock, Stage
from arrears.shared.runtime.together import Together
from arrears.shared.runtime.transact import Order, Outcome, asked_by, open_desk, transact_all


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


def _answer(events: Iterable[StoredEvent]) -> bytes:
    return encode(issued(events))


class ServiceDesk:
    """A CommandDesk (http.desk) over the service's store and projections.

    What many ask at once is asked of the database once.
    """

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
        self._orders = Together(self._carry_out)
        self._homes = Together(self._settle)
        self._rows = Together(self._find)

    async def issue(
        self,
        build: Callable[[datetime], Issue],
        borrower_id: BorrowerId,
        *,
        turn: CommandTurn,
    ) -> Issued | Kept:
        recorded_at = self._wall()
        order = Order(
            build=build,
            borrower_id=borrower_id,
            cause=asked_by(turn),
            at=recorded_at if self._clock == "live" else None,
            recorded_at=recorded_at,
            turn=turn,
            answer=_answer,
        )
        done = await self._orders.ask(order)
        return issued(done.events) if done.answer is None else Kept(done.answer)

    async def now(self, borrower_id: BorrowerId) -> datetime:
        """`live`: the wall clock. `feed`: 00:00 of the borrower's open day; streams move it on."""
        if self._clock == "live":
            return self._wall()
        _, shelf = await open_desk(self._stage, self._store, borrower_id)
        assert shelf.open_day is not None
        return self._stage.calendar.start_of(shelf.open_day)

    async def home(self, loan_key: str, borrower_id: BorrowerId) -> BorrowerId:
        return await self._homes.ask((loan_key, borrower_id))

    async def row(self, projection: str, key: str) -> bytes | None:
        return await self._rows.ask((projection, key))

    async def rows(
        self, projection: str, after: str | None, limit: int
    ) -> Sequence[tuple[str, bytes]]:
        return await projected_rows(self._pool, projection, after, limit)

    async def _carry_out(self, orders: Sequence[Order]) -> Sequence[Outcome]:
        return await transact_all(self._stage, self._store, orders)

    async def _settle(self, asked: Sequence[tuple[str, BorrowerId]]) -> Sequence[BorrowerId]:
        homes = await self._store.settle_homes(dict(reversed(asked)))
        return [homes[loan_key] for loan_key, _ in asked]

    async def _find(self, asked: Sequence[tuple[str, str]]) -> Sequence[bytes | None]:
        found: dict[tuple[str, str], bytes] = {}
        for name in {name for name, _ in asked}:
            keys = [key for other, key in asked if other == name]
            rows = await find_rows(self._pool, name, keys)
            found.update(((name, key), row) for key, row in rows.items())
        return [found.get(one) for one in asked]

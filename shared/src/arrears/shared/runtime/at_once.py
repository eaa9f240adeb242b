"""The live clock: what is heard is handled in the transaction that moves the position.

Where there is a backlog, a batch is heard while the one before is being decided, and decided while
the commit of that one is on its way to the store. It is committed only after that one: if that one
fails, both are undone, newest first, and decided again in their order.
"""

import asyncio
from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import datetime
from typing import Final, Protocol

from arrears.shared.eventstore.port import AgendaRow, ShardMoved, Store
from arrears.shared.kernel.ids import BorrowerId, Shard
from arrears.shared.runtime.ears import Ears, Hearing
from arrears.shared.runtime.feed import ReadFacts
from arrears.shared.runtime.handling import Work
from arrears.shared.runtime.live_books import LiveBooks
from arrears.shared.runtime.shelves import Draft
from arrears.shared.runtime.workbench import Workbench

BACKLOG_ROWS: Final = 500
GO_SECONDS: Final = 1.0
"""So long a go reads on; then leases, answers and timers have their turn."""


class Deciding(Protocol):
    """What is needed of the owner of the shards."""

    bench: Workbench
    store: Store
    ears: Ears
    facts: ReadFacts
    now: Callable[[], datetime]
    backlog_rows: int

    @property
    def parked(self) -> Collection[BorrowerId]: ...

    async def draft(self, draft: Draft, works: Sequence[Work]) -> tuple[Work, Exception] | None: ...

    async def catch_up(self, shards: Sequence[Shard]) -> bool: ...

    async def put_off(self, hearing: Hearing) -> None: ...

    async def look(self) -> None: ...

    def committed(self, draft: Draft, firsts: Mapping[Shard, int]) -> None: ...


class _Flight:
    """A commit on its way. The shelves and positions are already as if it had arrived."""

    def __init__(self, owner: Deciding, hearing: Hearing, draft: Draft) -> None:
        self.hearing = hearing
        self.draft = draft
        self.firsts = owner.bench.settle(draft.change)
        self.commit = asyncio.create_task(owner.store.commit(draft.change))

    def undo(self, owner: Deciding) -> None:
        owner.bench.unsettle(self.draft.change)
        self.draft.undo()


class AtOnce:
    """Handles what one owner hears; nothing is on its way when `handle` returns."""

    def __init__(self, owner: Deciding, books: LiveBooks) -> None:
        self._owner = owner
        self._books = books
        self._flight: _Flight | None = None
        self._ahead: asyncio.Task[Hearing | None] | None = None

    async def handle(self, hearing: Hearing) -> None:
        """This hearing, and what follows it while there is a backlog."""
        following: Hearing | None = hearing
        begun = self._owner.now()
        try:
            while following is not None:
                short = abs((self._owner.now() - begun).total_seconds()) < GO_SECONDS
                if short and len(following.rows) >= self._owner.backlog_rows:
                    self._ahead = asyncio.create_task(self._owner.ears.listen(wait_seconds=0.0))
                await self._next(following)
                following = await self._ahead if self._ahead is not None else None
                self._ahead = None
            await self._land()
        except BaseException:
            await self._abandon()
            raise

    async def _next(self, hearing: Hearing) -> None:
        if self._owner.bench.is_crowded():
            await self._land()  # Shelves are about to be cleared, and must be read again whole.
        if self._books.is_behind():
            await self._land()
            await self._owner.look()
        draft = await self._decided(hearing)
        while draft is not None and not await self._land(draft):
            draft = await self._decided(hearing)
        if draft is None:
            await self._land()
        self._flight = await self._launched(hearing, draft)
        if draft is not None and (draft.change.agenda_added or draft.change.effects_added):
            await self._land()  # What waits, and who is blocked, must be known before more is read.

    async def _land(self, following: Draft | None = None) -> bool:
        """Wait for what is on its way. False: shards had moved, and `following` was undone."""
        flight, self._flight = self._flight, None
        stood = True
        while flight is not None:
            try:
                await flight.commit
            except BaseException as error:
                if following is not None and stood:
                    following.undo()
                flight.undo(self._owner)
                if not isinstance(error, ShardMoved):
                    raise
                stood = False
                await self._owner.catch_up(error.shards)
                again = await self._decided(flight.hearing)
                flight = await self._launched(flight.hearing, again)
                continue
            self._owner.committed(flight.draft, flight.firsts)
            self._books.heard(flight.draft.change.agenda_added)
            break
        return stood

    async def _abandon(self) -> None:
        """Everything will be read again from the store: it only must not change under that."""
        flight, self._flight = self._flight, None
        ahead, self._ahead = self._ahead, None
        if ahead is not None:
            ahead.cancel()
        left = {task for task in (ahead, flight.commit if flight else None) if task is not None}
        for task in left:
            await asyncio.wait({task})
            if not task.cancelled():
                task.exception()

    async def _launched(self, hearing: Hearing, draft: Draft | None) -> _Flight | None:
        """What could not be decided at once goes through the agenda."""
        if draft is None:
            await self._owner.put_off(hearing)
            return None
        return _Flight(self._owner, hearing, draft)

    # --- Deciding

    async def _decided(self, hearing: Hearing) -> Draft | None:
        """What the rows of our own shards bring. None: our code failed on one of them.

        A borrower that waits for an effect, is parked or has earlier lines keeps its order in the
        agenda.
        """
        owner = self._owner
        draft = Draft(owner.now())
        works, later = self._works(hearing, draft)
        if await owner.draft(draft, works) is not None:
            draft.undo()
            return None
        change = draft.finish()
        owner.facts.forget(change.agenda_deleted)
        change.agenda_deleted.clear()
        change.positions = hearing.change.positions
        change.refused.extend(hearing.change.refused)
        left = [line.row for work in works for line in work.day.lines[work.used :]]
        change.agenda_added = [*later, *left]
        return draft

    def _works(self, hearing: Hearing, draft: Draft) -> tuple[list[Work], list[AgendaRow]]:
        """Who is free to be handled, and the rows of the others."""
        owner, now = self._owner, draft.recorded_at
        by_shard: dict[Shard, list[AgendaRow]] = {}
        later: list[AgendaRow] = []
        free: dict[tuple[Shard, BorrowerId], bool] = {}
        for row in hearing.rows:
            key = (row.shard, row.borrower_id)
            if key not in free:
                parked = row.borrower_id in owner.parked
                free[key] = not parked and self._books.is_free(*key, now)
            free[key] = free[key] and row.at <= now
            if free[key]:
                by_shard.setdefault(row.shard, []).append(row)
            else:
                later.append(row)
        works: list[Work] = []
        for shard, rows in by_shard.items():
            book = self._books.book_of_now(shard, owner.bench.shelves[shard].open_day, now)
            book.add_rows(rows)
            works.extend(Work(book, whose, day) for whose, day in book.borrowers.items())
        return works, later

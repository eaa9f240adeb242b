"""The day books of a worker's shards under the wall clock: always open, growing as time passes.

At midnight a book closes over borrowers that wait for an answer, and what waits with them joins the
next one. What waits for an answer stays in the store until then: a gateway that is away for hours
must cost no memory, and must hold up nobody else.

What is heard may be handled at once only where nothing of its borrower has come before. So a book
must know every row whose time has come, also between two looks at the store: each `Sight` says up
to when its book does.
"""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from datetime import date, datetime, timedelta
from heapq import heapify, heappop, heappush
from typing import Final

from arrears.shared.eventstore.port import AgendaRow, PendingEffect, Store
from arrears.shared.kernel.business_day import ONE_DAY
from arrears.shared.kernel.ids import BorrowerId, Shard
from arrears.shared.runtime import books
from arrears.shared.runtime.agenda import DayBook
from arrears.shared.runtime.books import Books, by_shard
from arrears.shared.runtime.ears import Ears
from arrears.shared.runtime.shelves import Shelf
from arrears.shared.runtime.stage import Stage

LOOK_SECONDS: Final = 0.2
AHEAD: Final = timedelta(seconds=10)
"""So far a look sees ahead, whenever half of it has passed."""


class Sight:
    """What a book knows of the rows that wait in the store."""

    __slots__ = ("_coming", "back", "left", "until")

    def __init__(self, until: datetime) -> None:
        self.until = until
        """Rows of an earlier time are known, in the book or as coming, but for those `left`."""
        self.left: set[BorrowerId] = set()
        """Borrowers that wait for an answer: rows of theirs may be in the store alone."""
        self.back: set[BorrowerId] = set()
        """Their answer is there; they wait on until those rows were read."""
        self._coming: list[tuple[datetime, int, AgendaRow]] = []

    def see(self, until: datetime, coming: Iterable[AgendaRow]) -> None:
        """These rows, and no others, have their time between now and then."""
        self.until = until
        self._coming = [(row.at, row.row_id, row) for row in coming]
        heapify(self._coming)

    def heard(
        self, rows: Sequence[AgendaRow], blocked: Collection[BorrowerId], now: datetime
    ) -> list[AgendaRow]:
        """Note rows that were just added to the store; those that have come and wait for nobody.

        Where earlier rows may be there that are not known, these are read after them.
        """
        come: list[AgendaRow] = []
        if self.until <= now:
            return come
        for row in rows:
            if row.borrower_id in blocked:
                self.left.add(row.borrower_id)
            elif row.at <= now:
                come.append(row)
            elif row.at < self.until:
                heappush(self._coming, (row.at, row.row_id, row))
        return come

    def come(self, now: datetime) -> list[AgendaRow]:
        """Rows whose time has come since they were seen."""
        rows = []
        while self._coming and self._coming[0][0] <= now:
            rows.append(heappop(self._coming)[2])
        return rows


class LiveBooks(Books):
    """One day book per shard, with the sight of each."""

    def __init__(
        self, stage: Stage, store: Store, ears: Ears, *, now: Callable[[], datetime]
    ) -> None:
        super().__init__(stage, store, ears)
        self._now = now
        self._sights: dict[Shard, Sight] = {}
        self._looked_at: datetime | None = None
        self._must_look = False

    # --- Looking

    async def open(self, shelves: Mapping[Shard, Shelf], pending: Sequence[PendingEffect]) -> None:
        """Open what is not; rows and timers that have fallen due since the last look."""
        now = self._now()
        for shard, shelf in shelves.items():
            if shard not in self._books and shelf.open_day is not None:
                self._books[shard] = DayBook(shard, shelf.open_day, self._stage.calendar, now)
                self._sights[shard] = Sight(now)
                self._must_look = True  # Who is blocked, and what waits there, must be known.
        if self._must_look or not self._looked_lately(now):
            await self._look(now, pending)

    def is_behind(self) -> bool:
        """Whether rows may have come that are not known: then nobody is free before a look."""
        now = self._now()
        behind = any(sight.until < now + AHEAD / 4 for sight in self._sights.values())
        return behind and not self._looked_lately(now)

    def _looked_lately(self, now: datetime) -> bool:
        looked = self._looked_at
        return looked is not None and abs(now - looked).total_seconds() < LOOK_SECONDS

    async def _look(self, now: datetime, pending: Sequence[PendingEffect]) -> None:
        """Shards that were not reached before are read first, and no more than can be held."""
        self._looked_at = now
        for book in self._books.values():
            book.until = min(now, self._stage.calendar.start_of(book.day + ONE_DAY))
        sights = self._sights.items()
        first = [shard for shard, sight in sights if sight.back or sight.until <= now]
        others = self._books.keys() - set(first)
        room = books.ROWS_MAX - sum(
            len(day.lines) for book in self._books.values() for _, day in book.waiting()
        )
        if room > 0:
            room -= await self._read(first, now, far=True)
        if room > 0:
            far = any(self._sights[shard].until < now + AHEAD / 2 for shard in others)
            await self._read(others, now, far=far)
        self.requested(pending)
        for shard, sight in sights:
            sight.left = self._leave(self._books[shard])
        for timer in await self._store.timers(sorted(self._books), now):
            self._books[timer.shard].set_timer(timer.borrower_id, timer.stream, timer.due_at)
        self._must_look = any(sight.back or sight.until <= now for _, sight in sights)

    async def _read(self, shards: Collection[Shard], now: datetime, *, far: bool) -> int:
        """How many rows the store had for the books and, where it is read `far`, for later."""
        before = now + AHEAD if far else now
        # What comes back from a later stage is of the next day, and heard today (protocol 3.2).
        day = self._stage.calendar.day_of(before) + ONE_DAY
        rows, whole = await self._rows(shards, day, before, free_only=True)
        parts = by_shard(rows)
        for shard in whole:
            book, sight, part = self._books[shard], self._sights[shard], parts.get(shard, ())
            book.blocked -= sight.back
            sight.back.clear()
            book.add_rows([row for row in part if row.at <= now])
            if far:
                sight.see(before, [row for row in part if row.at > now])
            book.add_rows(sight.come(now))
        return len(rows)

    def _leave(self, book: DayBook) -> set[BorrowerId]:
        """Lines of borrowers that wait for an answer are read again when it is there."""
        for borrower_id in book.blocked:
            book.remove(borrower_id)
        return set(book.blocked)

    # --- What joins

    def heard(self, rows: Sequence[AgendaRow]) -> None:
        """What has come is known at once: what is heard next must not pass it."""
        now = self._now()
        for shard, part in by_shard(rows).items():
            book = self._books.get(shard)
            if book is not None:
                sight = self._sights[shard]
                book.add_rows([*sight.come(now), *sight.heard(part, book.blocked, now)])

    def answered(
        self,
        effect: PendingEffect,
        rows: Sequence[AgendaRow],
        still_waiting: Collection[BorrowerId],
    ) -> None:
        """No rows: they, if any, were put in the store by another."""
        book = self._books.get(effect.shard)
        if book is None:
            return
        sight, borrower_id = self._sights[effect.shard], effect.borrower_id
        book.add_rows(sight.heard(rows, (), self._now()))
        if borrower_id in still_waiting:
            return
        if borrower_id in sight.left or not rows:
            sight.back.add(borrower_id)
            self._must_look = True
        else:
            book.blocked.discard(borrower_id)

    async def reload_timers(
        self, shards: Collection[Shard], pending: Sequence[PendingEffect]
    ) -> None:
        """The store has left out the rows of whom we did not know to wait for an answer."""
        for effect in pending:
            book = self._books.get(effect.shard)
            if book is not None and effect.borrower_id not in book.blocked:
                self._sights[effect.shard].left.add(effect.borrower_id)
        await super().reload_timers(shards, pending)

    async def reload(self) -> None:
        """Others have put rows there that no look has shown: nobody is free before one."""
        now = self._now()
        for sight in self._sights.values():
            sight.see(now, ())
        self._must_look = True

    def drop(self, shard: Shard) -> None:
        super().drop(shard)
        self._sights.pop(shard, None)

    # --- What is to do

    def finished(self) -> list[DayBook]:
        """The wall clock waits for nobody: under it an answer that is missing at midnight, or for
        good, must not hold up the other borrowers of its shard.
        """
        today = self._stage.calendar.day_of(self._now())
        return [book for book in self._books.values() if book.day < today and book.idle()]

    def is_free(self, shard: Shard, borrower_id: BorrowerId, now: datetime) -> bool:
        """Whether a line of the borrower may be handled at once, before anything else of it."""
        book = self._books.get(shard)
        if book is None or borrower_id in book.blocked:
            return False
        sight = self._sights[shard]
        if sight.until <= now:
            return False
        come = sight.come(now)
        if come:
            book.add_rows(come)
        waiting = book.borrowers.get(borrower_id)
        return waiting is None or not (waiting.lines or waiting.timers)

    def book_of_now(self, shard: Shard, day: date | None, now: datetime) -> DayBook:
        """For what is handled at once."""
        assert day is not None
        book = DayBook(shard, day, self._stage.calendar, now)
        book.start = now
        return book

"""The day books of a worker's shards: when they open, what joins them, when they are done.

Those of the feed's clock; `live_books` has those of the wall clock.
"""

from collections.abc import Collection, Mapping, Sequence
from datetime import date, datetime

from arrears.shared.eventstore.port import AgendaRow, PendingEffect, Store
from arrears.shared.kernel.business_day import ONE_DAY
from arrears.shared.kernel.ids import BorrowerId, Shard
from arrears.shared.runtime.agenda import DayBook
from arrears.shared.runtime.ears import Ears
from arrears.shared.runtime.handling import Work
from arrears.shared.runtime.shelves import Shelf
from arrears.shared.runtime.stage import Stage

ROWS_MAX = 50_000


class Books:
    """One day book per shard whose day can be worked on.

    A book opens when all sources have closed the day, and then holds all of it.
    """

    def __init__(self, stage: Stage, store: Store, ears: Ears) -> None:
        self._stage = stage
        self._store = store
        self._ears = ears
        self._books: dict[Shard, DayBook] = {}
        self._quiet: set[Shard] = set()
        """Nothing was due on the last day that was opened."""

    async def open(
        self,
        shelves: Mapping[Shard, Shelf],
        pending: Sequence[PendingEffect],
    ) -> None:
        """Open what has become ready, with its rows, timers and waiting effects."""
        waiting = {shard: s for shard, s in shelves.items() if shard not in self._books}
        if waiting:
            await self._ears.look_at_feed()
        ready: dict[date, list[Shard]] = {}
        for shard, shelf in waiting.items():
            day = shelf.open_day
            if day is not None and self._ears.complete(shard, day):
                ready.setdefault(day, []).append(shard)
        for day, shards in ready.items():
            await self._open_day(day, shards, pending)

    async def _open_day(
        self, day: date, shards: Sequence[Shard], pending: Sequence[PendingEffect]
    ) -> None:
        """Where all of them had an empty day they are taken to have another: the closing finds
        out. It is one statement for all, so a few that are empty among busy ones gain nothing.
        """
        calendar = self._stage.calendar
        until = calendar.start_of(day + ONE_DAY)
        if self._quiet.issuperset(shards) and not any(one.shard in shards for one in pending):
            for shard in shards:
                self._books[shard] = DayBook(shard, day, calendar, until, unseen=True)
            return
        due = await self._store.due(shards, day, until)
        rows, whole = await self._rows(due, day, until)
        for shard in shards:
            if shard in whole or shard not in due:
                self._books[shard] = DayBook(shard, day, calendar, until)
        self._quiet.difference_update(due)
        self._quiet.update(shard for shard in shards if shard not in due)
        for shard, part in by_shard(rows).items():
            self._books[shard].add_rows(part)
        for timer in await self._store.timers(sorted(whole), until) if whole else ():
            self._books[timer.shard].set_timer(timer.borrower_id, timer.stream, timer.due_at)
        self.requested(pending)

    async def _rows(
        self, shards: Collection[Shard], day: date, until: datetime, *, free_only: bool = False
    ) -> tuple[list[AgendaRow], set[Shard]]:
        """Rows of as many shards as memory should hold, and which shards these are.

        The store answers in order of shard and cuts between shards, so the shards after the last
        one that it named are not known to be empty.
        """
        rows: list[AgendaRow] = []
        whole: set[Shard] = set()
        left = sorted(shards)
        while left and len(rows) < ROWS_MAX:
            part = await self._store.agenda(left, day, until, limit=ROWS_MAX, free_only=free_only)
            last = max((row.shard for row in part), default=left[-1])
            rows.extend(part)
            whole.update(shard for shard in left if shard <= last)
            left = [shard for shard in left if shard > last]
        return rows, whole

    # --- What joins

    def heard(self, rows: Sequence[AgendaRow]) -> None:
        """Rows just committed: they wait until their day opens."""

    def requested(self, effects: Sequence[PendingEffect]) -> None:
        """While an effect is unanswered nothing of its borrower is handled (protocol 3.4)."""
        for effect in effects:
            if effect.shard in self._books:
                self._books[effect.shard].blocked.add(effect.borrower_id)

    def answered(
        self,
        effect: PendingEffect,
        rows: Sequence[AgendaRow],
        still_waiting: Collection[BorrowerId],
    ) -> None:
        """The answers of today join today's agenda; the borrower goes on when all are there."""
        book = self._books.get(effect.shard)
        if book is not None:
            if effect.borrower_id not in still_waiting:
                book.blocked.discard(effect.borrower_id)
            book.add_rows([row for row in rows if row.at < book.until])

    async def reload_timers(
        self, shards: Collection[Shard], pending: Sequence[PendingEffect]
    ) -> None:
        """Commands from outside may have set timers or asked for effects."""
        books = {shard: self._books[shard] for shard in shards if shard in self._books}
        for book in [book for book in books.values() if book.unseen]:
            self.see(book)
            del books[book.shard]
        if books:
            until = max(book.until for book in books.values())
            for timer in await self._store.timers(sorted(books), until):
                books[timer.shard].set_timer(timer.borrower_id, timer.stream, timer.due_at)
            self.requested([effect for effect in pending if effect.shard in books])

    async def reload(self) -> None:
        """Rows and timers that came back to days which are open already."""
        for shard, book in self._books.items():
            book.add_rows(await self._store.agenda([shard], book.day, book.until, limit=ROWS_MAX))
            book.add_timers(await self._store.timers([shard], book.until))

    # --- What is to do

    def works(self, lines_max: int, alone: Collection[BorrowerId]) -> list[Work]:
        """Borrowers with something to do, about `lines_max` lines of them; suspects go alone."""
        found: list[Work] = []
        lines = 0
        for book in self._books.values():
            for borrower_id, day in book.waiting():
                work = Work(book, borrower_id, day)
                if borrower_id in alone:
                    return [work]
                found.append(work)
                lines += len(day.lines) + len(day.timers)
                if lines >= lines_max:
                    return found
        return found

    def finished(self) -> list[DayBook]:
        """Books of days that may close."""
        return [book for book in self._books.values() if book.done()]

    def take_parked(self, parked: Collection[BorrowerId]) -> list[AgendaRow]:
        """Lines of parked borrowers leave the books; their timers wait for the retry."""
        rows: list[AgendaRow] = []
        if parked:
            for book in self._books.values():
                for borrower_id in [b for b in book.borrowers if b in parked]:
                    rows.extend(book.remove(borrower_id))
        return rows

    def forget(self, shard: Shard, borrower_id: BorrowerId) -> None:
        """The borrower was parked: its lines and timers wait elsewhere."""
        book = self._books.get(shard)
        if book is not None:
            book.remove(borrower_id)

    def drop(self, shard: Shard) -> None:
        self._books.pop(shard, None)

    def see(self, book: DayBook) -> None:
        """A book that was taken for empty may not be: it is opened anew with what is in it."""
        if book.unseen:
            self._quiet.discard(book.shard)
            self.drop(book.shard)

    def open_days(self) -> Mapping[Shard, date]:
        return {shard: book.day for shard, book in self._books.items()}


def by_shard(rows: Sequence[AgendaRow]) -> dict[Shard, list[AgendaRow]]:
    found: dict[Shard, list[AgendaRow]] = {}
    for row in rows:
        found.setdefault(row.shard, []).append(row)
    return found

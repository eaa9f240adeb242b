"""The owner of shards: hears, decides, acts and publishes, each a step that can be driven by hand.

An owner keeps what it has read of its shards in memory: shelves, day books, positions. All of it
is dropped when a commit says that somebody else moved what we thought was ours (`Fenced`).
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime

import structlog

from arrears.shared.eventstore.port import Change, ShardMoved, ShardState, Store
from arrears.shared.kernel.business_day import ONE_DAY
from arrears.shared.kernel.ids import BorrowerId, Shard, StreamName
from arrears.shared.kernel.reaction import Gateway
from arrears.shared.runtime.at_once import BACKLOG_ROWS, AtOnce
from arrears.shared.runtime.books import Books
from arrears.shared.runtime.bus import Bus, Publisher
from arrears.shared.runtime.ears import Ears, Hearing
from arrears.shared.runtime.effects import Effects
from arrears.shared.runtime.feed import ReadFacts
from arrears.shared.runtime.handling import Handler, Work, park_row, short
from arrears.shared.runtime.inbox import UnwrittenMoves
from arrears.shared.runtime.live_books import LiveBooks
from arrears.shared.runtime.poison import PoisonCount
from arrears.shared.runtime.relay import Relay
from arrears.shared.runtime.shelves import Draft
from arrears.shared.runtime.stage import Clock, Stage, parking_place
from arrears.shared.runtime.workbench import Workbench, shard_stream

log = structlog.get_logger(__name__)

Committed = Callable[[Mapping[Shard, tuple[int, Sequence[object]]]], None]
"""Hears of every commit: per shard the first seq and the events, as they were decided."""

LINES_MAX = 2000
BORROWERS_IN_A_ROW = 20


class Owner:
    """The shards that one worker holds, and the steps that move them.

    `clock` is `feed` (the bank's closings move time) or `live` (the wall clock). `now` is the wall
    clock; in `feed` it only stamps recorded times.
    """

    def __init__(
        self,
        stage: Stage,
        store: Store,
        bus: Bus,
        publisher: Publisher,
        *,
        clock: Clock,
        now: Callable[[], datetime],
        gateway: Gateway | None = None,
    ) -> None:
        if clock == "feed" and gateway is not None and not gateway.sandbox:
            raise ValueError("a real gateway refuses to start under the feed's clock")
        self.stage = stage
        self.store = store
        self.clock = clock
        self.now = now
        self.bench = Workbench(stage, store)
        self.facts = ReadFacts(stage.feed)
        self.handler = Handler(self.bench, self.facts, now)
        self.relay = Relay(store, bus, publisher, stage.topic)
        self.ears = Ears(stage, store, bus, self.facts, clock=clock, now=now)
        self.effects = Effects(
            stage,
            store,
            gateway,
            self.bench.codec,
            now,
            clock=clock,
            caught_up=self.ears.caught_up,
        )
        self.books = Books(stage, store, self.ears)
        self._at_once: AtOnce | None = None
        if clock == "live":
            self.books = live = LiveBooks(stage, store, self.ears, now=now)
            self._at_once = AtOnce(self, live)
        self.parked: set[BorrowerId] = set()
        self.on_commit: Committed = lambda _events: None
        self.woken: Callable[[], None] = lambda: None
        self.backlog_rows = BACKLOG_ROWS
        self._unwritten = UnwrittenMoves()
        self._alone: set[BorrowerId] = set()
        self._opened: set[Shard] = set()
        self._poison = PoisonCount(now)

    # --- Holding shards

    @property
    def shards(self) -> Sequence[Shard]:
        return sorted(self.bench.shelves)

    async def take(self, states: Sequence[ShardState], feed_partitions: Sequence[int] = ()) -> None:
        """Begin to own shards (and for intake read feed partitions) under a lease just won."""
        shards = [state.shard for state in states]
        for state in states:
            self.bench.open_shelf(state)
        await self.relay.take(shards)
        for state in states:
            self.relay.notice(state.shard, state.last_seq)
        await self.effects.take(shards)
        parked = await self.store.parked_borrowers(shards)
        self.parked.update(parked)
        self._poison.remember(parked)
        await self.ears.take(shards, feed_partitions)
        await self._open_heard_first_days()
        if self.clock == "live":
            await self._open_first_days(
                dict.fromkeys(shards, self.stage.calendar.day_of(self.now()))
            )
            # What is heard next can be handled at once only where it is known who must wait, also
            # behind what the last reader of a partition of the feed has put into the agenda.
            await self.books.reload()
            await self.look()

    async def drop(self, shards: Sequence[Shard], feed_partitions: Sequence[int] = ()) -> None:
        """Forget everything prepared for shards whose lease is gone or given up."""
        for shard in shards:
            self.bench.shelves.pop(shard, None)
            self.books.drop(shard)
        self.relay.drop(shards)
        self.effects.drop(shards)
        await self.ears.drop(shards, feed_partitions)
        self._unwritten.keep(self.ears.places())

    # --- Steps

    async def hear(self, *, wait_seconds: float = 0.0) -> bool:
        """One round of listening: positions and agenda rows in one transaction."""
        hearing = await self.ears.listen(wait_seconds=wait_seconds)
        if hearing is None:
            return False
        if self._at_once is not None:
            await self._at_once.handle(hearing)
            return True  # Its first days were opened when the shards were taken.
        if self.ears.may_wait(hearing):
            self._unwritten.add(hearing.change.positions)
        else:
            await self.put_off(hearing)
        await self._open_first_days(hearing.first_days)
        return True

    async def put_off(self, hearing: Hearing) -> None:
        """Write what was heard into the agenda, for its day or for its turn."""
        self._unwritten.add(hearing.change.positions)
        hearing.change.agenda_added = hearing.rows
        hearing.change.positions = self._unwritten.moves()
        await self._write(hearing.change)
        self.books.heard(hearing.rows)

    async def look(self) -> None:
        """Open the books that are ready, with what is due in them."""
        await self.books.open(self.bench.shelves, self.effects.pending())

    async def handle(self) -> bool:
        """Decide one batch of what is ready, or close the days that are done."""
        if self.parked:
            await self._let_go_on()
        await self.look()
        await self._put_aside()
        works = self.books.works(LINES_MAX, self._alone)
        if works:
            await self._decide(works)
            return True
        return await self._close_days()

    async def act(self) -> bool:
        """Carry out one batch of effects; the answers of today join today's agenda."""
        answered = await self.effects.step()
        if not all(rows for _, rows in answered):
            await self.books.reload()  # Their answers, if any, were put in the agenda by another.
        waiting = {effect.borrower_id for effect in self.effects.pending()} if answered else set()
        for effect, rows in answered:
            self.books.answered(effect, rows, waiting)
        return bool(answered)

    async def publish(self) -> bool:
        return await self.relay.step()

    async def refresh(self) -> bool:
        """Look whether commands appended to our shards, so that nothing waits unseen."""
        if self._unwritten:
            await self._write(Change())
        return await self.catch_up(self.shards)

    async def _write(self, change: Change) -> None:
        """Commit with the positions that waited; what is written with them waits no more."""
        change.positions = change.positions or self._unwritten.moves()
        await self.store.commit(change)
        self._unwritten.clear()

    async def _let_go_on(self) -> None:
        """Borrowers whose parked input staff sent back are handled again (protocol 2.5)."""
        parked = set(await self.store.parked_borrowers(self.shards))
        if self.parked - parked:
            await self.books.reload()
        self.parked = parked

    async def _put_aside(self) -> None:
        """What comes for a parked borrower waits behind what is parked, unless staff have just sent
        that back: then the shard has moved, and it is in the agenda still."""
        aside = self.books.take_parked(self.parked)
        if not aside:
            return
        draft = Draft(self.now())
        for shard in {row.shard for row in aside}:
            self.bench.shard_change(draft, self.bench.shelves[shard])
        draft.change.agenda_deleted = aside
        draft.change.parked = [park_row(row, draft.recorded_at) for row in aside]
        try:
            await self.store.commit(draft.change)
        except ShardMoved as moved:
            await self.catch_up(moved.shards)
            await self.books.reload()

    # --- Deciding

    async def _decide(self, works: Sequence[Work]) -> None:
        while True:
            draft = Draft(self.now())
            failed = await self.draft(draft, works)
            if failed is not None:
                draft.undo()
                works = await self._isolate(failed)
                if not works:
                    return
                continue
            if await self._commit(draft):
                break
            # A command may have asked for an effect: nothing more of its borrower until the answer.
            works = [work for work in works if work.borrower_id not in work.book.blocked]
            if not works:
                return
        for work in works:
            self._advance(draft, work)

    async def draft(self, draft: Draft, works: Sequence[Work]) -> tuple[Work, Exception] | None:
        """Decide all works into the draft; the first that our own code fails on is returned."""
        await self.handler.read_facts(works, LINES_MAX)
        wanted: dict[Shard, list[tuple[StreamName, str, BorrowerId]]] = {}
        for work in works:
            streams = self.handler.prepare(work, LINES_MAX)
            wanted.setdefault(work.book.shard, []).extend(streams)
        await self.bench.load(wanted)
        for number, work in enumerate(works):
            if number % BORROWERS_IN_A_ROW == 0:
                await asyncio.sleep(0)  # What is being committed and published goes on meanwhile.
            try:
                self.handler.decide(draft, work, self.bench.shelves[work.book.shard])
            except Exception as error:
                return work, error
        return None

    async def _isolate(self, failed: tuple[Work, Exception]) -> Sequence[Work]:
        """A failing borrower is tried alone; what succeeds before the bad line is kept."""
        work, error = failed
        if work.borrower_id not in self._alone:
            self._alone.add(work.borrower_id)
            return [work]
        self._poison.check(work.borrower_id, short(error))
        draft = await self._draft_before(work)
        shard = work.book.shard
        await self.bench.load({shard: [parking_place(self.stage.name, work.borrower_id)]})
        self.handler.park(draft, work, self.bench.shelves[shard], error)
        if await self._commit(draft):
            self._alone.discard(work.borrower_id)
            self.parked.add(work.borrower_id)
            self.books.forget(work.book.shard, work.borrower_id)
            self._poison.note(work.borrower_id)
        return ()

    async def _draft_before(self, work: Work) -> Draft:
        """What the borrower has to do before the instant at which it failed."""
        day, book = work.day, work.book
        lines, timers, until = day.lines, day.timers, book.until
        used, failed_at = work.used, work.at
        draft = Draft(self.now())
        day.lines, book.until = lines[:used], failed_at or book.start
        day.timers = {stream: at for stream, at in timers.items() if at < book.until}
        try:
            if await self.draft(draft, [work]) is not None or work.used != used:
                draft.undo()
                draft, work.used = Draft(self.now()), 0
        finally:
            day.lines, day.timers, book.until = lines, timers, until
            work.at = failed_at
        return draft

    async def _commit(self, draft: Draft) -> bool:
        """Commit and settle. False: the shards moved and were refreshed; decide again."""
        change = draft.finish()
        try:
            await self._write(change)
        except ShardMoved as moved:
            draft.undo()
            await self.catch_up(moved.shards)
            return False
        except Exception:
            draft.undo()
            raise
        self.committed(draft, self.bench.settle(change))
        return True

    def committed(self, draft: Draft, firsts: Mapping[Shard, int]) -> None:
        """Hand on what a commit has brought; `firsts` is the first seq of each shard's events."""
        change = draft.change
        self.facts.forget(change.agenda_deleted)
        self.relay.offer({s: (first, change.shards[s].events) for s, first in firsts.items()})
        self.on_commit({s: (first, draft.decided.get(s, ())) for s, first in firsts.items()})
        self.effects.add(change.effects_added, draft.requests)
        self.books.requested(change.effects_added)
        self.woken()

    def _advance(self, draft: Draft, work: Work) -> None:
        del work.day.lines[: work.used]
        work.day.timers = draft.timers_after.get((work.book.shard, work.borrower_id), {})
        work.book.forget_finished([work.borrower_id])
        self._alone.discard(work.borrower_id)

    async def catch_up(self, shards: Sequence[Shard]) -> bool:
        moved: list[Shard] = []
        for state in await self.store.shard_states():
            shelf = self.bench.shelves.get(state.shard)
            if shelf is None or state.shard not in shards:
                continue
            if state.last_seq != shelf.last_seq or state.open_day != shelf.open_day:
                moved.append(state.shard)
                await self.bench.refresh(state)
                self.relay.notice(state.shard, state.last_seq)
        if moved:
            await self.effects.take(moved)
            await self.books.reload_timers(moved, self.effects.pending())
        return bool(moved)

    # --- Days

    async def _open_heard_first_days(self) -> None:
        """A worker that died between hearing the first day and opening it leaves it to the next."""
        known = {
            shard: self.ears.first_day(shard)
            for shard, shelf in self.bench.shelves.items()
            if shelf.open_day is None
        }
        await self._open_first_days({s: day for s, day in known.items() if day is not None})

    async def _open_first_days(self, days: dict[Shard, date]) -> None:
        for shard, day in days.items():
            shelf = self.bench.shelves.get(shard)
            if shelf is None and shard not in self._opened:
                await self.store.open_first_day(shard, day)
            elif shelf is not None and shelf.open_day is None:
                shelf.open_day = await self.store.open_first_day(shard, day)
            self._opened.add(shard)

    async def _close_days(self) -> bool:
        """Close the day of every shard whose agenda is empty, all in one transaction."""
        done = self.books.finished()
        if not done:
            return False
        name = self.stage.name
        await self.bench.load(
            {
                book.shard: [
                    (
                        shard_stream(name, book.shard),
                        f"{name}.shard",
                        BorrowerId(shard_stream(name, book.shard)),
                    )
                ]
                for book in done
            }
        )
        draft = Draft(self.now())
        for book in done:
            shelf = self.bench.shelves[book.shard]
            idle_until = book.until if book.unseen else None
            self.bench.close_day(draft, shelf, book.day, book.day + ONE_DAY, idle_until)
        closed = await self._commit(draft)
        for book in done:
            if closed:
                self.books.drop(book.shard)
            else:
                self.books.see(book)
        return True

"""The cache of shards, and what is being prepared on it.

A shelf is the cache of one shard. It may be trusted only while the store's `last_seq`, read under
the lock, equals the shelf's (protocol 1.4): every commit checks that.
"""

from datetime import datetime

from msgspec import Struct

from arrears.shared.eventstore.codec import NO_HASH
from arrears.shared.eventstore.port import Change, ShardState, Timer
from arrears.shared.kernel.ids import BorrowerId, EventId, Shard, StreamName


class Snapshot(Struct, frozen=True, gc=False):
    """An entry as it was before a draft touched it."""

    state: object
    version: int
    hash: str
    time: datetime | None
    due: datetime | None


class Entry:
    """A stream on the shelf: its folded state, and what the next event of it needs."""

    __slots__ = ("borrower_id", "category", "digests", "due", "hash", "state", "time", "version")

    def __init__(self, category: str, borrower_id: BorrowerId, initial: object) -> None:
        self.category = category
        self.borrower_id = borrower_id
        self.state = initial
        self.version = 0
        self.hash = NO_HASH
        self.time: datetime | None = None
        self.due: datetime | None = None
        self.digests: dict[str, str] = {}

    def snapshot(self) -> Snapshot:
        return Snapshot(self.state, self.version, self.hash, self.time, self.due)

    def restore(self, saved: Snapshot) -> None:
        self.state, self.version, self.hash = saved.state, saved.version, saved.hash
        self.time, self.due = saved.time, saved.due


class Shelf:
    """One shard's cached streams, true as of `last_seq`."""

    __slots__ = ("entries", "epoch", "last_seq", "open_day", "shard")

    def __init__(self, state: ShardState) -> None:
        self.shard = state.shard
        self.last_seq = state.last_seq
        self.epoch: int | None = state.epoch
        self.open_day = state.open_day
        self.entries: dict[StreamName, Entry] = {}


class Draft:
    """What is being prepared for one commit, and how to undo it on the shelves."""

    def __init__(self, recorded_at: datetime) -> None:
        self.change = Change()
        self.recorded_at = recorded_at
        self.requests: dict[EventId, object] = {}
        self.decided: dict[Shard, list[object]] = {}
        self.timers_after: dict[tuple[Shard, BorrowerId], dict[StreamName, datetime]] = {}
        self._saved: dict[tuple[Shard, StreamName], tuple[Entry, Snapshot, list[str]]] = {}

    def touch(self, shard: Shard, stream: StreamName, entry: Entry) -> None:
        key = (shard, stream)
        if key not in self._saved:
            self._saved[key] = (entry, entry.snapshot(), [])

    def remember_digest(self, shard: Shard, stream: StreamName, event_id: str) -> None:
        self._saved[(shard, stream)][2].append(event_id)

    def undo(self) -> None:
        for entry, saved, digests in self._saved.values():
            entry.restore(saved)
            for event_id in digests:
                entry.digests.pop(event_id, None)
        self._saved.clear()

    def finish(self, *, every_timer: bool = False) -> Change:
        """The change with the timers that differ from what the store knows.

        What was just loaded does not know which timers have fired without an event, so a command
        writes `every_timer` of the streams it touched.
        """
        for (shard, stream), (entry, before, _) in self._saved.items():
            if every_timer or entry.due != before.due:
                self.change.timers.append(
                    Timer(
                        shard=shard, stream=stream, borrower_id=entry.borrower_id, due_at=entry.due
                    )
                )
        return self.change

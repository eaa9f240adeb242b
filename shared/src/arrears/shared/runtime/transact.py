"""The write path of a single command: load, decide, append; on a concurrent append start over.

It is the batch path of one: the same workbench decides, the same commit appends. A command holds no
lease; the versions of its stream protect it, and its business day comes from the shard row
(protocol 1.3).
"""

from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from typing import Final, TypeVar

from arrears.shared.eventstore.codec import read_envelope
from arrears.shared.eventstore.port import (
    EventRepeated,
    Fenced,
    ShardMoved,
    Store,
    StoredEvent,
    StreamMoved,
)
from arrears.shared.kernel.decider import Refused
from arrears.shared.kernel.ids import BorrowerId, Shard, StreamName, shard_of, stream_name
from arrears.shared.kernel.reaction import Issue
from arrears.shared.runtime.shelves import Draft, Shelf
from arrears.shared.runtime.stage import Stage
from arrears.shared.runtime.workbench import Cause, Workbench

ATTEMPTS_MAX: Final = 5
Done = TypeVar("Done")


class TooBusy(Exception):
    """Others appended to the stream at every attempt. Nothing was written; try again."""


async def begun_again(what: str, attempt: Callable[[], Awaitable[Done]]) -> Done:
    """The attempt, again while others move what it read. Raises TooBusy after five lost races."""
    for _ in range(ATTEMPTS_MAX):
        try:
            return await attempt()
        except (ShardMoved, StreamMoved, Fenced):
            continue
    raise TooBusy(what)


async def open_desk(stage: Stage, store: Store, borrower_id: BorrowerId) -> tuple[Workbench, Shelf]:
    """A fresh bench with the borrower's shard. Raises Refused before the first business day."""
    shard = shard_of(borrower_id)
    state = next(found for found in await store.shard_states() if found.shard == shard)
    if state.open_day is None:
        raise Refused("before_the_first_business_day")
    bench = Workbench(stage, store)
    shelf = bench.open_shelf(state)
    shelf.epoch = None
    return bench, shelf


async def transact(
    stage: Stage,
    store: Store,
    issue: Issue,
    borrower_id: BorrowerId,
    *,
    cause: Cause,
    at: datetime,
    recorded_at: datetime,
) -> Sequence[StoredEvent]:
    """Decide and append one command; no events where it was already in effect.

    A command that was carried out before, and whose answer was lost, leads to the events of then.
    Raises Refused from the domain or for a parked borrower, TooBusy after five lost races.
    """
    stream = stream_name(issue.category, issue.key)

    async def attempt() -> Sequence[StoredEvent]:
        bench, shelf = await open_desk(stage, store, borrower_id)
        if borrower_id in await store.parked_borrowers([shelf.shard]):
            if before := await _carried_out(store, shelf.shard, stream, cause):
                return before
            raise Refused("case_is_parked")
        await bench.load({shelf.shard: [(stream, issue.category, borrower_id)]})
        entry = shelf.entries[stream]
        draft = Draft(recorded_at)
        when = at if entry.time is None else max(at, entry.time)
        try:
            if not bench.decide(draft, shelf, stream, issue.command, cause, when):
                return await _carried_out(store, shelf.shard, stream, cause)
        except Refused:
            if before := await _carried_out(store, shelf.shard, stream, cause):
                return before
            raise
        change = draft.finish(every_timer=True)
        part = change.shards[shelf.shard]
        part.expected_seq = None
        try:
            await store.commit(change)
        except EventRepeated:
            return await _carried_out(store, shelf.shard, stream, cause)
        return part.events

    return await begun_again(stream, attempt)


async def _carried_out(
    store: Store, shard: Shard, stream: StreamName, cause: Cause
) -> Sequence[StoredEvent]:
    """The events that this very command has led to before."""
    mark = cause.id.encode()
    return [
        event
        for event in await store.load({shard: [stream]})
        if mark in event.value and read_envelope(event.value).causationid == cause.id
    ]

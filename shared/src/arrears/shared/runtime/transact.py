"""The write path of a single command: load, decide, append; on a concurrent append start over.

It is the batch path of one: the same workbench decides, the same commit appends. A command holds no
lease; the versions of its stream protect it, and its business day comes from the shard row
(protocol 1.3).
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from arrears.shared.eventstore.port import ShardMoved, Store, StoredEvent, StreamMoved
from arrears.shared.kernel.decider import Refused
from arrears.shared.kernel.ids import BorrowerId, shard_of, stream_name
from arrears.shared.kernel.reaction import Issue
from arrears.shared.runtime.stage import Stage
from arrears.shared.runtime.workbench import Cause, Draft, Shelf, Workbench

ATTEMPTS_MAX: Final = 5


class TooBusy(Exception):
    """Others appended to the stream at every attempt. Nothing was written; try again."""


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

    Raises Refused from the domain or for a parked borrower, TooBusy after five lost races.
    """
    stream = stream_name(issue.category, issue.key)
    for _ in range(ATTEMPTS_MAX):
        bench, shelf = await open_desk(stage, store, borrower_id)
        if borrower_id in await store.parked_borrowers([shelf.shard]):
            raise Refused("case_is_parked")
        await bench.load({shelf.shard: [(stream, issue.category, borrower_id)]})
        entry = shelf.entries[stream]
        draft = Draft(recorded_at)
        when = at if entry.time is None else max(at, entry.time)
        if not bench.decide(draft, shelf, stream, issue.command, cause, when):
            return ()
        change = draft.finish(every_timer=True)
        part = change.shards[shelf.shard]
        part.expected_seq = None
        try:
            await store.commit(change)
        except (ShardMoved, StreamMoved):
            continue
        return part.events
    raise TooBusy(stream)

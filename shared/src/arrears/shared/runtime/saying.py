"""What staff say of a borrower on a stream of the runtime's own, beside the stage's: opened on a
fresh bench, said under their request as the cause, and committed with the turn of their key.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import TypeAlias

from arrears.shared.eventstore.port import Change, CommandTurn, Fenced, Store, StoredEvent
from arrears.shared.kernel.ids import BorrowerId, StreamName, shard_of
from arrears.shared.runtime.shelves import Draft, Shelf
from arrears.shared.runtime.stage import (
    DoubtSettled,
    InputReleased,
    InputSkipped,
    PersonalDataErased,
    PersonalDataRead,
    Stage,
)
from arrears.shared.runtime.transact import asked_by, carried_out, open_desk
from arrears.shared.runtime.workbench import Workbench

Place: TypeAlias = tuple[StreamName, str, BorrowerId]
Said: TypeAlias = (
    DoubtSettled | InputReleased | InputSkipped | PersonalDataRead | PersonalDataErased
)


async def said_before(store: Store, place: Place, turn: CommandTurn) -> Sequence[StoredEvent]:
    """The events of that stream that this very request has led to before."""
    stream, _, borrower_id = place
    shard = shard_of(borrower_id)
    stored = await store.load({shard: [stream]})
    return carried_out(stored, shard, stream, asked_by(turn))


class Saying:
    """What one command of staff says at a place, until it is committed."""

    def __init__(
        self, bench: Workbench, shelf: Shelf, place: Place, turn: CommandTurn, recorded_at: datetime
    ) -> None:
        assert shelf.open_day is not None
        self.day = shelf.open_day
        self.start = bench.stage.calendar.start_of(self.day)
        self._bench, self._shelf, self._turn = bench, shelf, turn
        self._stream = place[0]
        self._draft = Draft(recorded_at)

    @classmethod
    async def open(
        cls, stage: Stage, store: Store, place: Place, turn: CommandTurn, recorded_at: datetime
    ) -> "Saying":
        """Raises NotNow before the first business day."""
        bench, shelf = await open_desk(stage, store, place[2])
        await bench.load({shelf.shard: [place]})
        return cls(bench, shelf, place, turn, recorded_at)

    def say(self, event: Said, at: datetime) -> None:
        """Said at that time, or at the stream's own where that is later.

        Raises Fenced where another who took the request over has said it since we looked.
        """
        time = self._shelf.entries[self._stream].time
        when = at if time is None else max(at, time)
        cause = asked_by(self._turn)
        if not self._bench.decide(self._draft, self._shelf, self._stream, event, cause, when):
            raise Fenced(f"{self._turn.key} was carried out by another")

    def finish(self) -> tuple[Sequence[StoredEvent], Change]:
        """What was said, and the change that appends it; more may be added to that."""
        change = self._draft.finish()
        change.turns = [self._turn]
        part = change.shards[self._shelf.shard]
        part.expected_seq = None
        return part.events, change

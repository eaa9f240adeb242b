"""Personal data is read in the clear only for a purpose, and that is an event (architecture 6)."""

from datetime import datetime

from arrears.shared.eventstore.port import CommandTurn, Store, StoredEvent
from arrears.shared.kernel.ids import BorrowerId
from arrears.shared.runtime.saying import Saying, said_before
from arrears.shared.runtime.stage import PersonalDataRead, Stage, reading_place
from arrears.shared.runtime.transact import begun_again


async def record_reading(
    stage: Stage,
    store: Store,
    borrower_id: BorrowerId,
    said: PersonalDataRead,
    *,
    turn: CommandTurn,
    at: datetime,
    recorded_at: datetime,
) -> StoredEvent:
    """The event that records it, which comes before anything is shown.

    Raises Refused before the first business day, TooBusy after five lost races. Where the `turn` is
    lost before the commit nothing is recorded; asked for again under its key, the event of then is
    told.
    """

    async def attempt() -> StoredEvent:
        place = reading_place(stage.name, borrower_id)
        for told in await said_before(store, place, turn):
            return told
        saying = await Saying.open(stage, store, place, turn, recorded_at)
        saying.say(said, at)
        (event,), change = saying.finish()
        await store.commit(change)
        return event

    return await begun_again(said.what, attempt)

"""What is done with personal data is on record: who read it for what, who had it erased on which
ground (architecture 2 and 6).
"""

from datetime import datetime

from arrears.shared.eventstore.port import CommandTurn, Store, StoredEvent
from arrears.shared.kernel.ids import BorrowerId
from arrears.shared.runtime.saying import Saying, said_before
from arrears.shared.runtime.stage import (
    PersonalDataErased,
    PersonalDataRead,
    Stage,
    privacy_place,
)
from arrears.shared.runtime.transact import begun_again


async def put_on_record(
    stage: Stage,
    store: Store,
    borrower_id: BorrowerId,
    said: PersonalDataRead | PersonalDataErased,
    *,
    turn: CommandTurn,
    at: datetime,
    recorded_at: datetime,
) -> StoredEvent:
    """The event that records it.

    Raises NotNow before the first business day, TooBusy after five lost races. Where the `turn` is
    lost before the commit nothing is recorded; asked for again under its key, the event of then is
    told.
    """

    async def attempt() -> StoredEvent:
        place = privacy_place(stage.name, borrower_id)
        for told in await said_before(store, place, turn):
            return told
        saying = await Saying.open(stage, store, place, turn, recorded_at)
        saying.say(said, at)
        (event,), change = saying.finish()
        await store.commit(change)
        return event

    return await begun_again(borrower_id, attempt)

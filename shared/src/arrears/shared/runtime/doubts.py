"""Settling doubt: staff have found out whether an effect was carried out, and say so.

An effect is in doubt where a crash came between sending and receipt, and the gateway does not know
keys (architecture 4). If it was not carried out it is sent again under its own key. If it was,
nobody will say what came of it, and the stage goes on with what it has for that.
"""

from collections.abc import Awaitable, Callable
from datetime import datetime

from msgspec import Struct

from arrears.shared.eventstore.codec import read_envelope
from arrears.shared.eventstore.port import Change, CommandTurn, PendingEffect, Store, StoredEvent
from arrears.shared.kernel.decider import Refused
from arrears.shared.kernel.ids import BorrowerId, EventId
from arrears.shared.kernel.reaction import AnswerAt
from arrears.shared.runtime.effects import answer_rows
from arrears.shared.runtime.saying import Saying, said_before
from arrears.shared.runtime.stage import DoubtSettled, Stage, doubt_place
from arrears.shared.runtime.transact import begun_again


class Finding(Struct, frozen=True, kw_only=True):
    """What staff found out about the effect that the event asked for."""

    event_id: EventId
    carried_out: bool
    note: str


async def settle_doubt(
    stage: Stage,
    store: Store,
    finding: Finding,
    *,
    turn: CommandTurn,
    now: Callable[[BorrowerId], Awaitable[datetime]],
    recorded_at: datetime,
) -> StoredEvent:
    """The event that records it. `now` tells the business time.

    Raises Refused where the effect is not in doubt (any more), or where it was carried out and the
    stage cannot go on without its answer; TooBusy after five lost races. Where the `turn` is lost
    before the commit nothing is changed; asked for again under its key, the event of then is told.
    """

    async def attempt() -> StoredEvent:
        asking = await store.event(finding.event_id)
        if asking is None:
            raise Refused("not_in_doubt", "event_id")
        whose = asking.borrower_id
        effect = await store.effect(finding.event_id)
        for told in await said_before(store, doubt_place(stage.name, whose), turn):
            return told
        if effect is None or not effect.in_doubt:
            raise Refused("not_in_doubt", "event_id")
        at = await now(whose)
        event, change = await _say(stage, store, effect, finding, turn, at, recorded_at)
        if finding.carried_out:
            envelope = read_envelope(asking.value)
            bodies = stage.unanswered(stage.codec().decode(envelope.type, envelope.data))
            if bodies is None:
                raise Refused("answer_needed", "carried_out")
            answers = [AnswerAt(at=at, body=body) for body in bodies]
            change.effects_answered = [effect]
            change.agenda_added = list(answer_rows(stage, effect, answers))
        else:
            change.effects_sent_again = [effect]
        await store.commit(change)
        return event

    return await begun_again(finding.event_id, attempt)


async def _say(
    stage: Stage,
    store: Store,
    effect: PendingEffect,
    finding: Finding,
    turn: CommandTurn,
    at: datetime,
    recorded_at: datetime,
) -> tuple[StoredEvent, Change]:
    """What staff say, as an event of the borrower's stream of doubts that waits to be committed."""
    place = doubt_place(stage.name, effect.borrower_id)
    saying = await Saying.open(stage, store, place, turn, recorded_at)
    said = DoubtSettled(
        effect_id=finding.event_id,
        kind=effect.kind,
        carried_out=finding.carried_out,
        note=finding.note,
    )
    saying.say(said, at)
    (event,), change = saying.finish()
    return event, change

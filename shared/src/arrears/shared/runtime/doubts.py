"""Settling doubt: staff have found out whether an effect was carried out, and say so.

An effect is in doubt where a crash came between sending and receipt, and the gateway does not know
keys (architecture 4). If it was not carried out it is sent again under its own key. If it was,
nobody will say what came of it, and the stage goes on with what it has for that.
"""

from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Any

from arrears.shared.eventstore.codec import read_envelope
from arrears.shared.eventstore.port import Change, PendingEffect, Store, StoredEvent
from arrears.shared.kernel.decider import Refused
from arrears.shared.kernel.ids import BorrowerId, EventId, StaffId, derived_id
from arrears.shared.kernel.reaction import AnswerAt
from arrears.shared.runtime.effects import answer_rows
from arrears.shared.runtime.shelves import Draft
from arrears.shared.runtime.stage import DoubtSettled, Stage, doubt_place
from arrears.shared.runtime.transact import begun_again, open_desk
from arrears.shared.runtime.workbench import Cause


async def settle_doubt(
    stage: Stage,
    store: Store,
    event_id: EventId,
    *,
    carried_out: bool,
    note: str,
    actor: StaffId,
    now: Callable[[BorrowerId], Awaitable[datetime]],
    recorded_at: datetime,
) -> StoredEvent:
    """The event that records it. `now` tells the business time.

    Raises Refused where the effect is not in doubt (any more), or where it was carried out and the
    stage cannot go on without its answer; TooBusy after five lost races.
    """

    async def attempt() -> StoredEvent:
        effect = await store.effect(event_id)
        if effect is None or not effect.in_doubt:
            raise Refused("not_in_doubt", "event_id")
        at = await now(effect.borrower_id)
        said = DoubtSettled(
            effect_id=event_id, kind=effect.kind, carried_out=carried_out, note=note
        )
        event, change = await _say(stage, store, effect, said, actor, at, recorded_at)
        if carried_out:
            bodies = stage.unanswered(await _asking(stage, store, effect))
            if bodies is None:
                raise Refused("answer_needed", "carried_out")
            answers = [AnswerAt(at=at, body=body) for body in bodies]
            change.effects_answered = [effect]
            change.agenda_added = list(answer_rows(stage, effect, answers))
        else:
            change.effects_sent_again = [effect]
        await store.commit(change)
        return event

    return await begun_again(event_id, attempt)


async def _say(
    stage: Stage,
    store: Store,
    effect: PendingEffect,
    said: DoubtSettled,
    actor: StaffId,
    at: datetime,
    recorded_at: datetime,
) -> tuple[StoredEvent, Change]:
    """What staff say, as an event of the borrower's stream of doubts that waits to be committed."""
    bench, shelf = await open_desk(stage, store, effect.borrower_id)
    place = doubt_place(stage.name, effect.borrower_id)
    await bench.load({shelf.shard: [place]})
    entry = shelf.entries[place[0]]
    draft = Draft(recorded_at)
    # What is sent again may be in doubt again: the version tells the times apart.
    cause = Cause(id=derived_id("settle", effect.event_id, str(entry.version)), actor=actor)
    when = at if entry.time is None else max(at, entry.time)
    bench.decide(draft, shelf, place[0], said, cause, when)
    change = draft.finish()
    part = change.shards[shelf.shard]
    part.expected_seq = None
    return part.events[0], change


async def _asking(stage: Stage, store: Store, effect: PendingEffect) -> Any:
    """The event that asks for the effect."""
    stored = next(
        one
        for one in await store.load({effect.shard: [effect.stream]})
        if one.event_id == effect.event_id
    )
    envelope = read_envelope(stored.value)
    return stage.codec().decode(envelope.type, envelope.data)

"""What a database holds besides its events, computed from the events again."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

import asyncpg
from msgspec import Struct

from arrears.shared.eventstore.codec import read_envelope
from arrears.shared.eventstore.port import PendingEffect, Store, StoredEvent, Timer
from arrears.shared.eventstore.sql import ADD_EFFECTS, SET_TIMERS
from arrears.shared.kernel.ids import BorrowerId, EventId, Shard, StreamName, derived_id
from arrears.shared.runtime.stage import DoubtSettled, Stage

ANSWERS_MAX: Final = 4


class _Stream(Struct):
    """A stream while it is folded."""

    borrower_id: BorrowerId
    category: str
    state: object
    time: datetime


@dataclass
class Rederived:
    timers: list[Timer] = field(default_factory=list)
    effects: list[PendingEffect] = field(default_factory=list)

    async def write(self, pool: asyncpg.Pool) -> None:
        """Put timers and effects into an otherwise filled database."""
        await pool.execute(
            SET_TIMERS,
            [timer.shard for timer in self.timers],
            [timer.stream for timer in self.timers],
            [timer.borrower_id for timer in self.timers],
            [timer.due_at for timer in self.timers],
        )
        await pool.execute(
            ADD_EFFECTS,
            [effect.event_id for effect in self.effects],
            [effect.shard for effect in self.effects],
            [effect.stream for effect in self.effects],
            [effect.borrower_id for effect in self.effects],
            [effect.kind for effect in self.effects],
            [effect.at for effect in self.effects],
        )


async def rederive(stage: Stage, store: Store) -> Rederived:
    """Fold every stream: what is it waiting for, and which effects lack an answer.

    A timer is the first instant after everything decided so far: after the last event of the
    stream, and not before the open day, whose earlier timers have all fired.
    """
    derived = Rederived()
    for state in await store.shard_states():
        folding = _ShardFold(stage)
        async for page in store.scan(state.shard):
            for stored in page:
                folding.add(stored)
        if state.open_day is not None:
            opening = stage.calendar.start_of(state.open_day) - timedelta(microseconds=1)
            derived.timers.extend(folding.timers(state.shard, opening))
        derived.effects.extend(folding.unanswered(await _of_staff(stage, store, folding.settled)))
    return derived


async def _of_staff(
    stage: Stage, store: Store, settled: Iterable[EventId]
) -> Mapping[EventId, int]:
    """How many answers stand for what staff say was carried out (`Stage.unanswered`)."""
    counts = {}
    for event_id in settled:
        asked = await store.event(event_id)
        if asked is not None:
            envelope = read_envelope(asked.value)
            event = stage.codec().decode(envelope.type, envelope.data)
            counts[event_id] = len(stage.unanswered(event) or ())
    return counts


class _ShardFold:
    """The streams of one shard, its requests to the outside world, and what has caused events."""

    def __init__(self, stage: Stage) -> None:
        self._stage = stage
        self._codec = stage.codec()
        self._streams: dict[StreamName, _Stream] = {}
        self._asked: dict[EventId, PendingEffect] = {}
        self._causes: set[str] = set()
        self._ended_by: set[str] = set()
        self.settled: set[EventId] = set()
        """What staff say was carried out."""

    def add(self, stored: StoredEvent) -> None:
        envelope = read_envelope(stored.value)
        self._causes.add(envelope.causationid)
        category = stored.stream.partition("-")[0]
        if category == f"{self._stage.name}.doubt":
            said = self._codec.decode(envelope.type, envelope.data)
            if isinstance(said, DoubtSettled) and said.carried_out:
                self.settled.add(said.effect_id)
        decider = self._stage.deciders.get(category)
        if decider is None:
            return
        event = self._codec.decode(envelope.type, envelope.data)
        stream = self._streams.get(stored.stream)
        if stream is None:
            stream = self._streams[stored.stream] = _Stream(
                stored.borrower_id, category, decider.initial, envelope.time
            )
        if type(event) not in self._stage.wire_names:
            return
        if type(event) in self._stage.ends_effect:
            self._ended_by.add(envelope.causationid)
        stream.state = decider.evolve(stream.state, event)
        stream.time = envelope.time
        kind = self._stage.effect_of(event)
        if kind is not None:
            self._asked[stored.event_id] = PendingEffect(
                shard=stored.shard,
                event_id=stored.event_id,
                stream=stored.stream,
                borrower_id=stored.borrower_id,
                kind=kind,
                at=envelope.time,
            )

    def timers(self, shard: Shard, opening: datetime) -> Iterator[Timer]:
        for name, stream in self._streams.items():
            due = self._stage.deciders[stream.category].due
            due_at = due(stream.state, max(stream.time, opening))
            if due_at is not None:
                yield Timer(shard=shard, stream=name, borrower_id=stream.borrower_id, due_at=due_at)

    def unanswered(self, of_staff: Mapping[EventId, int]) -> Iterator[PendingEffect]:
        """Requests with fewer answers than others of their kind have had, or than stand for what
        staff know, unless no more will come."""
        had = {event_id: self._answers(event_id) for event_id in self._asked}
        most: dict[str, int] = defaultdict(lambda: 1)
        for event_id, effect in self._asked.items():
            most[effect.kind] = max(most[effect.kind], len(had[event_id]))
        for event_id, effect in self._asked.items():
            answers = had[event_id]
            enough = of_staff.get(event_id, most[effect.kind])
            if len(answers) < enough and not self._ended_by.intersection(answers):
                yield effect

    def _answers(self, event_id: EventId) -> list[str]:
        """The answers that have led to something."""
        possible = (derived_id("answer", event_id, f"{event_id}/{n}") for n in range(ANSWERS_MAX))
        return [answer for answer in possible if answer in self._causes]

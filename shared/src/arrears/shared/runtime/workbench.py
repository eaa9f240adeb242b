"""Deciding: commands to stored events, on states kept between batches.

On ShardMoved a shelf learns what is new, the draft is undone and everything is decided again.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime

from msgspec import UNSET, Struct

from arrears.shared.eventstore.codec import Envelope, hash_of, read_envelope
from arrears.shared.eventstore.port import (
    EVENT_BYTES_MAX,
    Change,
    PendingEffect,
    ShardChange,
    ShardState,
    Store,
    StoredEvent,
)
from arrears.shared.kernel.decider import Decider
from arrears.shared.kernel.ids import (
    BorrowerId,
    EventId,
    Shard,
    StreamName,
    derived_id,
)
from arrears.shared.runtime.shelves import Draft, Entry, Shelf
from arrears.shared.runtime.stage import OWN_EVENTS, BusinessDayClosed, Stage

ENTRIES_MAX = 20_000


def shard_stream(service: str, shard: Shard) -> StreamName:
    """The stream of a shard's day closings."""
    return StreamName(f"{service}.shard-{shard:02d}")


def _nothing_to_decide(category: str) -> Decider[None, object, object]:
    """A stream of the kernel's own: a command is the event that it asks for."""
    return Decider(
        category=category,
        initial=None,
        evolve=lambda state, _event: state,
        decide=lambda event, _state: (event,),
    )


class EventTooLarge(Exception):
    """An event over 900 kB is refused: no broker would carry it."""


class StoreLostEvents(Exception):
    """A shard's number says that there are events which the store does not have: a loud stop."""


class Cause(Struct, frozen=True):
    """Why we decide: what was heard, answered or fell due, and who asked where a person did.

    `part` counts the commands of one cause for one stream; what a whole day (`is_day`) brings is
    told apart by its time.
    """

    id: str
    origin: str | None = None
    actor: str | None = None
    fact_id: EventId | None = None
    digest: str | None = None
    part: int = 0
    is_day: bool = False


class Workbench:
    """The shelves of one worker, and the one way from a command to stored events."""

    def __init__(self, stage: Stage, store: Store) -> None:
        self.stage = stage
        self.store = store
        self.codec = stage.codec()
        own = [f"{stage.name}.{what}" for what in ("shard", "parking", "doubt", "privacy")]
        self.deciders = {**stage.deciders, **{name: _nothing_to_decide(name) for name in own}}
        self.shelves: dict[Shard, Shelf] = {}
        self._source = f"/arrears/{stage.name}"

    # --- Shelves

    def open_shelf(self, state: ShardState) -> Shelf:
        shelf = self.shelves[state.shard] = Shelf(state)
        return shelf

    async def load(
        self, wanted: Mapping[Shard, Iterable[tuple[StreamName, str, BorrowerId]]]
    ) -> None:
        """Put the named streams (name, category, borrower) on their shelves."""
        missing: dict[Shard, list[StreamName]] = {}
        for shard, streams in wanted.items():
            entries = self.shelves[shard].entries
            if len(entries) > ENTRIES_MAX:
                entries.clear()
            for name, category, borrower_id in streams:
                if name not in entries:
                    entries[name] = Entry(category, borrower_id, self.deciders[category].initial)
                    missing.setdefault(shard, []).append(name)
        if missing:
            for stored in await self.store.load(missing):
                shelf = self.shelves[stored.shard]
                self._fold(shelf, shelf.entries[stored.stream], stored)
            for shard, names in missing.items():
                entries = self.shelves[shard].entries
                for name in names:
                    self._set_due(entries[name])

    async def refresh(self, state: ShardState) -> None:
        """Learn what others appended since our `last_seq` (protocol 1.4)."""
        shelf = self.shelves[state.shard]
        shelf.open_day = state.open_day
        while shelf.last_seq < state.last_seq:
            page = await self.store.after(state.shard, shelf.last_seq, limit=1000)
            if not page or page[0].seq != shelf.last_seq + 1:
                raise StoreLostEvents(f"shard {state.shard}: seq {shelf.last_seq + 1} is missing")
            for stored in page:
                entry = shelf.entries.get(stored.stream)
                if entry is not None and stored.version > entry.version:
                    self._fold(shelf, entry, stored)
                    self._set_due(entry)
                shelf.last_seq = stored.seq

    def _fold(self, shelf: Shelf, entry: Entry, stored: StoredEvent) -> None:
        envelope = read_envelope(stored.value)
        event = self.codec.decode(envelope.type, envelope.data)
        entry.state = self.deciders[entry.category].evolve(entry.state, event)
        entry.version = stored.version
        entry.hash = hash_of(stored.value)
        entry.time = envelope.time
        if envelope.factdigest is not UNSET:
            entry.digests[envelope.id] = envelope.factdigest
        elif envelope.businessday == shelf.open_day:
            entry.digests[envelope.id] = ""

    def _set_due(self, entry: Entry) -> None:
        decider = self.deciders[entry.category]
        entry.due = None if entry.time is None else decider.due(entry.state, entry.time)

    # --- Deciding

    def decide(
        self,
        draft: Draft,
        shelf: Shelf,
        stream: StreamName,
        command: object,
        cause: Cause,
        at: datetime,
    ) -> Sequence[object]:
        """Decide one command on a loaded stream; the events are drafted and folded at once.

        Raises Refused from the domain. `at` becomes the events' `time`.
        """
        entry = shelf.entries[stream]
        decider = self.deciders[entry.category]
        events = decider.decide(command, entry.state)
        draft.touch(shelf.shard, stream, entry)
        # What leads to no event was decided on this state too: the commit checks it (protocol 1.4).
        self.shard_change(draft, shelf)
        if events:
            first_id = cause.fact_id or self._event_id(cause, stream, events[0], at, 0)
            if first_id in entry.digests:
                return ()
            for ordinal, event in enumerate(events):
                event_id = (
                    first_id if ordinal == 0 else self._event_id(cause, stream, event, at, ordinal)
                )
                self._append(draft, shelf, stream, entry, event, event_id, cause, at)
                entry.state = decider.evolve(entry.state, event)
            if cause.fact_id is not None and cause.digest is not None:
                entry.digests[cause.fact_id] = cause.digest
                draft.remember_digest(shelf.shard, stream, cause.fact_id)
            entry.time = at
        entry.due = decider.due(entry.state, at)
        return events

    def _event_id(
        self, cause: Cause, stream: StreamName, event: object, at: datetime, ordinal: int
    ) -> EventId:
        """Same cause, stream, type and ordinal, same id: a repeat is recognised (protocol 2.4).

        One cause may give a stream several commands: the part counts commands, not events, so that
        a repeat of which the first yields nothing more finds the same ids. The time is part of it
        only where one day is the cause of all its timers: what is heard again, or asked for again
        by a person, comes when the stream has moved on.
        """
        wire_name = self.codec.wire_names[type(event)]
        place = f"{at.isoformat()}/{ordinal}" if cause.is_day else f"{cause.part}/{ordinal}"
        return EventId(derived_id(cause.id, stream, wire_name, place))

    def _append(
        self,
        draft: Draft,
        shelf: Shelf,
        stream: StreamName,
        entry: Entry,
        event: object,
        event_id: EventId,
        cause: Cause,
        at: datetime,
    ) -> None:
        stage = self.stage
        wire_name = self.codec.wire_names[type(event)]
        own = isinstance(event, OWN_EVENTS)
        subject = None if own else stage.subject_of(event)
        subject = subject or entry.borrower_id
        day = shelf.open_day
        assert day is not None, "an append before the first business day"
        value = self.codec.encode(
            Envelope(
                id=event_id,
                source=self._source,
                type=wire_name,
                subject=subject,
                time=at,
                partitionkey=entry.borrower_id,
                tenant=stage.tenant,
                stream=stream,
                streamversion=entry.version + 1,
                prevhash=entry.hash,
                businessday=day,
                recordedtime=draft.recorded_at,
                correlationid=subject,
                causationid=cause.id,
                actor=cause.actor or UNSET,
                inputposition=cause.origin or UNSET,
                factdigest=(cause.digest or UNSET) if event_id == cause.fact_id else UNSET,
                data=event,
            )
        )
        if len(value) > EVENT_BYTES_MAX:
            raise EventTooLarge(f"{wire_name} on {stream}: {len(value)} bytes")
        entry.version += 1
        entry.hash = hash_of(value)
        self.shard_change(draft, shelf).events.append(
            StoredEvent(
                shard=shelf.shard,
                stream=stream,
                version=entry.version,
                event_id=event_id,
                type=wire_name,
                borrower_id=entry.borrower_id,
                business_day=day,
                value=value,
            )
        )
        draft.decided.setdefault(shelf.shard, []).append(event)
        if not own:
            self._ask(draft, shelf, stream, entry, event, event_id, at)

    def _ask(
        self,
        draft: Draft,
        shelf: Shelf,
        stream: StreamName,
        entry: Entry,
        event: object,
        event_id: EventId,
        at: datetime,
    ) -> None:
        """Note the effect that the event asks for, if it does."""
        kind = self.stage.effect_of(event)
        if kind is None:
            return
        draft.requests[event_id] = event
        draft.change.effects_added.append(
            PendingEffect(
                shard=shelf.shard,
                event_id=event_id,
                stream=stream,
                borrower_id=entry.borrower_id,
                kind=kind,
                at=at,
            )
        )

    # --- Shards

    def shard_change(self, draft: Draft, shelf: Shelf) -> ShardChange:
        change = draft.change.shards.get(shelf.shard)
        if change is None:
            change = draft.change.shards[shelf.shard] = ShardChange(
                shard=shelf.shard,
                expected_seq=shelf.last_seq,
                epoch=shelf.epoch,
                open_day=shelf.open_day,
            )
        return change

    def close_day(
        self,
        draft: Draft,
        shelf: Shelf,
        day: date,
        next_day: date,
        idle_until: datetime | None = None,
    ) -> None:
        """Append the closing of the shard's day and open the next (protocol 3.3).

        `idle_until`: the commit has to see that nothing of the day falls due before it.
        """
        stream = shard_stream(self.stage.name, shelf.shard)
        entry = shelf.entries[stream]
        draft.touch(shelf.shard, stream, entry)
        at = self.stage.calendar.last_minute_of(day)
        cause = Cause(id=derived_id("day", self.stage.name, day.isoformat(), stream))
        event = BusinessDayClosed(day=day)
        event_id = self._event_id(cause, stream, event, at, 0)
        self._append(draft, shelf, stream, entry, event, event_id, cause, at)
        entry.time = at
        change = self.shard_change(draft, shelf)
        change.next_open_day, change.idle_until = next_day, idle_until

    def settle(self, change: Change) -> Mapping[Shard, int]:
        """The commit went through: move the shelves on. The first number of each shard's events."""
        firsts = {}
        for shard, shard_change in change.shards.items():
            shelf = self.shelves[shard]
            firsts[shard] = shelf.last_seq + 1
            shelf.last_seq += len(shard_change.events)
            shelf.open_day = shard_change.next_open_day or shelf.open_day
        return firsts

    def unsettle(self, change: Change) -> None:
        """The commit of a change that was settled in advance has failed."""
        for shard, shard_change in change.shards.items():
            assert shard_change.next_open_day is None, "days are not closed in advance"
            self.shelves[shard].last_seq -= len(shard_change.events)

    def is_crowded(self) -> bool:
        """Whether the next `load` may clear a shelf."""
        return any(len(shelf.entries) > ENTRIES_MAX for shelf in self.shelves.values())

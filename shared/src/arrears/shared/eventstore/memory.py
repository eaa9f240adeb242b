"""The memory twin of the PostgreSQL store: same checks, same errors, nothing on disk."""

from collections.abc import AsyncIterator, Collection, Iterable, Mapping, Sequence
from datetime import date, datetime
from itertools import count

from msgspec.structs import replace

from arrears.shared.eventstore.codec import data_of
from arrears.shared.eventstore.port import (
    AgendaRow,
    Change,
    Duplicate,
    EventData,
    EventRepeated,
    Fenced,
    ParkedInput,
    PendingEffect,
    Position,
    PositionMove,
    RefusedInput,
    ShardChange,
    ShardMoved,
    ShardState,
    StoredEvent,
    StreamMoved,
    Timer,
)
from arrears.shared.kernel.ids import SHARD_COUNT, BorrowerId, EventId, Shard, StaffId, StreamName

PAGE = 1000


class MemoryStore:
    """Everything a service's database holds, in dictionaries. One per service."""

    def __init__(self) -> None:
        self.shards = {
            Shard(n): ShardState(shard=Shard(n), last_seq=0, epoch=0, owner=None, open_day=None)
            for n in range(SHARD_COUNT)
        }
        self.events: dict[Shard, list[StoredEvent]] = {Shard(n): [] for n in range(SHARD_COUNT)}
        self.streams: dict[tuple[Shard, StreamName], list[StoredEvent]] = {}
        self.event_ids: set[tuple[Shard, EventId]] = set()
        self.homes: dict[str, BorrowerId] = {}
        self.places: dict[tuple[str, int], Position] = {}
        self.agenda_rows: dict[tuple[Shard, date, int], AgendaRow] = {}
        self.timer_rows: dict[tuple[Shard, StreamName], Timer] = {}
        self.effect_rows: dict[EventId, PendingEffect] = {}
        self.refused: list[RefusedInput] = []
        self.duplicates: list[Duplicate] = []
        self.parked_rows: dict[int, ParkedInput] = {}
        self._numbers = count(1)
        self.at_work: dict[tuple[str, StaffId], str] = {}
        """The turns of commands that are being carried out: what `http.idempotency` keeps."""
        self.answers: dict[tuple[str, StaffId], bytes] = {}
        """Of those that were carried out by a commit."""
        self.published: dict[Shard, int] = {Shard(n): 0 for n in range(SHARD_COUNT)}

    @property
    def parked(self) -> Sequence[ParkedInput]:
        return list(self.parked_rows.values())

    # --- Reading

    async def shard_states(self) -> Sequence[ShardState]:
        return list(self.shards.values())

    async def load(self, streams: Mapping[Shard, Iterable[StreamName]]) -> Sequence[StoredEvent]:
        return [
            event
            for shard in sorted(streams)
            for stream in sorted(set(streams[shard]))
            for event in self.streams.get((shard, stream), ())
        ]

    async def event(self, event_id: EventId) -> StoredEvent | None:
        events = (event for events in self.events.values() for event in events)
        return next((event for event in events if event.event_id == event_id), None)

    async def after(self, shard: Shard, seq: int, *, limit: int) -> Sequence[StoredEvent]:
        return self.events[shard][seq : seq + limit]

    async def data_after(self, shard: Shard, seq: int, *, limit: int) -> Sequence[EventData]:
        found = await self.after(shard, seq, limit=limit)
        return [(one.seq, one.type, data_of(one.value)) for one in found]

    async def open_first_day(self, shard: Shard, day: date) -> date:
        state = self.shards[shard]
        if state.open_day is None:
            state = self.shards[shard] = replace(state, open_day=day)
        assert state.open_day is not None
        return state.open_day

    async def positions(self) -> Sequence[Position]:
        return list(self.places.values())

    async def settle_homes(
        self, homes: Mapping[str, BorrowerId | None]
    ) -> Mapping[str, BorrowerId]:
        for loan, borrower in homes.items():
            if borrower is not None:
                self.homes.setdefault(loan, borrower)
        return {loan: self.homes[loan] for loan in homes if loan in self.homes}

    async def prepare_positions(self, places: Sequence[tuple[str, int]]) -> None:
        for topic, partition in places:
            self.places.setdefault(
                (topic, partition), Position(topic, partition, 0, 0, b"", None, None)
            )

    async def due(self, shards: Sequence[Shard], up_to: date, before: datetime) -> Sequence[Shard]:
        rows = await self.agenda(shards, up_to, before, limit=len(self.agenda_rows))
        timers = await self.timers(shards, before)
        return sorted({row.shard for row in rows} | {timer.shard for timer in timers})

    async def agenda(
        self,
        shards: Sequence[Shard],
        up_to: date,
        before: datetime,
        *,
        limit: int,
        free_only: bool = False,
    ) -> Sequence[AgendaRow]:
        effects = self.effect_rows.values() if free_only else ()
        waiting = {(one.shard, one.borrower_id) for one in effects}
        found: list[AgendaRow] = []
        for shard in sorted(shards):
            part = [
                row
                for (owner, day, _), row in self.agenda_rows.items()
                if owner == shard and day <= up_to and row.at < before
                if (owner, row.borrower_id) not in waiting
            ]
            if found and len(found) + len(part) > limit:
                break
            found.extend(part)
        return found

    async def waiting(
        self, whose: Sequence[tuple[Shard, BorrowerId]], up_to: date, before: datetime
    ) -> Collection[BorrowerId]:
        return {
            row.borrower_id
            for row in self.agenda_rows.values()
            if (row.shard, row.borrower_id) in whose and row.day <= up_to and row.at < before
        }

    async def timers(self, shards: Sequence[Shard], before: datetime) -> Sequence[Timer]:
        wanted = set(shards)
        return [
            timer
            for timer in self.timer_rows.values()
            if timer.shard in wanted and timer.due_at is not None and timer.due_at < before
        ]

    async def effects(self, shards: Sequence[Shard]) -> Sequence[PendingEffect]:
        return [effect for effect in self.effect_rows.values() if effect.shard in set(shards)]

    async def effect(self, event_id: EventId) -> PendingEffect | None:
        return self.effect_rows.get(event_id)

    async def parked_borrowers(self, shards: Sequence[Shard]) -> Mapping[BorrowerId, datetime]:
        found: dict[BorrowerId, datetime] = {}
        for one in self.parked:
            if one.row.shard in shards:
                whose = one.row.borrower_id
                found[whose] = min(one.parked_at, found.get(whose, one.parked_at))
        return found

    async def parked_inputs(self, borrower_id: BorrowerId) -> Sequence[tuple[int, AgendaRow]]:
        return [
            (number, parked.row)
            for number, parked in self.parked_rows.items()
            if parked.row.borrower_id == borrower_id
        ]

    async def cursors(self, shards: Sequence[Shard]) -> Mapping[Shard, int]:
        return {shard: self.published[shard] for shard in shards}

    async def scan(self, shard: Shard) -> AsyncIterator[Sequence[StoredEvent]]:
        events = self.events[shard]
        for start in range(0, len(events), PAGE):
            yield events[start : start + PAGE]

    # --- Writing: check everything, then apply everything

    async def commit(self, change: Change) -> None:
        self._check(change)
        self._apply(change)

    def _check(self, change: Change) -> None:
        for move in change.positions:
            place = self.places.get((move.topic, move.partition))
            if place is None or place.position != move.expected:
                raise Fenced(f"position of {move.topic}[{move.partition}] moved")
        for held in change.turns:
            if self.at_work.get((held.key, held.actor)) != held.turn:
                raise Fenced(f"the command {held.key} was taken over")
        moved = [part.shard for part in change.shards.values() if self._is_moved(part)]
        if moved:
            raise ShardMoved(moved)
        for part in change.shards.values():
            self._check_events(part)
        self._check_agenda(change)
        self._check_effects(change)
        if not self.parked_rows.keys() >= set(change.unparked):
            raise Fenced("a parked input was taken by another")

    def _check_agenda(self, change: Change) -> None:
        deleted = set()
        for row in change.agenda_deleted:
            key = (row.shard, row.day, row.row_id)
            if key not in self.agenda_rows or key in deleted:
                raise Fenced(f"agenda row {row.origin} is gone")
            deleted.add(key)
        for row in change.agenda_added:
            key = (row.shard, row.day, row.row_id)
            if key in self.agenda_rows and key not in deleted:
                raise Fenced(f"agenda row {row.origin} was heard by another")

    def _check_effects(self, change: Change) -> None:
        for effect in change.effects_added:
            if effect.event_id in self.effect_rows:
                raise Fenced(f"effect {effect.event_id} was asked for by another")
        for effect in change.effects_answered:
            if effect.event_id not in self.effect_rows:
                raise Fenced(f"effect {effect.event_id} was answered by another")
        for effect in change.effects_sent_again:
            stored = self.effect_rows.get(effect.event_id)
            if stored is None or not stored.in_doubt:
                raise Fenced(f"effect {effect.event_id} is no longer in doubt")

    def _is_moved(self, part: ShardChange) -> bool:
        state = self.shards[part.shard]
        if part.epoch is not None and part.epoch != state.epoch:
            raise Fenced(f"shard {part.shard} has another owner")
        seq_moved = part.expected_seq is not None and part.expected_seq != state.last_seq
        return seq_moved or part.open_day != state.open_day or self._is_busy(part)

    def _is_busy(self, part: ShardChange) -> bool:
        """Whether something falls due before the instant until which the change wants nothing."""
        until, day = part.idle_until, part.open_day
        if until is None or day is None:
            return False
        rows = (
            row.shard == part.shard and row.day <= day and row.at < until
            for row in self.agenda_rows.values()
        )
        timers = (
            timer.shard == part.shard and timer.due_at is not None and timer.due_at < until
            for timer in self.timer_rows.values()
        )
        return any(rows) or any(timers)

    def _check_events(self, part: ShardChange) -> None:
        heads: dict[StreamName, int] = {}
        ids: set[EventId] = set()
        for event in part.events:
            stored = self.streams.get((event.shard, event.stream), ())
            expected = heads.get(event.stream, len(stored)) + 1
            if event.version != expected:
                raise StreamMoved(event.stream)
            heads[event.stream] = expected
            if (event.shard, event.event_id) in self.event_ids or event.event_id in ids:
                raise EventRepeated(event.event_id)
            ids.add(event.event_id)

    def _apply(self, change: Change) -> None:
        self._keep_answers(change)
        for move in change.positions:
            self._apply_move(move)
        for part in change.shards.values():
            self._apply_shard(part)
        for row in change.agenda_deleted:
            del self.agenda_rows[(row.shard, row.day, row.row_id)]
        for row in change.agenda_added:
            self.agenda_rows[(row.shard, row.day, row.row_id)] = row
        for timer in change.timers:
            if timer.due_at is None:
                self.timer_rows.pop((timer.shard, timer.stream), None)
            else:
                self.timer_rows[(timer.shard, timer.stream)] = timer
        for effect in change.effects_added:
            self.effect_rows[effect.event_id] = effect
        for effect in change.effects_answered:
            del self.effect_rows[effect.event_id]
        for effect in change.effects_sent_again:
            again = replace(effect, sent_at=None, in_doubt=False)
            self.effect_rows[effect.event_id] = again
        self._set_aside(change)

    def _set_aside(self, change: Change) -> None:
        if change.refused:
            known = {one.origin for one in self.refused}
            self.refused.extend(one for one in change.refused if one.origin not in known)
        if change.duplicates:
            counted = {one.origin for one in self.duplicates}
            self.duplicates.extend(one for one in change.duplicates if one.origin not in counted)
        for number in change.unparked:
            del self.parked_rows[number]
        self.parked_rows.update((next(self._numbers), one) for one in change.parked)

    def _keep_answers(self, change: Change) -> None:
        for held in change.turns:
            if held.answer is not None:
                self.answers[held.key, held.actor] = held.answer
                del self.at_work[held.key, held.actor]

    def _apply_move(self, move: PositionMove) -> None:
        self.places[(move.topic, move.partition)] = Position(
            topic=move.topic,
            partition=move.partition,
            position=move.position,
            last_seq=move.last_seq,
            last_hash=move.last_hash,
            closed_day=move.closed_day,
            first_day=move.first_day,
        )

    def _apply_shard(self, part: ShardChange) -> None:
        state = self.shards[part.shard]
        seq = state.last_seq
        for event in part.events:
            seq += 1
            stored = replace(event, seq=seq)
            self.events[part.shard].append(stored)
            self.streams.setdefault((part.shard, event.stream), []).append(stored)
            self.event_ids.add((part.shard, event.event_id))
        self.shards[part.shard] = replace(
            state, last_seq=seq, open_day=part.next_open_day or state.open_day
        )

    async def mark_sent(self, effects: Sequence[PendingEffect], at: datetime) -> None:
        for effect in effects:
            stored = self.effect_rows.get(effect.event_id)
            if stored is None or stored.in_doubt or stored.sent_at != effect.sent_at:
                raise Fenced(f"effect {effect.event_id} was sent or answered by another")
        for effect in effects:
            self.effect_rows[effect.event_id] = replace(effect, sent_at=at)

    async def mark_in_doubt(self, effects: Sequence[PendingEffect]) -> None:
        for effect in effects:
            stored = self.effect_rows.get(effect.event_id)
            if stored is not None:
                self.effect_rows[effect.event_id] = replace(stored, in_doubt=True)

    async def move_cursors(self, moves: Mapping[Shard, tuple[int, int]]) -> None:
        if any(self.published[shard] != before for shard, (before, _) in moves.items()):
            raise Fenced("a relay cursor moved")
        for shard, (_, after) in moves.items():
            self.published[shard] = after

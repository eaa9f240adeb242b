"""Where a service that was rebuilt from its own topic goes on hearing (protocol 4.2).

Under the feed's clock that is behind what its last closed day had taken in; facts that came before
and belong to a later day go back to the agenda. Under the live clock it is behind the highest
input position that its events name. Back to the agenda go facts that have left no event: those of
the open day or a later one, and late ones that were heard on the open day. So does what others said
of a borrower that waits for the answer to an effect, from behind the last of it that has led to an
event. What is heard a second time is recognised by its ids. Input that was parked or refused leaves
no event, so it is not promised.
"""

from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from datetime import date, datetime
from functools import partial
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from arrears.shared.contracts.corebanking import FEED_TOPIC
from arrears.shared.eventstore.codec import read_envelope
from arrears.shared.eventstore.port import (
    AgendaRow,
    Change,
    Position,
    PositionMove,
    ShardState,
    Store,
)
from arrears.shared.kernel.business_day import ONE_DAY
from arrears.shared.kernel.ids import BorrowerId, Shard, shard_of
from arrears.shared.runtime.bus import Bus, Record, TopicPartition
from arrears.shared.runtime.feed import AHEAD_MAX, FeedPartition
from arrears.shared.runtime.homes import Homes
from arrears.shared.runtime.inbox import StageSource, last_read, record_hash
from arrears.shared.runtime.stage import (
    BadRecord,
    Clock,
    DayClosing,
    FeedFact,
    FeedReader,
    Stage,
    closing_type,
    topic_of,
)

PAGE: Final = 2000


class _Closing(Struct, frozen=True):
    """A closing as it stands on a partition."""

    record: Record
    day: date
    first_day: date | None = None


class Resuming:
    """Fills positions, homes, cursors and the agenda of a store that holds its events alone."""

    def __init__(
        self, stage: Stage, store: Store, bus: Bus, *, clock: Clock, now: Callable[[], datetime]
    ) -> None:
        self._stage = stage
        self._store = store
        self._bus = bus
        self._clock = clock
        self._now = now
        self._states: Mapping[Shard, ShardState] = {}
        self._handled: dict[TopicPartition, set[int]] = {}
        """Offsets of the feed that have left an event on a day that is open still."""
        self._earlier: dict[TopicPartition, int] = {}
        """The last offset of each partition that has left one on a day before."""
        self._waiting: dict[BorrowerId, dict[TopicPartition, int]] = {}
        """Who waits for an answer, with the last offset of each place that has led to an event."""

    async def run(self) -> None:
        self._states = {state.shard: state for state in await self._store.shard_states()}
        effects = await self._store.effects(list(self._states))
        self._waiting = {effect.borrower_id: {} for effect in effects}
        heard = await self._look_at_events()
        moves: list[PositionMove] = []
        rows: list[AgendaRow] = []
        for service in self._stage.sources():
            for shard in self._states:
                place = TopicPartition(topic_of(service), shard)
                if self._clock == "live":
                    moves.extend(await self._behind(place, heard))
                    rows.extend(await self._left_waiting(service, place, heard))
                else:
                    moves.extend(await self._behind_closing(service, shard))
        if self._stage.feed is not None:
            for partition in range(await self._bus.partition_count(FEED_TOPIC)):
                place = TopicPartition(FEED_TOPIC, partition)
                if self._clock == "live":
                    move = await self._behind(place, heard)
                    waiting = await self._put_off(self._stage.feed, place, heard)
                else:
                    move, waiting = await self._behind_feed(self._stage.feed, place)
                moves.extend(move)
                rows.extend(waiting)
        await self._store.prepare_positions(sorted((one.topic, one.partition) for one in moves))
        await self._store.commit(Change(positions=moves, agenda_added=rows))
        published = {shard: (0, one.last_seq) for shard, one in self._states.items()}
        await self._store.move_cursors({shard: m for shard, m in published.items() if m[1]})

    # --- From the events

    async def _look_at_events(self) -> Mapping[TopicPartition, int]:
        """The highest input of each partition; on the way each loan is given its home back."""
        heard: dict[TopicPartition, int] = {}
        for shard, state in self._states.items():
            open_day = state.open_day
            async for page in self._store.scan(shard):
                homes: dict[str, BorrowerId] = {}
                for stored in page:
                    category, _, key = stored.stream.partition("-")
                    if self._stage.feed is not None and category in self._stage.deciders:
                        homes.setdefault(key, stored.borrower_id)
                    position = read_envelope(stored.value).inputposition
                    for place, offset in _place_of(position):
                        heard[place] = max(offset, heard.get(place, -1))
                        last = self._waiting.get(stored.borrower_id)
                        if last is not None:
                            last[place] = max(offset, last.get(place, -1))
                        is_open = open_day is None or stored.business_day >= open_day
                        if place.topic == FEED_TOPIC and is_open:
                            self._handled.setdefault(place, set()).add(offset)
                        elif place.topic == FEED_TOPIC:
                            self._earlier[place] = max(offset, self._earlier.get(place, -1))
                if homes:
                    await self._store.settle_homes(homes)
        return heard

    async def _behind(
        self, place: TopicPartition, heard: Mapping[TopicPartition, int]
    ) -> Sequence[PositionMove]:
        offset = heard.get(place)
        if offset is None:
            return ()
        record = await last_read(self._bus, place, offset + 1)
        return (_move(place, offset + 1, record),)

    async def _put_off(
        self, reader: FeedReader, place: TopicPartition, heard: Mapping[TopicPartition, int]
    ) -> Sequence[AgendaRow]:
        """Facts that waited for their time, or, heard on the open day, for the worker of their
        shard."""
        if place not in heard:
            return ()
        held = FeedPartition(reader, self._stage.calendar, place, None, self._now, live=True)
        handled = self._handled.get(place, set())
        rows: list[AgendaRow] = []
        async for record, fact, row in self._placed(held, heard[place]):
            open_day = self._states[row.shard].open_day
            is_open = open_day is None or self._stage.calendar.day_of(fact.time) >= open_day
            is_new = record.offset > self._earlier.get(place, -1)
            if (is_open or is_new) and record.offset not in handled:
                rows.append(row)
        return rows

    async def _left_waiting(
        self, service: str, place: TopicPartition, heard: Mapping[TopicPartition, int]
    ) -> Sequence[AgendaRow]:
        """What another service said of borrowers that wait for an answer, heard before the loss.

        What was handled and led to nothing cannot be told from it, so it is decided once more.
        """
        shard = Shard(place.partition)
        last = {
            borrower_id: places.get(place, -1)
            for borrower_id, places in self._waiting.items()
            if shard_of(borrower_id) == shard
        }
        if not last or place not in heard:
            return ()
        first, _ = (await self._bus.bounds(place.topic))[place]
        start = max(first, min(last.values()))
        source: StageSource | None = None
        rows: list[AgendaRow] = []
        async for records in self._pages(place, start, heard[place] + 1):
            if source is None:
                source = _source_at(self._stage, service, records[0], place)
            move, read = source.read(records)
            source.moved(move)
            rows.extend(
                row
                for row in read
                if row.borrower_id in last and _offset_of(row) > last[row.borrower_id]
            )
        return rows

    # --- From the closings

    async def _behind_closing(self, service: str, shard: Shard) -> Sequence[PositionMove]:
        open_day = self._states[shard].open_day
        if open_day is None:
            return ()
        place = TopicPartition(topic_of(service), shard)
        needed = open_day - ONE_DAY - self._stage.sources()[service] * ONE_DAY
        wanted = closing_type(service)

        def closing_of(record: Record) -> _Closing | None:
            envelope = read_envelope(record.value)
            return _Closing(record, envelope.businessday) if envelope.type == wanted else None

        closing = await self._late_one(place, closing_of, needed)
        if closing is None:
            return ()
        first, _ = (await self._bus.bounds(place.topic))[place]
        [record] = await self._bus.read(place, offset=first, count=1)
        first_day = read_envelope(record.value).businessday
        # Numbers may have come again since; no number was there before all that are lower.
        start, reached = first + _number(closing.record) - _number(record), 0
        async for one in self._closings(place, start, closing_of):
            if one.day > needed:
                break
            if _number(one.record) > reached:
                closing, reached = one, _number(one.record)
        behind = closing.record.offset + 1
        return (_move(place, behind, closing.record, closing.day, first_day),)

    async def _behind_feed(
        self, reader: FeedReader, place: TopicPartition
    ) -> tuple[Sequence[PositionMove], Sequence[AgendaRow]]:
        """The move behind the last day that all shards closed, and what came before for later."""
        open_days = [state.open_day for state in self._states.values()]
        known = [day for day in open_days if day is not None]
        if len(known) < len(open_days):
            return (), ()
        last_day = min(known) - ONE_DAY
        early = last_day - AHEAD_MAX - ONE_DAY
        closing: _Closing | None = None
        before: _Closing | None = None
        start, _ = (await self._bus.bounds(place.topic))[place]
        async for one in self._closings(place, start, partial(_feed_closing, reader)):
            if one.day > last_day:
                break
            # The bank may have said an earlier day once more.
            day = max(one.day, closing.day if closing is not None else one.day)
            closing = replace(one, day=day)
            before = closing if day <= early else before
        if closing is None:
            return (), ()
        held = FeedPartition(
            reader,
            self._stage.calendar,
            place,
            Position(
                topic=place.topic,
                partition=place.partition,
                position=before.record.offset + 1 if before is not None else 0,
                last_seq=0,
                last_hash=b"",
                closed_day=before.day if before is not None else None,
                first_day=closing.first_day,
            ),
            self._now,
            live=False,
        )
        rows: list[AgendaRow] = []
        async for _, _, row in self._placed(held, closing.record.offset):
            open_day = self._states[row.shard].open_day
            if open_day is not None and row.day >= open_day:
                rows.append(row)
        behind = closing.record.offset + 1
        return (_move(place, behind, closing.record, closing.day, closing.first_day),), rows

    async def _placed(
        self, held: FeedPartition, end: int
    ) -> AsyncIterator[tuple[Record, FeedFact, AgendaRow]]:
        """Facts up to the offset `end`, as rows of the agenda."""
        homes = Homes(self._store)
        first, _ = (await self._bus.bounds(held.place.topic))[held.place]
        async for records in self._pages(held.place, max(held.position, first), end + 1):
            read = held.read(records)
            held.moved(read.move)
            await homes.settle([fact for _, fact, _ in read.placed])
            for record, fact, day in read.placed:
                if homes.of(fact) is None:
                    await homes.settle([fact])
                home = homes.of(fact)
                if home is not None:
                    yield record, fact, held.row(record, fact, day, home, self._now())

    async def _closings(
        self, place: TopicPartition, start: int, closing_of: Callable[[Record], _Closing | None]
    ) -> AsyncIterator[_Closing]:
        """All closings from the offset on, in the order in which they came."""
        _, end = (await self._bus.bounds(place.topic))[place]
        async for records in self._pages(place, start, end):
            for record in records:
                found = closing_of(record)
                if found is not None:
                    yield found

    async def _late_one(
        self,
        place: TopicPartition,
        closing_of: Callable[[Record], _Closing | None],
        last_day: date,
    ) -> _Closing | None:
        """Some closing of no later day, near the end of the partition."""
        first, end = (await self._bus.bounds(place.topic))[place]
        while end > first:
            start = max(first, end - PAGE)
            async for records in self._pages(place, start, end):
                for record in records:
                    found = closing_of(record)
                    if found is not None and found.day <= last_day:
                        return found
            end = start
        return None

    async def _pages(
        self, place: TopicPartition, start: int, end: int
    ) -> AsyncIterator[Sequence[Record]]:
        """The records from one offset to before another."""
        while start < end:
            records = await self._bus.read(place, offset=start, count=min(PAGE, end - start))
            if not records:
                return
            yield records
            start = records[-1].offset + 1


def _feed_closing(reader: FeedReader, record: Record) -> _Closing | None:
    if b"business_day" not in record.value:
        return None
    try:
        said = reader.read(record.value)
    except BadRecord:
        return None
    return _Closing(record, said.day, said.first_day) if isinstance(said, DayClosing) else None


def _move(
    place: TopicPartition,
    position: int,
    last: Record | None,
    closed_day: date | None = None,
    first_day: date | None = None,
) -> PositionMove:
    """`last` None: the record before the position is gone, so the next start compares nothing."""
    return PositionMove(
        topic=place.topic,
        partition=place.partition,
        expected=0,
        position=position,
        last_seq=_number(last) if last is not None else 0,
        last_hash=record_hash(last) if last is not None else b"",
        closed_day=closed_day,
        first_day=first_day,
    )


def _source_at(stage: Stage, service: str, record: Record, place: TopicPartition) -> StageSource:
    """The partition as it is heard from this record on."""
    position = Position(
        topic=place.topic,
        partition=place.partition,
        position=record.offset,
        last_seq=_number(record) - 1,
        last_hash=b"",
        closed_day=None,
        first_day=None,
    )
    return StageSource(stage, service, Shard(place.partition), position)


def _number(record: Record) -> int:
    return record.seq or 0


def _offset_of(row: AgendaRow) -> int:
    return int(row.origin.rpartition("/")[2])


def _place_of(position: object) -> Iterator[tuple[TopicPartition, int]]:
    """`arrears.intake.v1/3/17` is a place; an effect or a timer is none."""
    if not isinstance(position, str):
        return
    parts = position.split("/")
    if len(parts) == 3 and parts[1].isdigit() and parts[2].isdigit():
        yield TopicPartition(parts[0], int(parts[1])), int(parts[2])

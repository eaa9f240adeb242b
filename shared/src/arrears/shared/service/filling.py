"""The events of a rebuild: read from the service's store or its topic, appended as they are.

While a batch is written the next one is read and decoded.
"""

from collections import defaultdict
from collections.abc import AsyncGenerator, Iterator, Mapping, Sequence
from contextlib import aclosing
from datetime import date
from typing import Final

from msgspec import DecodeError, Struct, field

from arrears.shared.eventstore.ahead import ahead
from arrears.shared.eventstore.codec import read_columns
from arrears.shared.eventstore.port import Change, ShardChange, Store, StoredEvent
from arrears.shared.kernel.business_day import ONE_DAY
from arrears.shared.kernel.ids import SHARD_COUNT, BorrowerId, EventId, Shard, StreamName
from arrears.shared.runtime.bus import Bus, Record, TopicPartition
from arrears.shared.runtime.workbench import StoreLostEvents

PAGE: Final = 2000
WAIT_SECONDS: Final = 1.0
SILENT_MAX: Final = 30
"""So many waits in a row that bring nothing, though the topic has more, are the end."""


class TopicBroken(Exception):
    """A topic does not hold every event of its service once, as it was: none can be rebuilt."""


class Repetition(Struct, frozen=True, gc=False):
    """A number that came again: the bytes must be those that the store has under it."""

    seq: int
    value: bytes
    place: str


class Batch(Struct):
    """Events that follow those of the batches before, and what came again, by shard."""

    events: dict[Shard, Sequence[StoredEvent]] = field(default_factory=dict)
    repeated: defaultdict[Shard, list[Repetition]] = field(
        default_factory=lambda: defaultdict(list)
    )


async def from_store(store: Store) -> AsyncGenerator[Batch, None]:
    """Raises StoreLostEvents where a number is missing."""
    for number in range(SHARD_COUNT):
        last_seq = 0
        async for page in store.scan(Shard(number)):
            if page[-1].seq != last_seq + len(page):
                _name_the_first_lost(page, last_seq + 1)
            last_seq = page[-1].seq
            yield Batch({Shard(number): page})


def _name_the_first_lost(page: Sequence[StoredEvent], begin: int) -> None:
    for expected, event in enumerate(page, start=begin):
        if event.seq != expected:
            raise StoreLostEvents(f"shard {event.shard}: seq {expected} is missing")


async def from_topic(bus: Bus, topic: str) -> AsyncGenerator[Batch, None]:
    """The events of all partitions by number, up to where the topic ends now.

    Raises TopicBroken where a number is missing, TimeoutError where the topic falls silent.
    """
    bounds = await bus.bounds(topic)
    left = {place: end for place, (first, end) in bounds.items() if first < end}
    numbers = dict.fromkeys(left, 0)
    listener = bus.listener("arrears.rebuild")
    try:
        await listener.assign({place: bounds[place][0] for place in left})
        silent = 0
        while left:
            polled = await listener.poll(records_max=PAGE, wait_seconds=WAIT_SECONDS)
            silent = 0 if polled else silent + 1
            if silent > SILENT_MAX:
                raise TimeoutError(f"{topic} brings nothing more of {sorted(left)}")
            batch = Batch()
            for place, records in polled.items():
                shard = Shard(place.partition)
                new = list(_new(place, records, numbers, batch.repeated[shard]))
                if new:
                    batch.events[shard] = new
                if records and records[-1].offset + 1 >= left.get(place, 0):
                    left.pop(place, None)
            yield batch
    finally:
        await listener.close()


def _new(
    place: TopicPartition,
    records: Sequence[Record],
    numbers: dict[TopicPartition, int],
    repeated: list[Repetition],
) -> Iterator[StoredEvent]:
    """The events of the records that are new; `numbers` has the last one of each partition."""
    last_seq = numbers[place]
    for record in records:
        seq = record.seq or 0
        if seq == last_seq + 1:
            last_seq = seq
            try:
                event = _stored(Shard(place.partition), seq, record.value)
            except (DecodeError, UnicodeDecodeError, RecursionError) as error:
                raise TopicBroken(f"{_where(place, record)}: seq {seq} is no event") from error
            yield event
            continue
        where = _where(place, record)
        if not 0 < seq <= last_seq:
            raise TopicBroken(f"{where}: expected seq {last_seq + 1}, found {record.seq}")
        repeated.append(Repetition(seq, record.value, where))
    numbers[place] = last_seq


def _where(place: TopicPartition, record: Record) -> str:
    return f"{place.topic}[{place.partition}] offset {record.offset}"


def _stored(shard: Shard, seq: int, value: bytes) -> StoredEvent:
    columns = read_columns(value)
    return StoredEvent(
        shard=shard,
        seq=seq,
        stream=StreamName(columns.stream),
        version=columns.streamversion,
        event_id=EventId(columns.id),
        type=columns.type,
        borrower_id=BorrowerId(columns.partitionkey),
        business_day=columns.businessday,
        value=value,
    )


class _End(Struct):
    """Where a shard that is being filled stands."""

    seq: int = 0
    open_day: date | None = None


async def fill(rebuilt: Store, batches: AsyncGenerator[Batch, None], closing: str) -> None:
    """Append the events as they are; the open day is the one after the last closing.

    Raises TopicBroken where a number came again with other bytes.
    """
    ends: defaultdict[Shard, _End] = defaultdict(_End)
    async with aclosing(ahead(batches)) as coming:
        async for batch in coming:
            if batch.events:
                change = Change()
                for shard, events in batch.events.items():
                    change.shards[shard] = _appended(shard, events, ends[shard], closing)
                await rebuilt.commit(change)
            await _check(rebuilt, batch.repeated)


def _appended(shard: Shard, events: Sequence[StoredEvent], end: _End, closing: str) -> ShardChange:
    next_day = end.open_day
    for event in events:
        day = event.business_day
        if event.type == closing:
            day += ONE_DAY
        # Later than the day after a closing where the clock was turned in between.
        if next_day is None or day > next_day:
            next_day = day
    change = ShardChange(
        shard=shard,
        expected_seq=end.seq,
        epoch=None,
        open_day=end.open_day,
        events=list(events),
        next_open_day=next_day,
    )
    end.seq += len(events)
    end.open_day = next_day
    return change


async def _check(rebuilt: Store, repeated: Mapping[Shard, Sequence[Repetition]]) -> None:
    for shard, ones in repeated.items():
        waiting = sorted(ones, key=lambda one: one.seq)
        while waiting:
            page = await rebuilt.after(shard, waiting[0].seq - 1, limit=PAGE)
            values = {stored.seq: stored.value for stored in page}
            for one in waiting:
                if one.seq in values and values[one.seq] != one.value:
                    raise TopicBroken(f"{one.place}: seq {one.seq} came again with other bytes")
            waiting = [one for one in waiting if one.seq > max(values)]

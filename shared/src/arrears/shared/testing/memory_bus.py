"""The bus in memory: deterministic, and able to misbehave the way a real one does.

Without a `chance` every poll brings all there is, in order of topic and partition. With one, polls
bring some partitions, in any order, and of each a prefix: order holds within a partition only.
"""

import asyncio
from collections import defaultdict
from collections.abc import Mapping, Sequence
from random import Random

from arrears.shared.runtime.bus import Outgoing, OutOfRetention, Record, TopicPartition


class _Log:
    """One partition. `hidden_from`: records from this offset on are not delivered yet."""

    __slots__ = ("hidden_from", "records", "start")

    def __init__(self) -> None:
        self.records: list[Record] = []
        self.start = 0
        self.hidden_from: int | None = None

    @property
    def end(self) -> int:
        return self.start + len(self.records)

    def from_offset(self, offset: int, count: int) -> list[Record]:
        first = offset - self.start
        return self.records[first : first + count]


class MemoryBus:
    def __init__(self, chance: Random | None = None) -> None:
        self.chance = chance
        self.committed: defaultdict[str, dict[TopicPartition, int]] = defaultdict(dict)
        self._topics: dict[str, tuple[list[_Log], int]] = {}
        self._arrivals: dict[asyncio.Future[None], MemoryListener] = {}
        self._listeners: list[MemoryListener] = []
        self._broken_publishes: list[int] = []
        self._closed = False

    async def ensure_topic(self, topic: str, *, partitions: int, retention_ms: int) -> None:
        logs, kept_ms = self._topics.setdefault(
            topic, ([_Log() for _ in range(partitions)], retention_ms)
        )
        if len(logs) != partitions:
            raise ValueError(f"topic {topic} has {len(logs)} partitions, must have {partitions}")
        if kept_ms != retention_ms:
            raise ValueError(f"topic {topic}: retention.ms is {kept_ms}, must be {retention_ms}")

    async def partition_count(self, topic: str) -> int:
        return len(self._logs(topic))

    async def bounds(self, topic: str) -> Mapping[TopicPartition, tuple[int, int]]:
        return {
            TopicPartition(topic, number): (found.start, found.end)
            for number, found in enumerate(self._logs(topic))
        }

    async def read(self, place: TopicPartition, *, offset: int, count: int) -> Sequence[Record]:
        found = self._log(place)
        if offset < found.start:
            raise OutOfRetention(_outside(place, offset, found))
        return found.from_offset(offset, max(count, 0))

    def listener(self, group: str) -> "MemoryListener":
        made = MemoryListener(self, group)
        self._listeners.append(made)
        return made

    def publisher(self) -> "MemoryPublisher":
        return MemoryPublisher(self)

    async def close(self) -> None:
        self._closed = True

    # --- Misbehaviour, for tests.

    def records(self, place: TopicPartition) -> list[Record]:
        """The partition itself: change, remove or insert in place to damage it."""
        return self._log(place).records

    def delay(self, place: TopicPartition, from_offset: int) -> None:
        """Listeners do not get records from this offset on, until `release`."""
        self._log(place).hidden_from = from_offset

    def freeze(self, place: TopicPartition) -> None:
        """Nothing more arrives from the partition, though it grows."""
        self.delay(place, 0)

    def release(self, place: TopicPartition) -> None:
        self._log(place).hidden_from = None
        self._arrived(place)

    def duplicate(self, place: TopicPartition, *, offset: int, count: int = 1) -> None:
        """The same records once more at the end, as a relay that crashed would send them."""
        for record in self._log(place).from_offset(offset, count):
            self.append(place, Outgoing(record.key or b"", record.value, record.seq))

    def redeliver(self, place: TopicPartition, offset: int) -> None:
        """Every listener that has the partition gets it again from this offset."""
        for listener in self._listeners:
            listener.rewind(place, offset)
        self._arrived(place)

    def truncate(self, place: TopicPartition, before: int) -> None:
        """Records below `before` are gone, as when their retention has passed."""
        found = self._log(place)
        del found.records[: before - found.start]
        found.start = before

    def wipe(self, topic: str) -> None:
        """An empty topic under the same name: what a lost broker disk leaves."""
        logs, kept_ms = self._topics[topic]
        self._topics[topic] = ([_Log() for _ in logs], kept_ms)

    def break_publish(self, kept: int) -> None:
        """The next publish fails when it has written `kept` records of each batch."""
        self._broken_publishes.append(kept)

    def append(self, place: TopicPartition, outgoing: Outgoing) -> None:
        found = self._log(place)
        found.records.append(Record(found.end, outgoing.key, outgoing.value, outgoing.seq))
        self._arrived(place)

    # --- What listeners and publishers need of it.

    def take(self, place: TopicPartition, offset: int, count: int) -> list[Record]:
        found = self._log(place)
        if offset == found.end:
            return []
        if not found.start <= offset <= found.end:
            raise OutOfRetention(_outside(place, offset, found))
        if found.hidden_from is not None:
            count = min(count, max(found.hidden_from - offset, 0))
        return found.from_offset(offset, count)

    def write(self, batches: Mapping[TopicPartition, Sequence[Outgoing]]) -> None:
        for place in batches:
            self._log(place)
        kept = self._broken_publishes.pop(0) if self._broken_publishes else None
        for place, outgoing in batches.items():
            for one in outgoing[:kept]:
                self.append(place, one)
        if kept is not None:
            raise ConnectionError("the broker went away while publishing")

    def forget(self, listener: "MemoryListener") -> None:
        if listener in self._listeners:
            self._listeners.remove(listener)

    async def arrival(self, listener: "MemoryListener", seconds: float) -> None:
        """Return when something has arrived for the listener, or after so many seconds."""
        loop = asyncio.get_running_loop()
        waiter: asyncio.Future[None] = loop.create_future()
        self._arrivals[waiter] = listener
        alarm = loop.call_later(seconds, _wake, waiter)
        try:
            await waiter
        finally:
            alarm.cancel()
            self._arrivals.pop(waiter, None)

    def _arrived(self, place: TopicPartition) -> None:
        for waiter, listener in self._arrivals.items():
            if listener.reads(place):
                _wake(waiter)

    def _logs(self, topic: str) -> list[_Log]:
        if topic not in self._topics:
            raise LookupError(f"topic {topic} does not exist")
        return self._topics[topic][0]

    def _log(self, place: TopicPartition) -> _Log:
        logs = self._logs(place.topic)
        if not 0 <= place.partition < len(logs):
            raise LookupError(f"topic {place.topic} has no partition {place.partition}")
        return logs[place.partition]


class MemoryListener:
    def __init__(self, bus: MemoryBus, group: str) -> None:
        self._bus = bus
        self._group = group
        self._next: dict[TopicPartition, int] = {}

    async def assign(self, positions: Mapping[TopicPartition, int]) -> None:
        self._next = {
            place: self._next.get(place, position) for place, position in positions.items()
        }

    async def poll(
        self, *, records_max: int, wait_seconds: float
    ) -> Mapping[TopicPartition, Sequence[Record]]:
        taken = self._take(records_max)
        if not taken and wait_seconds > 0:
            await self._bus.arrival(self, wait_seconds)
            taken = self._take(records_max)
        return taken

    async def commit(self, positions: Mapping[TopicPartition, int]) -> None:
        self._bus.committed[self._group].update(positions)

    async def close(self) -> None:
        self._next = {}
        self._bus.forget(self)

    def reads(self, place: TopicPartition) -> bool:
        return place in self._next

    def rewind(self, place: TopicPartition, offset: int) -> None:
        if place in self._next:
            self._next[place] = min(self._next[place], offset)

    def _take(self, records_max: int) -> dict[TopicPartition, list[Record]]:
        found = {}
        for place, position in self._next.items():
            records = self._bus.take(place, position, records_max)
            if records:
                found[place] = records
        places = sorted(found)
        chance = self._bus.chance
        if chance is not None and places:
            places = chance.sample(places, chance.randint(1, len(places)))
        taken = {}
        for place in places:
            records = found[place][:records_max]
            if chance is not None and records:
                records = records[: chance.randint(1, len(records))]
            if records:
                taken[place] = records
                self._next[place] = records[-1].offset + 1
                records_max -= len(records)
        return taken


class MemoryPublisher:
    def __init__(self, bus: MemoryBus) -> None:
        self._bus = bus

    async def publish(self, batches: Mapping[TopicPartition, Sequence[Outgoing]]) -> None:
        await asyncio.sleep(0)
        self._bus.write(batches)

    async def close(self) -> None: ...


def _wake(waiter: "asyncio.Future[None]") -> None:
    if not waiter.done():
        waiter.set_result(None)


def _outside(place: TopicPartition, position: int, found: _Log) -> str:
    return (
        f"{place.topic}/{place.partition}: position {position}, "
        f"topic has {found.start} to {found.end}"
    )

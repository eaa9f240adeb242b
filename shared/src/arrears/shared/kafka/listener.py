"""Reading partitions assigned by hand, from positions that live in PostgreSQL.

No group, no committed offset, no reset: a position that the topic does not have stops loudly.
Liveness is progress: when a topic has grown and nothing arrives, the consumer is made anew. After
any error as well, because aiokafka steps over a record that it could not return.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

import structlog
from aiokafka import AIOKafkaConsumer
from aiokafka import TopicPartition as Place
from aiokafka.errors import OffsetOutOfRangeError

from arrears.shared.kafka.committer import Committer
from arrears.shared.kafka.ending import end_consumer
from arrears.shared.kafka.failures import is_told_to_stop, plain
from arrears.shared.kafka.publisher import SEQ_HEADER
from arrears.shared.kafka.settings import KafkaSettings
from arrears.shared.kafka.watch import Watch
from arrears.shared.runtime.bus import OutOfRetention, Record, TopicPartition

PARTITION_FETCH_BYTES: Final = 4 * 1024 * 1024
FETCH_BYTES: Final = 16 * 1024 * 1024
_SEQ_DIGITS_MAX: Final = 18

log = structlog.get_logger(__name__)


def make_consumer(settings: KafkaSettings) -> Any:
    """`fetch_max_wait_ms` is how long a partition that has just brought something may be left out:
    the fetch that is on its way names the topic's other partitions, and the next one follows it."""
    return AIOKafkaConsumer(
        group_id=None,
        enable_auto_commit=False,
        auto_offset_reset="none",
        isolation_level="read_committed",
        fetch_min_bytes=settings.fetch_min_bytes,
        fetch_max_wait_ms=settings.fetch_wait_ms,
        max_partition_fetch_bytes=PARTITION_FETCH_BYTES,
        fetch_max_bytes=FETCH_BYTES,
        **settings.connection(),
    )


def record_of(found: Any) -> Record:
    """A `seq` header that is not a plain decimal is a stranger's, and no number of ours."""
    seq = None
    for name, value in found.headers:
        if name == SEQ_HEADER and value and value.isdigit() and len(value) <= _SEQ_DIGITS_MAX:
            seq = int(value)
    return Record(found.offset, found.key, found.value or b"", seq)


class KafkaListener:
    """One consumer for each topic, so that no topic waits for a fetch that waits for another.

    `on_stall` hears of every consumer made anew because a topic grew and nothing arrived.
    """

    def __init__(
        self,
        settings: KafkaSettings,
        group: str,
        on_stall: Callable[[Mapping[TopicPartition, int]], None] | None = None,
    ) -> None:
        self.is_closed = False
        self._settings = settings
        self._committer = Committer(settings, group)
        self._on_stall = on_stall
        self._consumers: dict[str, Any] = {}
        self._next: dict[TopicPartition, int] = {}
        self._watch = Watch(settings.stall_seconds, settings.request_seconds)
        self._turn = 0

    async def assign(self, positions: Mapping[TopicPartition, int]) -> None:
        await self._watch.stop()
        self._next = {
            place: self._next.get(place, position) for place, position in positions.items()
        }
        for topic in self._consumers.keys() - {place.topic for place in self._next}:
            await end_consumer(self._consumers.pop(topic))
        for topic, consumer in self._consumers.items():
            self._place(topic, consumer)

    async def poll(
        self, *, records_max: int, wait_seconds: float
    ) -> Mapping[TopicPartition, Sequence[Record]]:
        if not self._next:
            await asyncio.sleep(wait_seconds)
            return {}
        try:
            await self._ready()
            found = await self._fetched(records_max)
            if not found and wait_seconds > 0:
                found = await _first_fetched(
                    list(self._consumers.values()), records_max, wait_seconds
                )
            for where in found:
                self._watch.note(where.topic)
            await self._replace_the_deaf()
        except OffsetOutOfRangeError as error:
            raise OutOfRetention(await self._where(error)) from error
        except BaseException as error:
            if is_told_to_stop(error):
                # A consumer may have handed over what nobody will get: it goes back to our place.
                for topic, consumer in self._consumers.items():
                    self._place(topic, consumer)
                raise
            await self._drop()
            raise plain(error, "reading", self._settings.servers) from error
        return self._taken(found)

    async def commit(self, positions: Mapping[TopicPartition, int]) -> None:
        self._committer.note(positions)

    async def close(self) -> None:
        self.is_closed = True
        await self._committer.close()
        await self._drop()

    def _taken(self, found: Mapping[Any, Sequence[Any]]) -> dict[TopicPartition, list[Record]]:
        """What is new of the partitions that are ours now, and where to go on from."""
        taken = {}
        for where, records in found.items():
            place = TopicPartition(where.topic, where.partition)
            expected = self._next.get(place)
            if expected is None:
                continue
            new = [record_of(record) for record in records if record.offset >= expected]
            if new:
                taken[place] = new
                self._next[place] = new[-1].offset + 1
        return taken

    async def _fetched(self, records_max: int) -> dict[Any, Sequence[Any]]:
        """What has arrived already, topics taking turns in being first.

        A topic that there was no room to ask is not silent.
        """
        topics = list(self._consumers)
        self._turn = (self._turn + 1) % len(topics)
        found: dict[Any, Sequence[Any]] = {}
        left = records_max
        for topic in topics[self._turn :] + topics[: self._turn]:
            if left <= 0:
                self._watch.note(topic)
                continue
            part = await self._consumers[topic].getmany(timeout_ms=0, max_records=left)
            found.update(part)
            left -= sum(map(len, part.values()))
        return found

    async def _ready(self) -> None:
        for topic in {place.topic for place in self._next} - self._consumers.keys():
            consumer = make_consumer(self._settings)
            try:
                await consumer.start()
            except BaseException:
                await end_consumer(consumer)
                raise
            self._place(topic, consumer)
            self._consumers[topic] = consumer

    def _place(self, topic: str, consumer: Any) -> None:
        """No await between assigning and seeking: a partition without a position asks a group."""
        places = {place: at for place, at in self._next.items() if place.topic == topic}
        consumer.assign([Place(*place) for place in places])
        for place, position in places.items():
            consumer.seek(Place(*place), position)

    async def _replace_the_deaf(self) -> None:
        for topic, missed in self._watch.deaf(self._consumers, self._next).items():
            names = {f"{topic}/{place.partition}": n for place, n in missed.items()}
            log.warning("listener_stalled", missed=names)
            await end_consumer(self._consumers.pop(topic))
            if self._on_stall is not None:
                self._on_stall(missed)

    async def _where(self, error: OffsetOutOfRangeError) -> str:
        bounds: dict[Any, tuple[int, int]] = {}
        try:
            async with asyncio.timeout(self._settings.request_seconds):
                for topic, consumer in self._consumers.items():
                    places = [Place(*place) for place in self._next if place.topic == topic]
                    starts = await consumer.beginning_offsets(places)
                    ends = await consumer.end_offsets(places)
                    bounds.update({place: (starts[place], ends[place]) for place in places})
        except Exception:
            return f"a position is outside the topic: {error}"
        finally:
            await self._drop()
        lost = [
            f"{place.topic}/{place.partition}: position {position}, topic has "
            f"{bounds[Place(*place)][0]} to {bounds[Place(*place)][1]}"
            for place, position in self._next.items()
            if not bounds[Place(*place)][0] <= position <= bounds[Place(*place)][1]
        ]
        return "; ".join(lost) or f"a position was outside the topic: {error}"

    async def _drop(self) -> None:
        consumers, self._consumers = self._consumers, {}
        await self._watch.stop()
        await asyncio.gather(*map(end_consumer, consumers.values()))


async def _first_fetched(
    consumers: Sequence[Any], records_max: int, wait_seconds: float
) -> dict[Any, Sequence[Any]]:
    """What the first consumer brings that brings anything, with what others have by then."""
    waiting = [
        asyncio.ensure_future(
            consumer.getmany(timeout_ms=int(wait_seconds * 1000), max_records=records_max)
        )
        for consumer in consumers
    ]
    try:
        done, _ = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
        found: dict[Any, Sequence[Any]] = {}
        for task in done:
            found.update(task.result())
        return found
    finally:
        # A getmany that is cancelled while it waits has taken nothing.
        for task in waiting:
            task.cancel()
        await asyncio.gather(*waiting, return_exceptions=True)

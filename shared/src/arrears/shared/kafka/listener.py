"""Reading partitions assigned by hand, from positions that live in PostgreSQL.

No group, no committed offset, no reset: a position that the topic does not have stops loudly.
Liveness is progress: when a topic has grown and nothing arrives, the consumer is made anew. After
any error as well, because aiokafka steps over a record that it could not return.
"""

import asyncio
import time
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
from arrears.shared.runtime.bus import OutOfRetention, Record, TopicPartition

PARTITION_FETCH_BYTES: Final = 4 * 1024 * 1024
FETCH_BYTES: Final = 16 * 1024 * 1024
_SEQ_DIGITS_MAX: Final = 18

log = structlog.get_logger(__name__)


def make_consumer(settings: KafkaSettings) -> Any:
    """`fetch_max_wait_ms` is small because a broker answers a connection's requests in order:
    a fetch that waits for empty partitions holds up the fetch that follows a new assignment."""
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
    """`on_stall` hears of every consumer made anew because a topic grew and nothing arrived."""

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
        self._consumer: Any = None
        self._next: dict[TopicPartition, int] = {}
        self._progress_at = time.monotonic()

    async def assign(self, positions: Mapping[TopicPartition, int]) -> None:
        self._next = {
            place: self._next.get(place, position) for place, position in positions.items()
        }
        self._progress_at = time.monotonic()
        if self._consumer is not None:
            self._place(self._consumer)

    async def poll(
        self, *, records_max: int, wait_seconds: float
    ) -> Mapping[TopicPartition, Sequence[Record]]:
        if not self._next:
            await asyncio.sleep(wait_seconds)
            return {}
        try:
            consumer = await self._ready()
            found = await consumer.getmany(
                timeout_ms=int(wait_seconds * 1000), max_records=records_max
            )
            if not found:
                await self._watch(consumer)
                return {}
        except OffsetOutOfRangeError as error:
            raise OutOfRetention(await self._where(error)) from error
        except BaseException as error:
            if is_told_to_stop(error):
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
        self._progress_at = time.monotonic()
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

    async def _ready(self) -> Any:
        if self._consumer is None:
            consumer = make_consumer(self._settings)
            try:
                await consumer.start()
            except BaseException:
                await end_consumer(consumer)
                raise
            self._place(consumer)
            self._consumer = consumer
            self._progress_at = time.monotonic()
        return self._consumer

    def _place(self, consumer: Any) -> None:
        """No await between assigning and seeking: a partition without a position asks a group."""
        consumer.assign([Place(*place) for place in self._next])
        for place, position in self._next.items():
            consumer.seek(Place(*place), position)

    async def _watch(self, consumer: Any) -> None:
        """After a silence: has a topic grown? Then this consumer is deaf and another is made."""
        if time.monotonic() - self._progress_at < self._settings.stall_seconds:
            return
        assigned = dict(self._next)
        async with asyncio.timeout(self._settings.request_seconds):
            ends = await consumer.end_offsets([Place(*place) for place in assigned])
        missed = {}
        for place, position in assigned.items():
            reached = max(position, await consumer.position(Place(*place)))
            if ends[Place(*place)] > reached:
                missed[place] = ends[Place(*place)] - reached
        self._progress_at = time.monotonic()
        if missed:
            log.warning("listener_stalled", missed={f"{t}/{p}": n for (t, p), n in missed.items()})
            await self._drop()
            if self._on_stall is not None:
                self._on_stall(missed)

    async def _where(self, error: OffsetOutOfRangeError) -> str:
        places = [Place(*place) for place in self._next]
        consumer = self._consumer
        try:
            async with asyncio.timeout(self._settings.request_seconds):
                starts = await consumer.beginning_offsets(places)
                ends = await consumer.end_offsets(places)
        except Exception:
            return f"a position is outside the topic: {error}"
        finally:
            await self._drop()
        lost = [
            f"{place.topic}/{place.partition}: position {position}, topic has "
            f"{starts[Place(*place)]} to {ends[Place(*place)]}"
            for place, position in self._next.items()
            if not starts[Place(*place)] <= position <= ends[Place(*place)]
        ]
        return "; ".join(lost) or f"a position was outside the topic: {error}"

    async def _drop(self) -> None:
        consumer, self._consumer = self._consumer, None
        if consumer is not None:
            await end_consumer(consumer)

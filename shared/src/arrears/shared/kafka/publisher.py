"""Records to explicit partitions: idempotent, acks=all, one batch in flight per partition.

A producer that has failed once is thrown away. Its sequence numbers have moved past the batch that
was rejected, so everything it sent afterwards to that partition would be refused as out of order.
"""

import asyncio
import time
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from aiokafka import AIOKafkaProducer

from arrears.shared.kafka.ending import end_producer
from arrears.shared.kafka.failures import is_told_to_stop, plain
from arrears.shared.kafka.settings import KafkaSettings
from arrears.shared.runtime.bus import Outgoing, TopicPartition

CONTENT_TYPE: Final = ("content-type", b"application/cloudevents+json")
SEQ_HEADER: Final = "seq"
BATCH_BYTES_MAX: Final = 1_000_000
"""Below the broker's default `message.max.bytes`; one larger record still makes its own batch."""


class KafkaPublisher:
    """Any number of calls may run at once, as long as no two share a partition."""

    def __init__(self, settings: KafkaSettings) -> None:
        self.is_closed = False
        self._settings = settings
        self._producer: Any = None
        self._starting = asyncio.Lock()
        self._discarded: set[asyncio.Task[None]] = set()

    async def publish(self, batches: Mapping[TopicPartition, Sequence[Outgoing]]) -> None:
        producer = None
        try:
            async with asyncio.timeout(self._settings.publish_seconds):
                producer = await self._ready()
                await _send_all(producer, batches)
        except BaseException as error:
            if producer is not None and producer is self._producer:
                self._discard(producer)
            if is_told_to_stop(error):
                raise
            doing = f"publishing to {', '.join(sorted({place.topic for place in batches}))}"
            raise plain(error, doing, self._settings.servers) from error

    async def close(self) -> None:
        self.is_closed = True
        producer, self._producer = self._producer, None
        if producer is not None:
            self._discard(producer)
        if self._discarded:
            await asyncio.gather(*self._discarded, return_exceptions=True)

    async def _ready(self) -> Any:
        async with self._starting:
            if self._producer is None:
                compression = self._settings.compression
                producer = AIOKafkaProducer(
                    acks="all",
                    enable_idempotence=True,
                    linger_ms=0,
                    max_batch_size=BATCH_BYTES_MAX,
                    compression_type=None if compression == "none" else compression,
                    **self._settings.connection(),
                )
                try:
                    await producer.start()
                except BaseException:
                    await end_producer(producer)
                    raise
                self._producer = producer
            return self._producer

    def _discard(self, producer: Any) -> None:
        """Stops it in the background: a call that failed or was cancelled must not wait."""
        if self._producer is producer:
            self._producer = None
        task = asyncio.get_running_loop().create_task(end_producer(producer))
        self._discarded.add(task)
        task.add_done_callback(self._discarded.discard)


async def _send_all(producer: Any, batches: Mapping[TopicPartition, Sequence[Outgoing]]) -> None:
    """One batch of every partition in turn, so that one request carries all partitions.

    The next ones follow when all of these were taken: behind a batch that failed there would be a
    hole, for a broker takes any number first from a producer that it does not know. They are built
    while these are on the wire.
    """
    packers = [
        (place, _packed(producer, outgoing)) for place, outgoing in batches.items() if outgoing
    ]
    sent: list[asyncio.Future[object]] = []
    while packers:
        built = []
        for place, packer in packers:
            batch = next(packer, None)
            if batch is not None:
                built.append((place, packer, batch))
            await asyncio.sleep(0)
        await _taken(sent)
        sent = []
        for place, _, batch in built:
            future = await producer.send_batch(batch, place.topic, partition=place.partition)
            future.add_done_callback(_retrieve)
            sent.append(future)
        packers = [(place, packer) for place, packer, _ in built]


async def _taken(sent: Sequence[asyncio.Future[object]]) -> None:
    for answer in await asyncio.gather(*sent, return_exceptions=True):
        if isinstance(answer, BaseException):
            raise answer


def _retrieve(future: asyncio.Future[object]) -> None:
    """A call that was cancelled waits for nobody; asyncio must not complain of what nobody read."""
    if not future.cancelled():
        future.exception()


def _packed(producer: Any, outgoing: Sequence[Outgoing]) -> Iterator[Any]:
    """Record timestamps are the wall clock: retention counts from them, not from event times."""
    now_ms = int(time.time() * 1000)
    batch = producer.create_batch()
    append = batch.append
    for record in outgoing:
        seq = record.seq
        headers = [CONTENT_TYPE] if seq is None else [CONTENT_TYPE, (SEQ_HEADER, b"%d" % seq)]
        key, value = record.key, record.value
        if append(timestamp=now_ms, key=key, value=value, headers=headers) is None:
            yield batch
            batch = producer.create_batch()
            append = batch.append
            append(timestamp=now_ms, key=key, value=value, headers=headers)
    yield batch

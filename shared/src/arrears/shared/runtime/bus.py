"""The bus as the runtime sees it. Kafka and memory both pass `testing.bus_suite`.

Positions are the *next* offset to read. They live in PostgreSQL; what is committed to Kafka is
for lag tools only, so no method here ever starts from a committed offset.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple, Protocol

from msgspec import Struct


class TopicPartition(NamedTuple):
    topic: str
    partition: int


class Record(Struct, frozen=True, gc=False):
    """`seq` is the publisher's gapless number in the partition, a header; None on the feed."""

    offset: int
    key: bytes | None
    value: bytes
    seq: int | None = None


class Outgoing(Struct, frozen=True, gc=False):
    key: bytes
    value: bytes
    seq: int | None = None


class OutOfRetention(Exception):
    """A position lies below the first record that the topic still has. Nothing may be skipped."""


class Listener(Protocol):
    async def assign(self, positions: Mapping[TopicPartition, int]) -> None:
        """Read exactly these partitions, from these offsets. Partitions kept keep their place."""

    async def poll(
        self, *, records_max: int, wait_seconds: float
    ) -> Mapping[TopicPartition, Sequence[Record]]:
        """What has arrived, in order per partition; empty after `wait_seconds`.

        Raises OutOfRetention where an assigned position is below the log's start.
        """

    async def commit(self, positions: Mapping[TopicPartition, int]) -> None:
        """Tell lag tools where we are. Advisory: a failure is logged and forgotten."""

    async def close(self) -> None: ...


class Publisher(Protocol):
    async def publish(self, batches: Mapping[TopicPartition, Sequence[Outgoing]]) -> None:
        """Send all, in order per partition, acks=all; returns when every record is acknowledged.

        A failure may leave a prefix of each batch on the topic: send again, readers drop by seq.
        """

    async def close(self) -> None: ...


class Bus(Protocol):
    async def ensure_topic(self, topic: str, *, partitions: int, retention_ms: int) -> None:
        """Create the topic if missing and wait for its leaders; -1 keeps records for ever.

        Raises ValueError where it exists with other partitions, retention or clean-up policy.
        """

    async def partition_count(self, topic: str) -> int: ...

    async def bounds(self, topic: str) -> Mapping[TopicPartition, tuple[int, int]]:
        """First and next offset of every partition."""

    async def read(self, place: TopicPartition, *, offset: int, count: int) -> Sequence[Record]:
        """A look at single records (the last ones of a partition, one at a position)."""

    def listener(self, group: str) -> Listener: ...

    def publisher(self) -> Publisher: ...

    async def close(self) -> None: ...

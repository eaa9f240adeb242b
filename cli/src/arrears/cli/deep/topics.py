"""Reading Kafka for the checker: one partition after the other, up to an end taken before."""

from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any, Final

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient

from arrears.cli.deep.reading import TopicRecord

BATCH: Final = 2_000
_POLL_MS: Final = 500
_SILENT_POLLS_MAX: Final = 60
_FETCH_BYTES: Final = 4 << 20


class TopicSilent(Exception):
    """The broker does not give out records that it says it has."""


class Topics:
    """A consumer of no group: it leaves no trace on the broker."""

    def __init__(self, connection: Mapping[str, Any]) -> None:
        self._admin = AIOKafkaAdminClient(**connection)
        self._counts: dict[str, int] = {}
        self._consumer = AIOKafkaConsumer(
            **connection,
            group_id=None,
            enable_auto_commit=False,
            auto_offset_reset="none",
            max_partition_fetch_bytes=_FETCH_BYTES,
        )

    async def __aenter__(self) -> "Topics":
        await self._admin.start()
        try:
            # All topics are described: asking for one by name makes it where the broker may.
            found = await self._admin.describe_topics()
        finally:
            await self._admin.close()
        self._counts = {one["topic"]: len(one["partitions"]) for one in found}
        await self._consumer.start()
        return self

    async def __aexit__(self, *_error: object) -> None:
        await self._consumer.stop()

    async def bounds(self, topic: str) -> dict[int, tuple[int, int]]:
        """First offset and the one after the last, by partition; empty where there is no topic."""
        places = [TopicPartition(topic, number) for number in range(self._counts.get(topic, 0))]
        if not places:
            return {}
        first = await self._consumer.beginning_offsets(places)
        ends = await self._consumer.end_offsets(places)
        return {place.partition: (first[place], ends[place]) for place in places}

    async def records(
        self, topic: str, partition: int, first: int, end: int
    ) -> AsyncIterator[Sequence[TopicRecord]]:
        """All records from `first` up to `end`, exclusive. Raises TopicSilent."""
        if first >= end:
            return
        place = TopicPartition(topic, partition)
        self._consumer.assign([place])
        self._consumer.seek(place, first)
        silent = 0
        while await self._consumer.position(place) < end:
            polled = await self._consumer.getmany(place, timeout_ms=_POLL_MS, max_records=BATCH)
            found = [record for record in polled.get(place, ()) if record.offset < end]
            if found:
                yield [_read(record) for record in found]
            silent = 0 if polled else silent + 1
            if silent > _SILENT_POLLS_MAX:
                raise TopicSilent(f"{topic}[{partition}] gives out nothing before offset {end}")


def _read(record: Any) -> TopicRecord:
    seq = None
    for name, value in record.headers:
        if name == "seq" and value.isdigit():
            seq = int(value)
    return TopicRecord(record.partition, record.offset, seq, record.value or b"")

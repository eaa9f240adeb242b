"""Apache Kafka behind the bus port, by aiokafka 0.14. Known traps are named where they are met."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final, TypeVar

from aiokafka import TopicPartition as Place
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.errors import TopicAlreadyExistsError, for_code

from arrears.shared.kafka import chatter
from arrears.shared.kafka.ending import end_client, end_consumer
from arrears.shared.kafka.failures import NoTopic, Unfit, is_told_to_stop, plain
from arrears.shared.kafka.listener import KafkaListener, make_consumer, record_of
from arrears.shared.kafka.publisher import KafkaPublisher
from arrears.shared.kafka.settings import KafkaSettings
from arrears.shared.kafka.topics import broken_promises, wanted_config
from arrears.shared.runtime.bus import OutOfRetention, Record, TopicPartition

_LEADER_RETRY_SECONDS: Final = 0.05
_READ_POLL_MS: Final = 200
Part = TypeVar("Part", KafkaListener, KafkaPublisher)


class KafkaBus:
    """One connection for topics and bounds, one to look at single records; others by need."""

    def __init__(self, settings: KafkaSettings) -> None:
        chatter.listen()
        self.settings = settings
        self._admin: Any = None
        self._reader: Any = None
        self._starting = asyncio.Lock()
        self._reading = asyncio.Lock()
        self._parts: list[KafkaListener | KafkaPublisher] = []
        self._endings: set[asyncio.Task[None]] = set()

    async def ensure_topic(self, topic: str, *, partitions: int, retention_ms: int) -> None:
        async with self._doing(f"topic {topic}"):
            count = await self._find(topic)
            if count is None:
                await self._create(topic, partitions, retention_ms)
                count = await self._await_leaders(topic)
            if count != partitions:
                raise Unfit(f"topic {topic} has {count} partitions, must have {partitions}")
            broken = broken_promises(
                await self._config(topic), retention_ms, self.settings.min_insync
            )
            if broken:
                raise Unfit(f"topic {topic}: {'; '.join(broken)}")
        await self.bounds(topic)

    async def partition_count(self, topic: str) -> int:
        async with self._doing(f"topic {topic}"):
            return await self._count(topic)

    async def bounds(self, topic: str) -> Mapping[TopicPartition, tuple[int, int]]:
        async with self._doing(f"bounds of {topic}"):
            places = [Place(topic, number) for number in range(await self._count(topic))]
            reader = await self._ready_reader()
            starts = await reader.beginning_offsets(places)
            ends = await reader.end_offsets(places)
        return {
            TopicPartition(topic, place.partition): (starts[place], ends[place]) for place in places
        }

    async def read(self, place: TopicPartition, *, offset: int, count: int) -> Sequence[Record]:
        async with self._doing(f"reading {place.topic}/{place.partition}"), self._reading:
            reader, where = await self._ready_reader(), Place(*place)
            start = (await reader.beginning_offsets([where]))[where]
            end = (await reader.end_offsets([where]))[where]
            if offset < start:
                raise OutOfRetention(
                    f"{place.topic}/{place.partition}: position {offset}, topic begins at {start}"
                )
            found: list[Record] = []
            if offset >= end or count < 1:
                return found
            reader.assign([where])
            reader.seek(where, offset)
            try:
                while len(found) < count and await reader.position(where) < end:
                    page = await reader.getmany(
                        where, timeout_ms=_READ_POLL_MS, max_records=count - len(found)
                    )
                    found.extend(record_of(record) for record in page.get(where, ()))
            finally:
                reader.assign([])
            return found

    def listener(
        self,
        group: str,
        on_stall: Callable[[Mapping[TopicPartition, int]], None] | None = None,
    ) -> KafkaListener:
        return self._kept(KafkaListener(self.settings, group, on_stall))

    def publisher(self) -> KafkaPublisher:
        return self._kept(KafkaPublisher(self.settings))

    async def renew(self) -> None:
        """Our own connections are made anew at the next need; what was lost is ended beside.

        After any failure: a connection that died in silence would be found out one by one, each
        by a time-out of its own.
        """
        async with self._starting, self._reading:
            reader, self._reader = self._reader, None
            admin, self._admin = self._admin, None
        for ending in (
            end_consumer(reader) if reader is not None else None,
            end_client(admin) if admin is not None else None,
        ):
            if ending is not None:
                task = asyncio.get_running_loop().create_task(ending)
                self._endings.add(task)
                task.add_done_callback(self._endings.discard)

    async def close(self) -> None:
        parts, self._parts = self._parts, []
        for part in parts:
            await part.close()
        reader, self._reader = self._reader, None
        if reader is not None:
            await end_consumer(reader)
        admin, self._admin = self._admin, None
        if admin is not None:
            await end_client(admin)
        if self._endings:
            await asyncio.gather(*self._endings)

    def _kept(self, part: Part) -> Part:
        """Closed with the bus, unless its owner has closed it before."""
        self._parts = [kept for kept in self._parts if not kept.is_closed]
        self._parts.append(part)
        return part

    def _doing(self, what: str) -> "_Doing":
        return _Doing(self, what)

    async def _ready_admin(self) -> Any:
        async with self._starting:
            if self._admin is None:
                admin = AIOKafkaAdminClient(**self.settings.connection())
                try:
                    await admin.start()
                except BaseException:
                    await end_client(admin)
                    raise
                self._admin = admin
            return self._admin

    async def _ready_reader(self) -> Any:
        async with self._starting:
            if self._reader is None:
                # Single records are looked at: nothing is gained by waiting for more of them.
                reader = make_consumer(replace(self.settings, fetch_min_bytes=1, fetch_wait_ms=50))
                try:
                    await reader.start()
                except BaseException:
                    await end_consumer(reader)
                    raise
                self._reader = reader
            return self._reader

    async def _describe(self, topic: str) -> Mapping[str, Any] | None:
        """Asks for all topics: asking for one by name creates it where the broker allows that."""
        admin = await self._ready_admin()
        for found in await admin.describe_topics():
            if found["topic"] == topic:
                return dict(found)
        return None

    async def _find(self, topic: str) -> int | None:
        found = await self._describe(topic)
        return None if found is None else len(found["partitions"])

    async def _count(self, topic: str) -> int:
        count = await self._find(topic)
        if count is None:
            raise NoTopic(f"topic {topic} does not exist")
        return count

    async def _create(self, topic: str, partitions: int, retention_ms: int) -> None:
        admin = await self._ready_admin()
        new = NewTopic(
            name=topic,
            num_partitions=partitions,
            replication_factor=self.settings.replication,
            topic_configs=wanted_config(retention_ms, self.settings.min_insync),
        )
        response = await admin.create_topics([new])
        for _, code, *text in response.topic_errors:
            error = for_code(code)
            if code and error is not TopicAlreadyExistsError:
                raise Unfit(f"topic {topic} cannot be created: {text[0] or error.__name__}")

    async def _await_leaders(self, topic: str) -> int:
        """A new topic has no leaders for up to a second; that is no failure."""
        while True:
            found = await self._describe(topic)
            if found is not None and all(
                part["leader"] >= 0 and not part["error_code"] for part in found["partitions"]
            ):
                return len(found["partitions"])
            await asyncio.sleep(_LEADER_RETRY_SECONDS)

    async def _config(self, topic: str) -> dict[str, str]:
        admin = await self._ready_admin()
        responses = await admin.describe_configs([ConfigResource(ConfigResourceType.TOPIC, topic)])
        return {
            name: value
            for response in responses
            for *_, entries in response.resources
            for name, value, *_ in entries
        }


class _Doing:
    """Bounds the time of a request and turns aiokafka's errors into the runtime's."""

    def __init__(self, bus: KafkaBus, what: str) -> None:
        self._bus = bus
        self._what = what
        self._timeout = asyncio.timeout(bus.settings.request_seconds)

    async def __aenter__(self) -> None:
        await self._timeout.__aenter__()

    async def __aexit__(self, kind: Any, error: BaseException | None, trace: Any) -> None:
        try:
            await self._timeout.__aexit__(kind, error, trace)
        except TimeoutError as late:
            raise plain(late, self._what, self._bus.settings.servers) from late
        if isinstance(error, (OutOfRetention, LookupError, ValueError)):
            return
        if error is not None and not is_told_to_stop(error):
            raise plain(error, self._what, self._bus.settings.servers) from error

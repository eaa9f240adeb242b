"""The real Kafka passes the suite of all buses; what only a broker can do wrong is tested here."""

import asyncio
import os
import socket
from collections.abc import AsyncIterator, Mapping
from dataclasses import replace

import pytest
from aiokafka import AIOKafkaProducer
from aiokafka import TopicPartition as Place
from aiokafka.admin import AIOKafkaAdminClient, NewTopic, RecordsToDelete

from arrears.shared.kafka.adapter import KafkaBus
from arrears.shared.kafka.settings import KafkaSettings
from arrears.shared.runtime.bus import Bus, Outgoing, TopicPartition
from arrears.shared.testing.bus_suite import BusSuite, gather, outgoing, seqs

pytestmark = pytest.mark.live


@pytest.fixture
async def bus(settings: KafkaSettings) -> AsyncIterator[KafkaBus]:
    made = KafkaBus(settings)
    yield made
    await made.close()


@pytest.fixture
async def admin(settings: KafkaSettings) -> AsyncIterator[AIOKafkaAdminClient]:
    client = AIOKafkaAdminClient(bootstrap_servers=settings.servers)
    await client.start()
    yield client
    await client.close()


@pytest.fixture(autouse=True)
async def _leave_no_topics(admin: AIOKafkaAdminClient) -> AsyncIterator[None]:
    """The broker may be one that others use, and every partition slows its next start."""
    yield
    ours = f"suite.{os.getpid()}-"
    made = [topic for topic in await admin.list_topics() if topic.startswith(ours)]
    if made:
        await admin.delete_topics(made)


class TestKafkaBus(BusSuite):
    @pytest.fixture(autouse=True)
    def _keep(self, admin: AIOKafkaAdminClient) -> None:
        self._admin = admin

    async def truncate(self, bus: Bus, place: TopicPartition, before: int) -> None:
        await self._admin.delete_records({Place(*place): RecordsToDelete(before)})

    async def committed(self, bus: Bus, group: str) -> Mapping[TopicPartition, int]:
        found = await self._admin.list_consumer_group_offsets(group)
        return {
            TopicPartition(place.topic, place.partition): at.offset for place, at in found.items()
        }


class TestTopics:
    async def test_a_topic_that_would_lose_records_is_refused(
        self, bus: KafkaBus, admin: AIOKafkaAdminClient
    ) -> None:
        name = f"suite.{os.getpid()}-compacted.v1"
        configs = {"cleanup.policy": "compact", "retention.ms": "1000"}
        await admin.create_topics([NewTopic(name, 1, 1, topic_configs=configs)])
        with pytest.raises(ValueError, match=r"cleanup.policy is compact, must be delete; ret"):
            await bus.ensure_topic(name, partitions=1, retention_ms=-1)

    async def test_a_size_limit_is_refused(self, bus: KafkaBus, admin: AIOKafkaAdminClient) -> None:
        name = f"suite.{os.getpid()}-sized.v1"
        configs = {"retention.ms": "-1", "retention.bytes": "1000000"}
        await admin.create_topics([NewTopic(name, 1, 1, topic_configs=configs)])
        with pytest.raises(ValueError, match=r"retention.bytes is 1000000, must be -1"):
            await bus.ensure_topic(name, partitions=1, retention_ms=-1)


class TestListening:
    async def test_a_deaf_consumer_is_made_anew(self, settings: KafkaSettings) -> None:
        """Nothing lost and nothing twice when the watchdog replaces it."""
        place = TopicPartition(f"suite.{os.getpid()}-deaf.v1", 0)
        stalls: list[Mapping[TopicPartition, int]] = []
        bus = KafkaBus(replace(settings, stall_seconds=0.3))
        await bus.ensure_topic(place.topic, partitions=1, retention_ms=-1)
        listener = bus.listener("g", stalls.append)
        await listener.assign({place: 0})
        await bus.publisher().publish({place: outgoing(1, 2)})
        assert seqs((await gather(listener, 2))[place]) == [1, 2]
        fetcher = listener._consumers[place.topic]._fetcher
        fetcher._fetch_task.cancel()
        # A fetch that is on its way would still bring what is published now.
        await asyncio.wait({fetcher._fetch_task, *fetcher._pending_tasks})
        await bus.publisher().publish({place: outgoing(3, 4)})
        found = (await gather(listener, 1))[place]
        assert seqs(found) in ([3, 4], [3])
        assert stalls == [{place: 2}]
        await bus.close()

    async def test_topics_are_heard_side_by_side(self, settings: KafkaSettings) -> None:
        """A quiet topic holds up nobody, and a topic that is given up is heard no more."""
        first, second = (TopicPartition(f"suite.{os.getpid()}-{n}.v1", 0) for n in ("a", "b"))
        bus = KafkaBus(replace(settings, fetch_wait_ms=10_000))
        for place in (first, second):
            await bus.ensure_topic(place.topic, partitions=1, retention_ms=-1)
        listener = bus.listener("g")
        await listener.assign({first: 0, second: 0})
        await bus.publisher().publish({first: outgoing(1)})
        assert seqs((await gather(listener, 1))[first]) == [1]
        await bus.publisher().publish({second: outgoing(1)})
        assert seqs((await gather(listener, 1))[second]) == [1]
        await listener.assign({second: 1})
        await bus.publisher().publish({first: outgoing(2), second: outgoing(2)})
        assert set(await gather(listener, 1)) == {second}
        await bus.close()

    async def test_quiet_topics_stall_nobody(self, settings: KafkaSettings) -> None:
        place = TopicPartition(f"suite.{os.getpid()}-quiet.v1", 0)
        stalls: list[Mapping[TopicPartition, int]] = []
        bus = KafkaBus(replace(settings, stall_seconds=0.1))
        await bus.ensure_topic(place.topic, partitions=1, retention_ms=-1)
        listener = bus.listener("g", stalls.append)
        await listener.assign({place: 0})
        for _ in range(5):
            assert not await listener.poll(records_max=1, wait_seconds=0.1)
        assert stalls == []
        await bus.close()

    async def test_nobody_waits_while_a_silent_topic_is_asked_about(
        self, settings: KafkaSettings
    ) -> None:
        """The answer comes behind a fetch that waits for records, here for ten seconds."""
        quiet, busy = (TopicPartition(f"suite.{os.getpid()}-{n}.v1", 0) for n in ("mute", "busy"))
        bus = KafkaBus(replace(settings, stall_seconds=0.05, fetch_wait_ms=10_000))
        for place in (quiet, busy):
            await bus.ensure_topic(place.topic, partitions=1, retention_ms=-1)
        listener = bus.listener("g")
        await listener.assign({quiet: 0, busy: 0})
        publisher = bus.publisher()
        async with asyncio.timeout(8):
            for number in range(1, 6):
                assert not await listener.poll(records_max=1, wait_seconds=0.1)
                await publisher.publish({busy: outgoing(number)})
                assert seqs((await gather(listener, 1))[busy]) == [number]
        await bus.close()

    async def test_topics_take_turns_and_who_waits_for_one_is_not_silent(
        self, settings: KafkaSettings
    ) -> None:
        places = [TopicPartition(f"suite.{os.getpid()}-turns-{n}.v1", 0) for n in (1, 2)]
        stalls: list[Mapping[TopicPartition, int]] = []
        bus = KafkaBus(replace(settings, stall_seconds=0.1))
        for place in places:
            await bus.ensure_topic(place.topic, partitions=1, retention_ms=-1)
            await bus.publisher().publish({place: outgoing(*range(1, 21))})
        listener = bus.listener("g", stalls.append)
        await listener.assign(dict.fromkeys(places, 0))
        heard: list[TopicPartition] = []
        while len(heard) < 40:
            for place, records in (await listener.poll(records_max=1, wait_seconds=1.0)).items():
                heard.extend([place] * len(records))
            await asyncio.sleep(0.02)
        assert set(heard[-6:]) == set(places)
        assert stalls == []
        await bus.close()

    async def test_a_strangers_seq_header_is_no_number_of_ours(
        self, bus: KafkaBus, settings: KafkaSettings
    ) -> None:
        place = TopicPartition(f"suite.{os.getpid()}-stranger.v1", 0)
        await bus.ensure_topic(place.topic, partitions=1, retention_ms=-1)
        producer = AIOKafkaProducer(bootstrap_servers=settings.servers)
        await producer.start()
        for value in (b"12", b"-1", b"1.5", b"", b"9" * 40, "١٢".encode()):
            await producer.send_and_wait(
                place.topic, value, partition=0, headers=[("seq", value), ("ce_id", b"x")]
            )
        await producer.send_and_wait(place.topic, None, key=b"gone", partition=0)
        await producer.stop()
        records = await bus.read(place, offset=0, count=9)
        assert seqs(records) == [12, None, None, None, None, None, None]
        assert records[-1].value == b""


class TestPublishing:
    async def test_after_a_rejected_batch_the_next_call_works(self, bus: KafkaBus) -> None:
        place = TopicPartition(f"suite.{os.getpid()}-rejected.v1", 0)
        await bus.ensure_topic(place.topic, partitions=1, retention_ms=-1)
        publisher = bus.publisher()
        await publisher.publish({place: outgoing(1)})
        with pytest.raises(ValueError, match="larger than the broker takes"):
            await publisher.publish({place: [Outgoing(b"k", b"x" * 3_000_000, 2)]})
        await publisher.publish({place: outgoing(2, 3)})
        assert seqs(await bus.read(place, offset=0, count=9)) == [1, 2, 3]

    async def test_nothing_is_published_behind_a_batch_that_was_rejected(
        self, bus: KafkaBus
    ) -> None:
        """A broker takes any number first from a producer that it does not know."""
        place = TopicPartition(f"suite.{os.getpid()}-hole.v1", 0)
        await bus.ensure_topic(place.topic, partitions=1, retention_ms=-1)
        large = Outgoing(b"k", b"x" * 3_000_000, 2)
        with pytest.raises(ValueError, match="larger than the broker takes"):
            await bus.publisher().publish({place: [*outgoing(1), large, *outgoing(3)]})
        assert seqs(await bus.read(place, offset=0, count=9)) == [1]
        with pytest.raises(ValueError, match="larger than the broker takes"):
            await bus.publisher().publish({place: [large, *outgoing(3, 4)]})
        assert seqs(await bus.read(place, offset=0, count=9)) == [1]

    async def test_a_cancelled_call_leaves_the_publisher_usable(self, bus: KafkaBus) -> None:
        place = TopicPartition(f"suite.{os.getpid()}-cancelled.v1", 0)
        await bus.ensure_topic(place.topic, partitions=1, retention_ms=-1)
        publisher = bus.publisher()
        await publisher.publish({place: outgoing(1)})
        many = asyncio.create_task(publisher.publish({place: outgoing(*range(2, 40_000))}))
        await asyncio.sleep(0.02)
        many.cancel()
        with pytest.raises(asyncio.CancelledError):
            await many
        await publisher.publish({place: outgoing(*range(2, 5))})
        _, end = (await bus.bounds(place.topic))[place]
        assert seqs(await bus.read(place, offset=end - 3, count=9)) == [2, 3, 4]

    async def test_a_connection_that_was_lost_while_nobody_used_it_is_made_anew(
        self, settings: KafkaSettings
    ) -> None:
        """Whoever is waited for does not find out by a time-out of its own."""
        place = TopicPartition(f"suite.{os.getpid()}-idle.v1", 0)
        bus = KafkaBus(replace(settings, idle_seconds=0.2, request_seconds=60, publish_seconds=5))
        await bus.ensure_topic(place.topic, partitions=1, retention_ms=-1)
        publisher = bus.publisher()
        await publisher.publish({place: outgoing(1)})
        [connection] = publisher._producer.client._conns.values()
        connection._read_task.cancel()  # Nothing that the broker says arrives any more.
        async with asyncio.timeout(5):
            await connection._closed_fut
        await publisher.publish({place: outgoing(2)})
        assert seqs(await bus.read(place, offset=0, count=9)) == [1, 2]
        await bus.close()

    async def test_no_broker_is_said_and_not_waited_for(self) -> None:
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            servers = f"127.0.0.1:{taken.getsockname()[1]}"
        bus = KafkaBus(KafkaSettings(servers=servers, request_seconds=2, publish_seconds=1))
        place = TopicPartition("nowhere.v1", 0)
        with pytest.raises(ConnectionError, match=f"Kafka at {servers}.* [Cc]onnect") as raised:
            await bus.partition_count("nowhere.v1")
        assert "AddressFamily" not in str(raised.value)
        with pytest.raises(ConnectionError, match=f"Kafka at {servers}"):
            await bus.publisher().publish({place: outgoing(1)})
        listener = bus.listener("g")
        await listener.assign({place: 0})
        with pytest.raises(ConnectionError, match=f"Kafka at {servers}"):
            await listener.poll(records_max=1, wait_seconds=0.1)
        await bus.close()

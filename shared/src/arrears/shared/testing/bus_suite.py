"""What a bus must do, whichever it is. Subclasses give a bus and a way to cut its retention.

Every test has a topic of its own, so that the suite can run on a broker that others use.
"""

import asyncio
import itertools
import os
import time
from collections.abc import Mapping, Sequence

import pytest

from arrears.shared.runtime.bus import (
    Bus,
    Listener,
    Outgoing,
    OutOfRetention,
    Record,
    TopicPartition,
)

_NUMBERS = itertools.count(1)
_PATIENCE_SECONDS = 10.0


def outgoing(*numbers: int) -> list[Outgoing]:
    return [Outgoing(b"key-%d" % n, b"value-%d" % n, n) for n in numbers]


def seqs(records: Sequence[Record]) -> list[int | None]:
    return [record.seq for record in records]


async def gather(
    listener: Listener, count: int, *, records_max: int = 1000
) -> Mapping[TopicPartition, Sequence[Record]]:
    """Polls until `count` records have come."""
    found: dict[TopicPartition, list[Record]] = {}
    give_up_at = time.monotonic() + _PATIENCE_SECONDS
    while sum(map(len, found.values())) < count:
        assert time.monotonic() < give_up_at, f"only {found} arrived"
        polled = await listener.poll(records_max=records_max, wait_seconds=0.2)
        assert sum(map(len, polled.values())) <= records_max
        for place, records in polled.items():
            found.setdefault(place, []).extend(records)
    return found


class BusSuite:
    async def truncate(self, bus: Bus, place: TopicPartition, before: int) -> None:
        raise NotImplementedError

    async def committed(self, bus: Bus, group: str) -> Mapping[TopicPartition, int]:
        raise NotImplementedError

    @pytest.fixture
    async def topic(self, bus: Bus) -> str:
        name = f"suite.{os.getpid()}-{next(_NUMBERS)}.v1"
        await bus.ensure_topic(name, partitions=3, retention_ms=-1)
        return name

    async def test_a_topic_is_made_once_and_checked_ever_after(self, bus: Bus, topic: str) -> None:
        await bus.ensure_topic(topic, partitions=3, retention_ms=-1)
        assert await bus.partition_count(topic) == 3
        with pytest.raises(ValueError, match=r"has 3 partitions, must have 4"):
            await bus.ensure_topic(topic, partitions=4, retention_ms=-1)
        with pytest.raises(ValueError, match=r"retention.ms is -1, must be 60000"):
            await bus.ensure_topic(topic, partitions=3, retention_ms=60_000)

    async def test_a_topic_that_is_not_there_is_named(self, bus: Bus) -> None:
        with pytest.raises(LookupError, match=r"topic nowhere\.v1 does not exist"):
            await bus.partition_count("nowhere.v1")
        with pytest.raises(LookupError, match=r"topic nowhere\.v1 does not exist"):
            await bus.bounds("nowhere.v1")

    async def test_a_record_comes_as_it_was_sent(self, bus: Bus, topic: str) -> None:
        place = TopicPartition(topic, 1)
        sent = [Outgoing(b"k", b'{"a":1}', 7), Outgoing(b"k", b"", None), Outgoing(b"", b"\xff", 0)]
        await bus.publisher().publish({place: sent})
        expected = [
            Record(0, b"k", b'{"a":1}', 7),
            Record(1, b"k", b"", None),
            Record(2, b"", b"\xff", 0),
        ]
        listener = bus.listener("suite")
        await listener.assign({place: 0})
        assert (await gather(listener, 3))[place] == expected
        assert await bus.read(place, offset=0, count=3) == expected

    async def test_order_holds_in_each_partition(self, bus: Bus, topic: str) -> None:
        places = [TopicPartition(topic, n) for n in range(3)]
        publisher = bus.publisher()
        for first in (1, 501):
            numbers = range(first, first + 500)
            await publisher.publish({place: outgoing(*numbers) for place in places})
        listener = bus.listener("suite")
        await listener.assign(dict.fromkeys(places, 0))
        found = await gather(listener, 3000, records_max=170)
        for place in places:
            assert seqs(found[place]) == list(range(1, 1001))
            assert [record.offset for record in found[place]] == list(range(1000))

    async def test_a_batch_too_large_for_one_request_is_split(self, bus: Bus, topic: str) -> None:
        place = TopicPartition(topic, 0)
        sent = [Outgoing(b"k", bytes([n]) * 700_000, n) for n in range(9)]
        sent.append(Outgoing(b"k", b"\n" * 1_000_000, 9))
        await bus.publisher().publish({place: sent})
        listener = bus.listener("suite")
        await listener.assign({place: 0})
        found = (await gather(listener, 10))[place]
        assert [(r.seq, r.value) for r in found] == [(o.seq, o.value) for o in sent]

    async def test_bounds_are_the_first_and_the_next_offset(self, bus: Bus, topic: str) -> None:
        place = TopicPartition(topic, 2)
        await bus.publisher().publish({place: outgoing(1, 2, 3)})
        await self.truncate(bus, place, 2)
        assert await bus.bounds(topic) == {
            TopicPartition(topic, 0): (0, 0),
            TopicPartition(topic, 1): (0, 0),
            place: (2, 3),
        }

    async def test_reading_starts_at_the_position_given(self, bus: Bus, topic: str) -> None:
        place = TopicPartition(topic, 0)
        await bus.publisher().publish({place: outgoing(1, 2, 3, 4)})
        listener = bus.listener("suite")
        await listener.assign({place: 2})
        assert seqs((await gather(listener, 2))[place]) == [3, 4]

    async def test_a_changed_assignment_keeps_the_place_of_what_is_kept(
        self, bus: Bus, topic: str
    ) -> None:
        kept, left, new = (TopicPartition(topic, n) for n in range(3))
        publisher, listener = bus.publisher(), bus.listener("suite")
        await publisher.publish({kept: outgoing(1, 2), left: outgoing(1), new: outgoing(1, 2)})
        await listener.assign({kept: 0, left: 0})
        await gather(listener, 3)
        await publisher.publish({kept: outgoing(3), left: outgoing(2)})
        await listener.assign({kept: 0, new: 1})
        found = await gather(listener, 2)
        assert {place: seqs(records) for place, records in found.items()} == {kept: [3], new: [2]}
        assert not await listener.poll(records_max=10, wait_seconds=0.1)
        await listener.assign({kept: 0, left: 0})
        assert {p: seqs(r) for p, r in (await gather(listener, 2)).items()} == {left: [1, 2]}

    async def test_no_assignment_brings_nothing(self, bus: Bus, topic: str) -> None:
        listener = bus.listener("suite")
        assert not await listener.poll(records_max=10, wait_seconds=0.01)
        await bus.publisher().publish({TopicPartition(topic, 0): outgoing(1)})
        await listener.assign({TopicPartition(topic, 0): 0})
        await gather(listener, 1)
        await listener.assign({})
        assert not await listener.poll(records_max=10, wait_seconds=0.01)

    async def test_a_waiting_poll_wakes_on_arrival(self, bus: Bus, topic: str) -> None:
        place = TopicPartition(topic, 0)
        publisher, listener = bus.publisher(), bus.listener("suite")
        await publisher.publish({place: outgoing(1)})
        await listener.assign({place: 0})
        await gather(listener, 1)
        waiting = asyncio.create_task(listener.poll(records_max=10, wait_seconds=8))
        await asyncio.sleep(0.05)
        started_at = time.monotonic()
        await publisher.publish({place: outgoing(2)})
        assert seqs((await waiting)[place]) == [2]
        assert time.monotonic() - started_at < 2

    async def test_a_position_before_the_log_stops(self, bus: Bus, topic: str) -> None:
        place = TopicPartition(topic, 0)
        await bus.publisher().publish({place: outgoing(1, 2, 3)})
        await self.truncate(bus, place, 2)
        listener = bus.listener("suite")
        await listener.assign({place: 1})
        for _ in range(2):
            with pytest.raises(OutOfRetention, match=r"position 1, topic has 2 to 3"):
                await gather(listener, 1)
        with pytest.raises(OutOfRetention, match=r"position 1"):
            await bus.read(place, offset=1, count=1)

    async def test_a_position_at_the_start_of_the_log_reads_on(self, bus: Bus, topic: str) -> None:
        """All that was read is gone for its age, and nothing else."""
        place = TopicPartition(topic, 0)
        publisher, listener = bus.publisher(), bus.listener("suite")
        await publisher.publish({place: outgoing(1, 2, 3)})
        await self.truncate(bus, place, 3)
        assert (await bus.bounds(topic))[place] == (3, 3)
        with pytest.raises(OutOfRetention, match=r"position 2"):
            await bus.read(place, offset=2, count=1)
        await listener.assign({place: 3})
        assert not await listener.poll(records_max=10, wait_seconds=0.1)
        await publisher.publish({place: outgoing(4)})
        assert seqs((await gather(listener, 1))[place]) == [4]

    async def test_a_position_after_the_log_stops(self, bus: Bus, topic: str) -> None:
        """A wiped or restored broker: what was published since would be skipped in silence."""
        place = TopicPartition(topic, 0)
        await bus.publisher().publish({place: outgoing(1)})
        listener = bus.listener("suite")
        await listener.assign({place: 5})
        with pytest.raises(OutOfRetention, match=r"position 5, topic has 0 to 1"):
            await gather(listener, 1)

    async def test_a_look_at_single_records_is_bounded_by_the_end(
        self, bus: Bus, topic: str
    ) -> None:
        place = TopicPartition(topic, 0)
        await bus.publisher().publish({place: outgoing(1, 2, 3)})
        assert seqs(await bus.read(place, offset=1, count=1)) == [2]
        assert seqs(await bus.read(place, offset=1, count=9)) == [2, 3]
        assert list(await bus.read(place, offset=3, count=1)) == []
        assert list(await bus.read(place, offset=0, count=0)) == []

    async def test_what_was_sent_twice_is_there_twice(self, bus: Bus, topic: str) -> None:
        place = TopicPartition(topic, 0)
        publisher = bus.publisher()
        await publisher.publish({place: outgoing(1, 2)})
        await publisher.publish({place: outgoing(1, 2, 3)})
        assert seqs(await bus.read(place, offset=0, count=9)) == [1, 2, 1, 2, 3]

    async def test_nothing_to_publish_is_no_error(self, bus: Bus, topic: str) -> None:
        await bus.publisher().publish({})
        await bus.publisher().publish({TopicPartition(topic, 0): []})
        assert (await bus.bounds(topic))[TopicPartition(topic, 0)] == (0, 0)

    async def test_committed_positions_are_seen_by_lag_tools(self, bus: Bus, topic: str) -> None:
        place, group = TopicPartition(topic, 0), f"{topic}-group"
        listener = bus.listener(group)
        await listener.assign({place: 0})
        await listener.commit({place: 1})
        await listener.commit({place: 4})
        await listener.close()
        assert await self.committed(bus, group) == {place: 4}

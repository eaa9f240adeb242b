"""The in-memory bus passes the suite of all buses, and misbehaves only when told to."""

from collections.abc import Mapping
from random import Random

import pytest

from arrears.shared.runtime.bus import Bus, TopicPartition
from arrears.shared.testing.bus_suite import BusSuite, gather, outgoing, seqs
from arrears.shared.testing.memory_bus import MemoryBus

PLACE = TopicPartition("a.v1", 0)
OTHER = TopicPartition("a.v1", 1)


async def _bus(chance: Random | None = None) -> MemoryBus:
    bus = MemoryBus(chance)
    await bus.ensure_topic("a.v1", partitions=2, retention_ms=-1)
    return bus


class TestMemoryBus(BusSuite):
    @pytest.fixture
    def bus(self) -> Bus:
        return MemoryBus()

    async def truncate(self, bus: Bus, place: TopicPartition, before: int) -> None:
        assert isinstance(bus, MemoryBus)
        bus.truncate(place, before)

    async def committed(self, bus: Bus, group: str) -> Mapping[TopicPartition, int]:
        assert isinstance(bus, MemoryBus)
        return bus.committed[group]


class TestMisbehaviour:
    async def test_delayed_records_come_after_the_release(self) -> None:
        bus = await _bus()
        await bus.publisher().publish({PLACE: outgoing(1, 2, 3), OTHER: outgoing(1)})
        bus.delay(PLACE, 1)
        listener = bus.listener("g")
        await listener.assign({PLACE: 0, OTHER: 0})
        assert {p: seqs(r) for p, r in (await gather(listener, 2)).items()} == {
            PLACE: [1],
            OTHER: [1],
        }
        assert not await listener.poll(records_max=9, wait_seconds=0)
        bus.release(PLACE)
        assert seqs((await gather(listener, 2))[PLACE]) == [2, 3]

    async def test_a_frozen_partition_grows_and_brings_nothing(self) -> None:
        bus = await _bus()
        bus.freeze(PLACE)
        await bus.publisher().publish({PLACE: outgoing(1)})
        listener = bus.listener("g")
        await listener.assign({PLACE: 0})
        assert not await listener.poll(records_max=9, wait_seconds=0)
        assert (await bus.bounds("a.v1"))[PLACE] == (0, 1)

    async def test_duplicates_are_the_same_bytes_and_number(self) -> None:
        bus = await _bus()
        await bus.publisher().publish({PLACE: outgoing(1, 2)})
        bus.duplicate(PLACE, offset=0, count=2)
        records = await bus.read(PLACE, offset=0, count=9)
        assert seqs(records) == [1, 2, 1, 2]
        assert records[0].value == records[2].value

    async def test_redelivery_starts_at_the_offset(self) -> None:
        bus = await _bus()
        await bus.publisher().publish({PLACE: outgoing(1, 2, 3)})
        listener = bus.listener("g")
        await listener.assign({PLACE: 0})
        await gather(listener, 3)
        bus.redeliver(PLACE, 1)
        assert seqs((await gather(listener, 2))[PLACE]) == [2, 3]

    async def test_a_broken_publish_leaves_a_prefix(self) -> None:
        bus = await _bus()
        bus.break_publish(1)
        with pytest.raises(ConnectionError):
            await bus.publisher().publish({PLACE: outgoing(1, 2)})
        await bus.publisher().publish({PLACE: outgoing(1, 2)})
        assert seqs(await bus.read(PLACE, offset=0, count=9)) == [1, 1, 2]

    @pytest.mark.parametrize("seed", range(20))
    async def test_chance_mixes_partitions_and_keeps_order_in_each(self, seed: int) -> None:
        bus = await _bus(Random(seed))
        await bus.publisher().publish({PLACE: outgoing(*range(30)), OTHER: outgoing(*range(30))})
        listener = bus.listener("g")
        await listener.assign({PLACE: 0, OTHER: 0})
        polls = [await listener.poll(records_max=5, wait_seconds=0) for _ in range(100)]
        for place in (PLACE, OTHER):
            came = [record.seq for poll in polls for record in poll.get(place, ())]
            assert came == list(range(30))

    async def test_the_same_seed_gives_the_same_polls(self) -> None:
        runs = []
        for _ in range(2):
            bus = await _bus(Random(5))
            await bus.publisher().publish({PLACE: outgoing(*range(9)), OTHER: outgoing(*range(9))})
            listener = bus.listener("g")
            await listener.assign({PLACE: 0, OTHER: 0})
            runs.append([await listener.poll(records_max=4, wait_seconds=0) for _ in range(9)])
        assert runs[0] == runs[1]
        assert sum(len(poll) > 0 for poll in runs[0]) > 2

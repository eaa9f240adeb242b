"""A store filled from a topic: every number once, and nothing that was changed or lost."""

from collections.abc import AsyncGenerator, AsyncIterator
from random import Random

import pytest
from msgspec.json import encode

from arrears.shared.eventstore.memory import MemoryStore
from arrears.shared.eventstore.port import Change
from arrears.shared.kernel.ids import Shard
from arrears.shared.runtime.bus import Outgoing, TopicPartition
from arrears.shared.runtime.workbench import StoreLostEvents
from arrears.shared.service import filling
from arrears.shared.service.filling import Batch, TopicBroken, fill, from_store, from_topic
from arrears.shared.service.leaving import leaving_plainly
from arrears.shared.service.worker import MUST_STOP
from arrears.shared.testing.memory_bus import MemoryBus

TOPIC, CLOSING = "arrears.toy.v1", "toy.closed.v1"
ONE, TWO = Shard(1), Shard(2)


def _value(shard: Shard, seq: int, day: int = 1, wire_name: str = "toy.said.v1") -> bytes:
    return encode(
        {
            "id": f"{shard}/{seq}",
            "type": wire_name,
            "partitionkey": "anna",
            "stream": "toy.stream-1",
            "streamversion": seq,
            "businessday": f"2024-01-{day:02}",
            "data": {"n": seq},
        }
    )


def _say(bus: MemoryBus, shard: Shard, seq: int | None, value: bytes) -> None:
    bus.append(TopicPartition(TOPIC, shard), Outgoing(b"anna", value, seq))


@pytest.fixture(params=[None, 1, 2, 3], ids=["all at once", "bits 1", "bits 2", "bits 3"])
async def bus(request: pytest.FixtureRequest) -> AsyncIterator[MemoryBus]:
    """Five events of each of two shards, polled whole or bit by bit."""
    made = MemoryBus(None if request.param is None else Random(request.param))
    await made.ensure_topic(TOPIC, partitions=4, retention_ms=-1)
    for seq in range(1, 6):
        for shard in (ONE, TWO):
            _say(made, shard, seq, _value(shard, seq))
    yield made
    await made.close()


async def _filled(bus: MemoryBus) -> MemoryStore:
    store = MemoryStore()
    await fill(store, from_topic(bus, TOPIC), CLOSING)
    return store


def _seqs(store: MemoryStore, shard: Shard) -> list[int]:
    return [one.seq for one in store.events[shard]]


async def test_every_number_is_there_once_though_some_came_again(bus: MemoryBus) -> None:
    bus.duplicate(TopicPartition(TOPIC, ONE), offset=1, count=3)
    _say(bus, ONE, 6, _value(ONE, 6))
    bus.duplicate(TopicPartition(TOPIC, ONE), offset=0, count=1)
    store = await _filled(bus)
    assert _seqs(store, ONE) == [1, 2, 3, 4, 5, 6]
    assert _seqs(store, TWO) == [1, 2, 3, 4, 5]
    kept = store.events[TWO][4]
    assert (kept.value, kept.version, kept.event_id) == (_value(TWO, 5), 5, "2/5")


@pytest.mark.parametrize("seq", [1, 5])
async def test_a_number_that_came_again_with_other_bytes_is_named(bus: MemoryBus, seq: int) -> None:
    bus.duplicate(TopicPartition(TOPIC, TWO), offset=1, count=1)
    _say(bus, TWO, seq, _value(TWO, seq, day=2))
    again = rf"^arrears.toy.v1\[2\] offset 6: seq {seq} came again with other bytes$"
    with pytest.raises(TopicBroken, match=again):
        await _filled(bus)


@pytest.mark.parametrize("seq", [7, 0, None])
async def test_a_number_that_does_not_follow_is_named(bus: MemoryBus, seq: int | None) -> None:
    _say(bus, ONE, seq, _value(ONE, 6))
    told = rf"^arrears.toy.v1\[1\] offset 5: expected seq 6, found {seq}$"
    with pytest.raises(TopicBroken, match=told):
        await _filled(bus)


async def test_a_topic_that_begins_later_has_lost_its_first_number(bus: MemoryBus) -> None:
    bus.truncate(TopicPartition(TOPIC, ONE), 2)
    with pytest.raises(
        TopicBroken, match=r"^arrears.toy.v1\[1\] offset 2: expected seq 1, found 3$"
    ):
        await _filled(bus)


@pytest.mark.parametrize("junk", [b"\xff", b"{}", b'{"id": 7}'])
async def test_what_is_no_event_of_ours_is_named(bus: MemoryBus, junk: bytes) -> None:
    _say(bus, ONE, 6, junk)
    with pytest.raises(TopicBroken, match=r"^arrears.toy.v1\[1\] offset 5: seq 6 is no event$"):
        await _filled(bus)


async def test_a_rebuild_from_a_broken_topic_ends_with_one_clear_line(
    bus: MemoryBus, capsys: pytest.CaptureFixture[str]
) -> None:
    del bus.records(TopicPartition(TOPIC, ONE))[2]
    with pytest.raises(SystemExit) as left, leaving_plainly("toy", MUST_STOP):
        await _filled(bus)
    assert left.value.code == 1
    said = "arrears-toy: not rebuilt: arrears.toy.v1[1] offset 3: expected seq 3, found 4\n"
    assert capsys.readouterr().err == said


async def test_a_topic_that_falls_silent_is_no_end(
    bus: MemoryBus, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(filling, "WAIT_SECONDS", 0.001)
    monkeypatch.setattr(filling, "SILENT_MAX", 3)
    bus.delay(TopicPartition(TOPIC, TWO), 4)
    with pytest.raises(TimeoutError, match=r"partition=2"):
        await _filled(bus)


async def test_an_empty_topic_fills_nothing() -> None:
    bus = MemoryBus()
    await bus.ensure_topic(TOPIC, partitions=4, retention_ms=-1)
    store = await _filled(bus)
    assert not any(store.events.values())


async def test_the_day_after_the_last_closing_is_open(bus: MemoryBus) -> None:
    _say(bus, ONE, 6, _value(ONE, 6, day=3, wire_name=CLOSING))
    store = await _filled(bus)
    days = {shard: str(store.shards[shard].open_day) for shard in (ONE, TWO, Shard(3))}
    assert days == {ONE: "2024-01-04", TWO: "2024-01-01", Shard(3): "None"}


async def test_a_store_is_filled_from_another_as_it_is(bus: MemoryBus) -> None:
    first, second = await _filled(bus), MemoryStore()
    await fill(second, from_store(first), CLOSING)
    assert second.events == first.events
    assert second.shards == first.shards


@pytest.mark.parametrize("lost", [1, 3])
async def test_a_number_that_a_store_has_lost_is_named(bus: MemoryBus, lost: int) -> None:
    first = await _filled(bus)
    del first.events[TWO][lost - 1]
    with pytest.raises(StoreLostEvents, match=rf"^shard 2: seq {lost} is missing$"):
        await fill(MemoryStore(), from_store(first), CLOSING)


class Full(MemoryStore):
    async def commit(self, change: Change) -> None:
        raise OSError(f"no space left for {len(change.shards)} shards")


async def test_reading_ends_where_a_write_fails(bus: MemoryBus) -> None:
    ended = []

    async def watched() -> AsyncGenerator[Batch, None]:
        try:
            async for batch in from_topic(bus, TOPIC):
                yield batch
        finally:
            ended.append(True)

    with pytest.raises(OSError, match="no space"):
        await fill(Full(), watched(), CLOSING)
    assert ended == [True]

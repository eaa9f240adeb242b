"""The hearing of all topics over a bus: whatever it does, each event is kept once."""

from collections.abc import Mapping, Sequence
from datetime import date
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from arrears.history.adapters.memory import AlwaysMine, MemoryHistory
from arrears.history.application.ear import Ear
from arrears.history.application.hearing import Changed, Stop, all_places, last_closed_day
from arrears.history.application.ports import CaseFilter
from arrears.history.application.rebuilding import witness
from arrears.shared.kernel.ids import SHARD_COUNT
from arrears.shared.runtime.bus import Outgoing, TopicPartition
from arrears.shared.testing.chronicle import Chronicle
from arrears.shared.testing.memory_bus import MemoryBus

DAY = date(2024, 3, 1)
_ALL = CaseFilter(limit=1000)


def _chronicle() -> Chronicle:
    chronicle = Chronicle()
    for number in range(40):
        data = {"case_id": f"c{number}", "loan_key": f"l{number}"}
        borrower = f"b{number}"
        for name in ("intake.case_opened", "contact.refusal_reported", "legal.claim_paused"):
            service = name.split(".", maxsplit=1)[0]
            stream = f"{service}.x-{number}"
            chronicle.tell(name, data, stream=stream, on=DAY, borrower=borrower)
    chronicle.close_day(DAY)
    return chronicle


def _outgoing(chronicle: Chronicle) -> Mapping[TopicPartition, Sequence[Outgoing]]:
    batches: dict[TopicPartition, list[Outgoing]] = {}
    for service, shard, seq, value in chronicle.numbered():
        spot = TopicPartition(f"arrears.{service}.v1", shard)
        batches.setdefault(spot, []).append(Outgoing(key=b"", value=value, seq=seq))
    return batches


async def _bus(chronicle: Chronicle, chance: Random | None = None) -> MemoryBus:
    bus = MemoryBus(chance)
    for place in all_places():
        await bus.ensure_topic(place.topic, partitions=SHARD_COUNT, retention_ms=-1)
    await bus.publisher().publish(_outgoing(chronicle))
    return bus


async def _hear_all(ear: Ear, store: MemoryHistory, count: int) -> None:
    for _ in range(2000):
        await ear.step(wait_seconds=0)
        if sum((await store.counts()).values()) >= count:
            return
    raise AssertionError("not everything was heard")


class _Turns:
    """Takes the turn from us at every third question."""

    def __init__(self) -> None:
        self.asked = 0

    async def mine(self) -> bool:
        self.asked += 1
        return self.asked % 3 != 0

    async def give_up(self) -> None:
        return None


class TestEar:
    async def test_everything_is_heard_once_in_order(self) -> None:
        chronicle = _chronicle()
        store = MemoryHistory()
        ear = Ear(await _bus(chronicle), store, AlwaysMine())
        await _hear_all(ear, store, 184)
        assert [k.value async for page in store.scan() for k in page] == [
            value for *_, value in chronicle.numbered()
        ]
        assert last_closed_day(await store.places()) == DAY
        assert await ear.step(wait_seconds=0) == 0

    @settings(max_examples=30, deadline=None)
    @given(st.integers())
    async def test_any_interleaving_and_any_change_of_turns_keeps_the_same(self, seed: int) -> None:
        chronicle = _chronicle()
        store = MemoryHistory()
        ear = Ear(await _bus(chronicle, Random(seed)), store, _Turns())
        await _hear_all(ear, store, 184)
        assert (await witness(store, "here")).verdict().holds
        rows = await store.cases(_ALL)
        plain = MemoryHistory()
        await _hear_all(Ear(await _bus(chronicle), plain, AlwaysMine()), plain, 184)
        assert rows == await plain.cases(_ALL)

    async def test_what_the_topic_repeats_is_kept_once(self) -> None:
        chronicle = _chronicle()
        bus = await _bus(chronicle)
        await bus.publisher().publish(_outgoing(chronicle))
        store = MemoryHistory()
        ear = Ear(bus, store, AlwaysMine())
        for _ in range(10):
            await ear.step(wait_seconds=0)
        assert sum((await store.counts()).values()) == 184

    async def test_what_is_delivered_again_is_kept_once_and_moves_nothing_back(self) -> None:
        bus, store = await _bus(_chronicle()), MemoryHistory()
        ear = Ear(bus, store, AlwaysMine())
        await _hear_all(ear, store, 184)
        before = await store.places()
        for place in before:
            bus.redeliver(TopicPartition(place.topic, place.shard), 0)
        await ear.step(wait_seconds=0)
        assert await store.places() == before
        assert sum((await store.counts()).values()) == 184

    async def test_records_that_fell_out_of_retention_stop(self) -> None:
        chronicle = _chronicle()
        bus, store = await _bus(chronicle), MemoryHistory()
        ear = Ear(bus, store, AlwaysMine())
        await _hear_all(ear, store, 184)
        spot = TopicPartition("arrears.intake.v1", 0)
        await bus.publisher().publish({spot: [Outgoing(b"", b"{}", 99)] * 3})
        bus.truncate(spot, before=99)
        with pytest.raises(Stop):
            await ear.step(wait_seconds=0)

    async def test_two_ears_never_keep_an_event_twice(self) -> None:
        chronicle = _chronicle()
        store, bus = MemoryHistory(), await _bus(chronicle, Random(7))
        one, other = Ear(bus, store, AlwaysMine()), Ear(bus, store, AlwaysMine())
        for _ in range(2000):
            await one.step(wait_seconds=0)
            await other.step(wait_seconds=0)
        assert sum((await store.counts()).values()) == 184
        assert (await witness(store, "here")).verdict().holds

    async def test_a_wiped_broker_beside_a_kept_database_stops(self) -> None:
        store = MemoryHistory()
        ear = Ear(await _bus(_chronicle()), store, AlwaysMine())
        await _hear_all(ear, store, 184)
        with pytest.raises(Changed, match="not the topic that was read before"):
            await Ear(await _bus(Chronicle()), store, AlwaysMine()).step(wait_seconds=0)

    async def test_a_topic_that_is_not_there_yet_is_waited_for(self) -> None:
        with pytest.raises(ConnectionError, match="does not exist yet"):
            await Ear(MemoryBus(), MemoryHistory(), AlwaysMine()).step(wait_seconds=0)

    async def test_a_topic_with_other_partitions_stops(self) -> None:
        bus = MemoryBus()
        await bus.ensure_topic("arrears.intake.v1", partitions=8, retention_ms=-1)
        with pytest.raises(Stop, match="8 partitions, not 16"):
            await Ear(bus, MemoryHistory(), AlwaysMine()).step(wait_seconds=0)

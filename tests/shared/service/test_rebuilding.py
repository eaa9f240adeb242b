"""What a rebuild says of a service: what differs, what is missing, what is only not published."""

import pytest
from msgspec.structs import replace

from arrears.shared.eventstore import memory
from arrears.shared.eventstore.memory import MemoryStore
from arrears.shared.kernel.ids import Shard
from arrears.shared.runtime.bus import TopicPartition
from arrears.shared.runtime.stage import closing_type, topic_of
from arrears.shared.service.filling import fill, from_topic
from arrears.shared.service.rebuilding import Comparison, compare_events
from arrears.shared.testing.toy_world import ToyWorld


@pytest.fixture
async def world() -> ToyWorld:
    made = ToyWorld()
    await made.start()
    for number in range(6):
        made.fact(number, f"b{number}", 1)
    await made.run_days(1, 2)
    return made


async def _compared(world: ToyWorld) -> tuple[MemoryStore, Comparison]:
    """Intake beside what its topic has."""
    kept, rebuilt = world.stores["intake"], MemoryStore()
    await fill(rebuilt, from_topic(world.bus, topic_of("intake")), closing_type("intake"))
    found = Comparison(service="intake", source="kafka", database="draft")
    await compare_events(kept, rebuilt, found)
    return kept, found


def _longest(store: MemoryStore) -> Shard:
    return max(store.events, key=lambda shard: len(store.events[shard]))


class TestEvents:
    async def test_a_whole_service_is_equal(self, world: ToyWorld) -> None:
        kept, found = await _compared(world)
        assert (found.differences, found.unpublished) == (0, 0)
        assert found.events == sum(map(len, kept.events.values())) > 0

    async def test_what_the_store_has_lost_is_named(self, world: ToyWorld) -> None:
        kept = world.stores["intake"]
        shard = _longest(kept)
        whole = len(kept.events[shard])
        del kept.events[shard][-3:]
        _, found = await _compared(world)
        assert (found.differences, found.unpublished) == (3, 0)
        assert found.events == sum(map(len, kept.events.values()))
        assert [place.partition(" stream")[0] for place in found.places] == [
            f"shard {shard} seq {seq}" for seq in range(whole - 2, whole + 1)
        ]
        assert all(place.endswith(" is missing in the store") for place in found.places)

    async def test_a_shard_that_the_store_has_lost_whole_is_named(self, world: ToyWorld) -> None:
        kept = world.stores["intake"]
        shard = _longest(kept)
        whole = len(kept.events[shard])
        kept.events[shard].clear()
        _, found = await _compared(world)
        assert (found.differences, found.unpublished) == (whole, 0)

    async def test_an_event_lost_in_between_is_named_alone(self, world: ToyWorld) -> None:
        kept = world.stores["intake"]
        shard = _longest(kept)
        lost = kept.events[shard].pop(2)
        _, found = await _compared(world)
        assert found.places == [
            f"shard {shard} seq 3 stream {lost.stream} v{lost.version} is missing in the store"
        ]

    async def test_an_event_that_was_changed_is_named(self, world: ToyWorld) -> None:
        kept = world.stores["intake"]
        shard = _longest(kept)
        was = kept.events[shard][1]
        kept.events[shard][1] = replace(was, value=was.value + b" ")
        _, found = await _compared(world)
        assert found.places == [f"shard {shard} seq 2 stream {was.stream} v{was.version}"]

    async def test_what_the_topic_has_not_yet_is_not_published(self, world: ToyWorld) -> None:
        shard = _longest(world.stores["intake"])
        place = TopicPartition(topic_of("intake"), shard)
        del world.bus.records(place)[-2:]
        _, found = await _compared(world)
        assert (found.differences, found.unpublished) == (0, 2)


async def test_pages_of_the_two_need_not_end_together(
    world: ToyWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = world.stores["intake"]
    shard = _longest(kept)
    del kept.events[shard][0]
    monkeypatch.setattr(memory, "PAGE", 2)
    _, found = await _compared(world)
    assert (found.differences, found.unpublished) == (1, 0)

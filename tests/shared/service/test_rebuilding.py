"""What a rebuild says of a service: what differs, what is missing, what is only not published."""

from collections.abc import AsyncIterator, Callable

import asyncpg
import pytest
from msgspec.structs import replace

from arrears.shared.eventstore import memory
from arrears.shared.eventstore.memory import MemoryStore
from arrears.shared.eventstore.pool import open_pool
from arrears.shared.kernel.ids import Shard
from arrears.shared.runtime.bus import TopicPartition
from arrears.shared.runtime.stage import closing_type, topic_of
from arrears.shared.service.filling import fill, from_topic
from arrears.shared.service.rebuilding import Comparison, compare_events, compare_rows
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


# --- Rows of projections

SEQS = {Shard(0): 5, Shard(1): 3}


@pytest.fixture
def addresses(service_database: Callable[[str], str]) -> list[str]:
    return [service_database("contact"), service_database("legal")]


@pytest.fixture
async def pools(addresses: list[str]) -> AsyncIterator[tuple[asyncpg.Pool, asyncpg.Pool]]:
    """A service with two shards of a projection, and its rebuild: equal."""
    made = [await open_pool(address, max_size=2) for address in addresses]
    for pool in made:
        await pool.execute("TRUNCATE shards, projections, projection_cursors")
        for shard, seq in SEQS.items():
            await pool.execute("INSERT INTO shards (shard, last_seq) VALUES ($1, $2)", shard, seq)
            await pool.execute(
                "INSERT INTO projection_cursors VALUES ('sums', $1, 1, $2)", shard, seq
            )
            await pool.execute(
                "INSERT INTO projections VALUES ('sums', $1, $2, 'row')", f"key {shard}", shard
            )
    yield made[0], made[1]
    for pool in made:
        await pool.close()


@pytest.mark.live
class TestRows:
    async def test_equal_rows(self, pools: tuple[asyncpg.Pool, asyncpg.Pool]) -> None:
        assert _told(await _rows_compared(pools)) == (2, 0, [])

    @pytest.mark.parametrize(
        "lag",
        [
            "UPDATE projection_cursors SET seq = 2 WHERE shard = 1",
            "UPDATE shards SET last_seq = 9 WHERE shard = 1;"
            " UPDATE projection_cursors SET seq = 9 WHERE shard = 1",
            "DELETE FROM projection_cursors WHERE shard = 1;"
            " DELETE FROM projections WHERE shard = 1",
        ],
    )
    async def test_a_cursor_that_stands_elsewhere_is_not_compared(
        self, pools: tuple[asyncpg.Pool, asyncpg.Pool], lag: str
    ) -> None:
        await pools[0].execute(lag)
        assert _told(await _rows_compared(pools)) == (1, 1, [])

    @pytest.mark.parametrize(
        ("damage", "place"),
        [
            (
                "UPDATE projection_cursors SET seq = 4 WHERE shard = 1",
                "sums cursor of shard 1: at 4, the store at 3",
            ),
            (
                "INSERT INTO projection_cursors VALUES ('sums', 99, 1, 1)",
                "sums cursor of shard 99: at 1, the store at 0",
            ),
            (
                "DELETE FROM projection_cursors WHERE shard = 1",
                "sums has rows of shard 1, but no cursor",
            ),
            (
                "UPDATE projection_cursors SET seq = 0 WHERE shard = 1",
                "sums has rows of shard 1, but no cursor",
            ),
            ("UPDATE projections SET row = 'other' WHERE shard = 1", "sums row key 1"),
        ],
    )
    async def test_damage_is_named(
        self, pools: tuple[asyncpg.Pool, asyncpg.Pool], damage: str, place: str
    ) -> None:
        await pools[0].execute(damage)
        assert (await _rows_compared(pools)).places == [place]


async def _rows_compared(pools: tuple[asyncpg.Pool, asyncpg.Pool]) -> Comparison:
    found = Comparison(service="contact", source="store", database="draft")
    await compare_rows(*pools, SEQS, found)
    return found


def _told(found: Comparison) -> tuple[int, int, list[str]]:
    return found.rows, found.not_compared, found.places

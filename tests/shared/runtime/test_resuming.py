"""Protocol 4.2: a service rebuilt from Kafka goes on where the lost one stood."""

from collections.abc import Awaitable, Callable

import asyncpg
import pytest
from msgspec.json import decode

from arrears.shared.contracts.corebanking import FEED_TOPIC
from arrears.shared.eventstore.leases import make_rows
from arrears.shared.eventstore.memory import MemoryStore
from arrears.shared.eventstore.postgres import PostgresStore
from arrears.shared.runtime.bus import Outgoing, TopicPartition
from arrears.shared.runtime.stage import topic_of
from arrears.shared.testing import laws
from arrears.shared.testing.live_world import LiveWorld
from arrears.shared.testing.lost_database import lose_database, refill
from arrears.shared.testing.toy_intake import line
from arrears.shared.testing.toy_world import ToyWorld, day, drain
from arrears.shared.testing.world import FEED_PARTITIONS

SERVICES = ("intake", "contact", "mediation", "legal")
BORROWERS = [f"b{number}" for number in range(12)]


def _say(world: ToyWorld, number: int) -> None:
    for place, borrower in enumerate(BORROWERS):
        if (number + place) % 3 == 0:
            what = "overdue" if number < 5 else "repayment"
            world.fact(100 * number + place, borrower, number, what=what)
    if number == 3:  # Waits for its day, which comes after the loss.
        world.fact("ahead", BORROWERS[0], 8, what="repayment")
        world.fact("late", BORROWERS[1], 1, what="repayment")


async def _play(lose: Callable[[ToyWorld, int], Awaitable[None]]) -> ToyWorld:
    world = ToyWorld()
    await world.start()
    for number in range(1, 10):
        _say(world, number)
        world.close(day(number))
        await lose(world, number)
        await world.settle()
    return world


_UNDISTURBED: dict[str, list[tuple[str, int, str]]] = {}


async def _undisturbed() -> dict[str, list[tuple[str, int, str]]]:
    """The history of the same feed in which nothing was lost; played once."""
    if not _UNDISTURBED:
        _UNDISTURBED.update(_history(await _play(_nothing)))
    return _UNDISTURBED


async def _nothing(_world: ToyWorld, _number: int) -> None:
    pass


async def _unheard(world: ToyWorld, number: int) -> None:
    if number == 7:
        await world.settle()
        world.fact("unheard", BORROWERS[2], 8, what="repayment")


def _history(world: ToyWorld) -> dict[str, list[tuple[str, int, str]]]:
    return {
        name: sorted(
            (event.stream, event.version, event.event_id)
            for events in store.events.values()
            for event in events
        )
        for name, store in world.stores.items()
    }


@pytest.mark.parametrize("name", SERVICES)
class TestTakingOver:
    async def test_at_a_closed_day_the_history_goes_on_as_if_nothing_was_lost(
        self, name: str
    ) -> None:
        async def lose(world: ToyWorld, number: int) -> None:
            if number in (4, 7):
                await world.settle()
                await lose_database(world, name, clock="feed")

        world = await _play(lose)
        assert _history(world) == await _undisturbed()
        world.check_laws()

    @pytest.mark.parametrize("steps", [1, 2, 3])
    async def test_within_a_day_what_was_decided_is_recognised(self, name: str, steps: int) -> None:
        async def lose(world: ToyWorld, number: int) -> None:
            if number not in (3, 6):
                return
            for _ in range(steps):
                for owner in world.owners.values():
                    for step in (owner.hear, owner.handle, owner.act):
                        await step()
                    await drain(owner.publish)
            await lose_database(world, name, clock="feed")

        world = await _play(lose)
        assert _history(world) == await _undisturbed()
        # A fact that was heard again is in the ledger of duplicates as well.
        for service, store in world.stores.items():
            laws.numbers_have_no_hole(service, store)
            laws.chains_are_whole(service, store)
            laws.topic_says_what_the_store_holds(service, store, world.bus)


@pytest.mark.parametrize("name", SERVICES)
async def test_closings_that_came_again_late_take_nothing_from_what_came_before_them(
    name: str,
) -> None:
    """The bank has said a day again, and a zombie has published a few events again."""

    async def lose(world: ToyWorld, number: int) -> None:
        if number != 7:
            return
        await world.settle()
        world.fact("unheard", BORROWERS[2], 8, what="repayment")
        for partition in range(FEED_PARTITIONS):
            world.close_partition(partition, 2)
        for service in SERVICES:
            for shard, cursor in world.stores[service].published.items():
                place = TopicPartition(topic_of(service), shard)
                world.bus.duplicate(place, offset=cursor - 3, count=2)
        await drain(world.intake.hear)
        await lose_database(world, name, clock="feed")

    world = await _play(lose)
    assert _history(world) == _history(await _play(_unheard))
    for service, store in world.stores.items():
        laws.numbers_have_no_hole(service, store)
        laws.topic_says_what_the_store_holds(service, store, world.bus)


async def test_positions_stand_behind_the_closings_and_facts_of_later_days_wait() -> None:
    async def lose(world: ToyWorld, number: int) -> None:
        if number == 5:
            before = world.stores["intake"]
            after = await lose_database(world, "intake", clock="feed")
            assert after.homes == before.homes
            assert after.published == before.published
            feed = [place for topic, place in after.places if topic == FEED_TOPIC]
            assert sorted(feed) == [0, 1, 2, 3]
            waiting = [row.value for row in after.agenda_rows.values()]
            assert len(waiting) == 1
            assert b"ahead" in waiting[0]

    await _play(lose)


async def test_before_the_first_day_everything_is_heard_from_its_beginning() -> None:
    world = ToyWorld()
    await world.start()
    store = await lose_database(world, "contact", clock="feed")
    assert not store.places or {one.position for one in store.places.values()} == {0}
    _say(world, 1)
    await world.run_days(1, 2)
    assert world.nouns("contact")


async def test_under_the_wall_clock_what_was_heard_may_be_gone_from_the_feed() -> None:
    """Whose a loan is, is known from the events then, whoever is named later."""
    world = LiveWorld()
    await world.start()
    world.fact(1, "anna", 1, loan="shared")
    await world.settle()
    for (topic, partition), held in world.stores["intake"].places.items():
        if topic == FEED_TOPIC:
            world.bus.truncate(TopicPartition(topic, partition), held.position)
    store = MemoryStore()
    await refill(world, "intake", store, clock="live")
    world.stores["intake"] = store
    await world.restart("intake")
    world.fact(2, "ben", 1, what="repayment", loan="shared")
    await world.settle()
    assert world.nouns("intake", "anna").count("repayment_recorded") == 1
    assert not world.nouns("intake", "ben")
    laws.chains_are_whole("intake", store)


@pytest.mark.parametrize("is_lost", [False, True])
async def test_under_the_wall_clock_a_fact_that_waits_for_its_time_is_not_lost(
    *, is_lost: bool
) -> None:
    """Dated two days ahead, and heard before one that is handled at once."""
    world = LiveWorld()
    await world.start()
    await world.until(1, 12)
    world.fact("ahead", "anna", 3, what="repayment", amount=70)
    world.fact("today", "anna", 1)
    await world.settle()
    if is_lost:
        store = MemoryStore()
        await refill(world, "intake", store, clock="live")
        assert [row.value for row in store.agenda_rows.values()] == [
            row.value for row in world.stores["intake"].agenda_rows.values()
        ]
        world.stores["intake"] = store
        await world.restart("intake")
    for number in (2, 3, 4):
        await world.until(number, 12)
    told = [noun for noun in world.nouns("intake", "anna") if noun.endswith("_recorded")]
    assert told == ["fact_recorded", "repayment_recorded"]
    assert not world.stores["intake"].duplicates


@pytest.mark.parametrize(("lost_on", "heard_again"), [(1, ["refused"]), (2, [])])
async def test_under_the_wall_clock_what_left_no_event_is_heard_again_on_its_day_alone(
    lost_on: int, heard_again: list[str]
) -> None:
    world = LiveWorld()
    await world.start()
    await world.until(1, 12)
    world.fact("refused", "anna", 1, what="refuse")
    world.fact("kept", "anna", 1)
    await world.settle()
    await world.until(lost_on, 13)
    store = MemoryStore()
    await refill(world, "intake", store, clock="live")
    rows = store.agenda_rows.values()
    assert [decode(row.value)["id"] for row in rows] == heard_again


async def test_under_the_wall_clock_a_late_fact_that_waits_for_its_shards_worker_is_not_lost() -> (
    None
):
    """Another worker has heard it, and has handled what came behind it at once."""
    world = LiveWorld()
    await world.start()
    await world.until(2, 12)
    store = world.stores["intake"]
    await world.intake.drop(world.intake.shards, range(FEED_PARTITIONS))
    other = world.new_owner("intake")
    await other.take([store.shards[world.shard("ben")]], range(FEED_PARTITIONS))
    for borrower in ("anna", "ben"):
        world.put(0, line(f"of {borrower}", borrower, day(1)))
    await other.hear()
    await drain(other.publish)
    assert [row.borrower_id for row in store.agenda_rows.values()] == ["anna"]
    assert world.nouns("intake", "ben")
    world.stores["intake"] = MemoryStore()
    await refill(world, "intake", world.stores["intake"], clock="live")
    await world.restart("intake")
    await world.settle()
    assert world.nouns("intake", "anna").count("fact_recorded") == 1
    assert world.nouns("intake", "ben").count("fact_recorded") == 1


async def _in_doubt_of(borrower: str, other: str) -> LiveWorld:
    """Contact does not know whether a letter has left; what is said of the borrower waits for that.

    Something was said before, which the relay sends again; and of the `other`, of the same shard,
    something later was handled.
    """
    world = LiveWorld()
    await world.start()
    await world.until(1, 12)
    world.fact(1, borrower, 1)
    world.fact("before", borrower, 1, what="repayment", amount=1)
    await world.settle()
    await world.until(2, 1)
    world.gateway.trouble.append(ConnectionError())
    with pytest.raises(ConnectionError):
        await world.until(3, 11)
    await world.restart("contact")
    for fact in ("one", "two"):
        world.fact(fact, borrower, 3, what="repayment", amount=1)
        await world.settle()
    place = TopicPartition(topic_of("intake"), world.shard(borrower))
    for again in await world.bus.read(place, offset=0, count=10):
        world.bus.append(place, Outgoing(key=b"", value=again.value, seq=again.seq))
    world.fact("later", other, 3, what="repayment", amount=1)
    await world.settle()
    return world


async def test_under_the_wall_clock_what_waits_for_an_answer_is_not_lost() -> None:
    name, other = "p3", "p23"
    world = await _in_doubt_of(name, other)
    assert world.shard(name) == world.shard(other)
    waiting = world.stores["contact"].agenda_rows
    assert len(waiting) == 2
    assert world.nouns("contact", other) == ["noted"]
    store = MemoryStore()
    await refill(world, "contact", store, clock="live")
    assert store.agenda_rows == waiting
    world.stores["contact"] = store
    await world.restart("contact")
    await world.settle()
    await world.settle_as(carried_out=True)
    await world.settle()
    assert not store.agenda_rows
    told = [one["inputposition"] for one in world.read("contact", "noted", name)]
    assert len(told) == len(set(told)) == 3


@pytest.fixture(params=["intake", "legal"])
def place(
    request: pytest.FixtureRequest, service_database: Callable[[str], str]
) -> tuple[str, str]:
    """A service, and the address of an empty database of it."""
    return request.param, service_database(request.param)


@pytest.mark.live
async def test_postgresql_is_filled_as_memory_is(place: tuple[str, str]) -> None:
    name, dsn = place

    async def lose(world: ToyWorld, number: int) -> None:
        if number != 5:
            return
        twin = MemoryStore()
        await refill(world, name, twin, clock="feed")
        pool = await asyncpg.create_pool(dsn, min_size=1, max_size=4)
        await make_rows(pool, 4)
        kept = PostgresStore(pool)
        await refill(world, name, kept, clock="feed")
        by_place = sorted(await kept.positions(), key=lambda one: (one.topic, one.partition))
        assert by_place == [twin.places[place] for place in sorted(twin.places)]
        shards = sorted(twin.shards)
        assert await kept.cursors(shards) == twin.published
        assert {s.shard: s.open_day for s in await kept.shard_states()} == {
            shard: state.open_day for shard, state in twin.shards.items()
        }
        await pool.close()

    await _play(lose)

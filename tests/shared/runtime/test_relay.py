"""Protocol 2.6: the relay publishes in order, again after a crash, and stops where it must."""

from datetime import UTC, datetime

import pytest

from arrears.shared.runtime.bus import TopicPartition
from arrears.shared.runtime.relay import RelayStopped
from arrears.shared.testing.toy_world import ToyWorld, day, drain


def numbers(world: ToyWorld, service: str, borrower: str) -> list[int | None]:
    place = TopicPartition(f"arrears.{service}.v1", world.shard(borrower))
    return [record.seq for record in world.bus.records(place)]


async def decided(world: ToyWorld) -> None:
    """Anna's case, up to its referral, decided and not published."""
    world.fact(1, "anna", 1)
    world.close(day(1))
    await drain(world.intake.hear)
    await drain(world.intake.handle)


class TestProtocol26:
    async def test_a_crash_between_sending_and_cursor_repeats_numbers_with_the_same_bytes(
        self, world: ToyWorld, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        await decided(world)

        async def crash(_moves: object) -> None:
            raise ConnectionError

        with monkeypatch.context() as patch:
            patch.setattr(world.stores["intake"], "move_cursors", crash)
            with pytest.raises(ConnectionError):
                await world.intake.publish()
        await world.restart("intake")
        await world.settle()
        assert numbers(world, "intake", "anna") == [1, 2, 3, 4, 5, 1, 2, 3, 4, 5]
        assert world.nouns("contact", "anna") == ["notice_planned"]
        world.check_laws()

    async def test_a_broker_that_took_half_is_sent_all_again(self, world: ToyWorld) -> None:
        await decided(world)
        world.bus.break_publish(2)
        with pytest.raises(ConnectionError):
            await world.intake.publish()
        await world.intake.publish()
        assert numbers(world, "intake", "anna") == [1, 2, 1, 2, 3, 4, 5]
        await world.settle()
        world.check_laws()

    async def test_what_was_published_without_being_noticed_is_no_backlog(
        self, world: ToyWorld
    ) -> None:
        """Two commands, the first noticed: both are read and sent, and nothing is left to do."""
        await decided(world)
        await world.settle()
        for name in ("one", "two"):
            await world.hold("anna", 1, name)
        relay, shard = world.intake.relay, world.shard("anna")
        relay.notice(shard, world.stores["intake"].shards[shard].last_seq - 1)
        assert await relay.step()
        assert relay.backlog() == 0
        assert not await relay.step()

    async def test_a_store_behind_the_topic_stops(self, world: ToyWorld) -> None:
        """Yesterday's database under today's topic."""
        await decided(world)
        await world.settle()
        store, shard = world.stores["intake"], world.shard("anna")
        del store.events[shard][-1]
        store.published[shard] = 4
        with pytest.raises(RelayStopped, match=r"has seq 5, the store has not"):
            await world.restart("intake")

    async def test_a_store_that_went_another_way_than_the_topic_stops(
        self, world: ToyWorld
    ) -> None:
        """Restored from yesterday, then decided otherwise: as many numbers, other bytes."""
        await decided(world)
        await world.settle()
        other = ToyWorld(gateway=None)
        other.now = lambda: datetime(2026, 2, 2, tzinfo=UTC)
        await other.start()
        await decided(other)
        world.stores["intake"] = other.stores["intake"]
        with pytest.raises(RelayStopped, match=r"is not the event that the store has"):
            await world.restart("intake")

    async def test_a_topic_behind_its_cursor_stops(self, world: ToyWorld) -> None:
        await decided(world)
        await world.settle()
        world.bus.wipe("arrears.contact.v1")
        with pytest.raises(RelayStopped, match=r"ends with seq 0, but seq 1 was published"):
            await world.restart("contact")

    async def test_a_zombie_that_sends_again_late_is_no_trouble(self, world: ToyWorld) -> None:
        """Older numbers after newer ones: the highest of the last records is what counts."""
        await decided(world)
        await world.settle()
        place = TopicPartition("arrears.intake.v1", world.shard("anna"))
        world.bus.duplicate(place, offset=1, count=2)
        await world.restart("intake")
        await world.run_days(2, 3)
        assert numbers(world, "intake", "anna")[:7] == [1, 2, 3, 4, 5, 2, 3]
        world.check_laws()

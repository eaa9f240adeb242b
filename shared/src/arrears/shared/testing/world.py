"""The stages together in memory: the production code, with memory for store, bus and gateways.

Every step of every owner is driven from outside, so a scenario or a simulation decides the order.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta

from arrears.shared.contracts.corebanking import FEED_TOPIC
from arrears.shared.eventstore.memory import MemoryStore
from arrears.shared.kernel.ids import SHARD_COUNT
from arrears.shared.kernel.reaction import Gateway
from arrears.shared.runtime.bus import Outgoing, TopicPartition
from arrears.shared.runtime.owner import Owner
from arrears.shared.runtime.stage import Clock, Stage, topic_of
from arrears.shared.testing.feed_lines import closing, partition_of
from arrears.shared.testing.memory_bus import MemoryBus

FEED_PARTITIONS = 4
ROUNDS_MAX = 100_000


class Tick:
    """A wall clock for recorded times: it moves by a second at every look."""

    def __init__(self) -> None:
        self._now = datetime(2026, 1, 1, tzinfo=UTC)

    def __call__(self) -> datetime:
        self._now += timedelta(seconds=1)
        return self._now


class World:
    """All stages of one bank. `stages` in the order of the business day."""

    clock: Clock = "feed"

    def __init__(
        self,
        stages: Sequence[Stage],
        gateways: Mapping[str, Gateway | None],
        *,
        bus: MemoryBus | None = None,
        now: Callable[[], datetime] | None = None,
    ) -> None:
        self.stages = {stage.name: stage for stage in stages}
        self.gateways = gateways
        self.bus = bus or MemoryBus()
        self.now = now or Tick()
        self.stores = {name: MemoryStore() for name in self.stages}
        self.owners: dict[str, Owner] = {}
        self.first_day: date | None = None

    async def start(self) -> None:
        """Create the topics and give every stage one owner of all its shards."""
        await self.bus.ensure_topic(FEED_TOPIC, partitions=FEED_PARTITIONS, retention_ms=-1)
        for name in self.stages:
            await self.bus.ensure_topic(topic_of(name), partitions=SHARD_COUNT, retention_ms=-1)
        for name in self.stages:
            await self.restart(name)

    async def restart(self, name: str) -> Owner:
        """A new owner over the same store, as after a crash: nothing is remembered."""
        owner = self.new_owner(name)
        await owner.take(
            await self.stores[name].shard_states(),
            range(FEED_PARTITIONS) if owner.stage.feed is not None else (),
        )
        self.owners[name] = owner
        return owner

    def new_owner(self, name: str) -> Owner:
        """It owns nothing yet."""
        return Owner(
            self.stages[name],
            self.stores[name],
            self.bus,
            self.bus.publisher(),
            clock=self.clock,
            now=self.now,
            gateway=self.gateways.get(name),
        )

    # --- The bank's side

    def say(self, line: bytes, key: str) -> None:
        """Put a record of the feed on the partition of its key."""
        place = TopicPartition(FEED_TOPIC, partition_of(key, FEED_PARTITIONS))
        self.bus.append(place, Outgoing(key=key.encode(), value=line))

    def close(self, day: date) -> None:
        """The bank has said all of `day`."""
        self.first_day = self.first_day or day
        value = closing(day, self.first_day, FEED_PARTITIONS)
        for partition in range(FEED_PARTITIONS):
            self.bus.append(TopicPartition(FEED_TOPIC, partition), Outgoing(key=b"", value=value))

    # --- Running

    async def settle(self) -> int:
        """Run every step of every owner until nobody has anything to do; how many steps did."""
        steps = 0
        for _ in range(ROUNDS_MAX):
            moved = 0
            for owner in list(self.owners.values()):
                for step in (owner.hear, owner.handle, owner.act, owner.publish):
                    moved += await step()
            steps += moved
            if not moved:
                return steps
        raise AssertionError(f"not settled after {ROUNDS_MAX} rounds")

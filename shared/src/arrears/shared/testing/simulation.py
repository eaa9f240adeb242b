"""Everything together under one seeded scheduler that decides every interleaving and every fault.

The production code runs; only store, bus, clock and gateways are replaced. Each call of theirs is
a point at which others go on: a process is stepped from one such point to the next, may be killed
there or frozen with its work half done, and then goes on as a zombie beside its heir. There is no
event loop and no sleeping, so a seed always tells the same story.
"""

from collections.abc import Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from random import Random
from typing import Any, Final

from msgspec.structs import replace

from arrears.shared.contracts.corebanking import FEED_TOPIC
from arrears.shared.eventstore.memory import MemoryStore
from arrears.shared.eventstore.port import ShardState
from arrears.shared.kernel.business_day import ONE_DAY
from arrears.shared.kernel.ids import SHARD_COUNT, Shard
from arrears.shared.kernel.reaction import Gateway
from arrears.shared.runtime.bus import Outgoing, TopicPartition
from arrears.shared.runtime.stage import Stage, topic_of
from arrears.shared.testing import laws
from arrears.shared.testing.feed_lines import closing, partition_of
from arrears.shared.testing.memory_bus import MemoryBus
from arrears.shared.testing.simulated import JumpyClock, Process, Recorder, pause
from arrears.shared.testing.simulation_faults import Fault, plan_of

STEPS_MAX: Final = 400_000
ZOMBIE_STEPS_MAX: Final = 400
Digest = Callable[[Mapping[str, MemoryStore]], object]


class Stuck(AssertionError):
    """The days did not close."""


@dataclass(frozen=True)
class Cast:
    """What is played. `days` holds what the bank says on each, as (key, line).

    Only `shards` have owners: the script speaks of borrowers who live there. `command` is what a
    person does now and then; nothing else may depend on it.
    """

    stages: Callable[[], Sequence[Stage]]
    gateways: Callable[[], Mapping[str, Gateway]]
    days: Sequence[tuple[date, Sequence[tuple[str, bytes]]]]
    shards: Sequence[Shard]
    digest: Digest
    command: Callable[["Simulation"], Coroutine[Any, Any, None]] | None = None


@dataclass
class Story:
    """How a seed is played: what is disturbed besides the faults."""

    def __str__(self) -> str:
        return (
            f"{self.workers} workers, {self.feed_partitions} feed partitions, shuffled "
            f"{self.shuffled}, repeated {self.repeated}, {self.commands} commands"
        )

    feed_partitions: int = 2
    workers: int = 1
    shuffled: bool = False
    repeated: bool = False
    commands: int = 0
    faults: Sequence[Fault] = field(default_factory=list)

    def without(self, index: int) -> "Story":
        kept = [fault for number, fault in enumerate(self.faults) if number != index]
        return Story(
            self.feed_partitions, self.workers, self.shuffled, self.repeated, self.commands, kept
        )


def story_of(seed: int, *, steps: int) -> Story:
    """The story of a seed. `steps` is about how long an undisturbed run takes."""
    chance = Random(f"story {seed}")
    return Story(
        feed_partitions=chance.randint(1, 4),
        workers=chance.choice((1, 1, 2)),
        shuffled=chance.random() < 0.5,
        repeated=chance.random() < 0.5,
        commands=chance.choice((0, 0, 3)),
        faults=plan_of(seed, steps),
    )


class Simulation:
    """One run. `trace` tells its faults and turning points in order."""

    def __init__(self, cast: Cast, story: Story, seed: int) -> None:
        self.cast = cast
        self.story = story
        self.chance = Random(f"order {seed}")
        self.bus = MemoryBus(Random(f"bus {seed}"))
        self.clock = JumpyClock()
        self.stages = {stage.name: stage for stage in cast.stages()}
        self.stores = {name: MemoryStore() for name in self.stages}
        self.gateways = {name: Recorder(gateway) for name, gateway in cast.gateways().items()}
        self.processes: dict[tuple[str, int], Process] = {}
        self.zombies: list[tuple[Process, int]] = []
        self.trace: list[str] = []
        self.steps = 0
        self.said_all = False
        self.lost: list[tuple[str, str]] = []
        self.released_at: list[tuple[int, TopicPartition]] = []

    # --- Who is there

    def claim(self, name: str, shards: Sequence[Shard]) -> list[ShardState]:
        """What winning the lease does: a new epoch, so that whoever was there is fenced."""
        store = self.stores[name]
        for shard in shards:
            store.shards[shard] = replace(store.shards[shard], epoch=store.shards[shard].epoch + 1)
        return [store.shards[shard] for shard in shards]

    def start(self, name: str, index: int) -> None:
        count = self.story.workers
        feed = range(self.story.feed_partitions) if self.stages[name].feed is not None else ()
        self.processes[(name, index)] = Process(
            self, name, self.cast.shards[index::count], feed[index::count]
        )

    def kill(self, key: tuple[str, int]) -> None:
        self.processes[key].die()
        self.start(*key)

    def freeze(self, key: tuple[str, int]) -> None:
        """Its lease runs out while it stands still; later it goes on as if nothing had been."""
        self.zombies.append((self.processes[key], self.steps + ZOMBIE_STEPS_MAX))
        self.start(*key)

    # --- The bank and its staff

    async def _bank(self) -> None:
        chance = self.chance
        first = self.cast.days[0][0]
        for day, lines in self.cast.days:
            order = list(lines)
            if self.story.shuffled:
                order = _shuffled(order, chance)
            if self.story.repeated:
                order += chance.sample(order, min(1, len(order)))
            for key, value in order:
                self._say(key, value)
                await pause()
            for partition in chance.sample(
                range(self.story.feed_partitions), self.story.feed_partitions
            ):
                value = closing(day, first, self.story.feed_partitions)
                place = TopicPartition(FEED_TOPIC, partition)
                self.bus.append(place, Outgoing(key=b"", value=value))
                await pause()
            for _ in range(chance.choice((0, 5, 30))):
                await pause()
        self.said_all = True

    def _say(self, key: str, value: bytes) -> None:
        place = TopicPartition(FEED_TOPIC, partition_of(key, self.story.feed_partitions))
        self.bus.append(place, Outgoing(key=key.encode(), value=value))

    async def _people(self) -> None:
        assert self.cast.command is not None
        for _ in range(self.story.commands):
            for _ in range(self.chance.randint(50, 400)):
                await pause()
            await self.cast.command(self)

    # --- Running

    async def _make_topics(self) -> None:
        partitions = self.story.feed_partitions
        await self.bus.ensure_topic(FEED_TOPIC, partitions=partitions, retention_ms=-1)
        for name in self.stages:
            await self.bus.ensure_topic(topic_of(name), partitions=SHARD_COUNT, retention_ms=-1)

    def run(self) -> None:
        """Play to the end, then check the laws. Raises what is broken."""
        _finish(self._make_topics())
        for name in self.stages:
            for index in range(self.story.workers):
                self.start(name, index)
        others = [self._bank()]
        if self.cast.command is not None and self.story.commands:
            others.append(self._people())
        faults = sorted(self.story.faults, key=lambda fault: fault.at_step)
        while not self._over(others):
            self.steps += 1
            while faults and faults[0].at_step <= self.steps:
                fault = faults.pop(0)
                self.trace.append(f"step {self.steps}: {fault.strike(self)}")
            self._release()
            self._step(others)
            if self.steps > STEPS_MAX:
                raise Stuck(f"after {self.steps} steps: {self._standing()}")
        for process in (*self.processes.values(), *(zombie for zombie, _ in self.zombies)):
            process.die()
        laws.check_all(
            self.stores,
            self.bus,
            feed_partitions=self.story.feed_partitions,
            asked={name: gateway.asked for name, gateway in self.gateways.items()},
        )

    def _step(self, others: list[Coroutine[Any, Any, None]]) -> None:
        processes = list(self.processes.values())
        self.zombies = [(one, until) for one, until in self.zombies if until > self.steps]
        pick = self.chance.randrange(len(processes) + len(self.zombies) + len(others))
        if pick < len(processes):
            processes[pick].step(self.chance)
        elif pick < len(processes) + len(self.zombies):
            zombie, _ = self.zombies[pick - len(processes)]
            if not zombie.step_as_zombie(self.chance):
                self.zombies = [one for one in self.zombies if one[0] is not zombie]
        else:
            other = others[pick - len(processes) - len(self.zombies)]
            try:
                other.send(None)
            except StopIteration:
                others.remove(other)

    def _release(self) -> None:
        for step, place in [one for one in self.released_at if one[0] <= self.steps]:
            self.bus.release(place)
            self.released_at.remove((step, place))

    def _over(self, others: Sequence[object]) -> bool:
        if others or not self.said_all or self.steps % 16:
            return False
        next_day = self.cast.days[-1][0] + ONE_DAY
        return not self.released_at and all(
            store.shards[shard].open_day == next_day
            and store.published[shard] == store.shards[shard].last_seq
            and not any(effect.shard == shard for effect in store.effect_rows.values())
            for store in self.stores.values()
            for shard in self.cast.shards
        )

    def _standing(self) -> dict[str, list[str]]:
        return {
            name: [
                f"{shard}: {store.shards[shard].open_day} seq {store.shards[shard].last_seq}"
                f" published {store.published[shard]}"
                for shard in self.cast.shards
            ]
            for name, store in self.stores.items()
        }


def _shuffled(lines: Sequence[tuple[str, bytes]], chance: Random) -> list[tuple[str, bytes]]:
    """Lines of different keys in any order; those of one key keep theirs."""
    queues: dict[str, list[tuple[str, bytes]]] = {}
    for line in lines:
        queues.setdefault(line[0], []).append(line)
    shuffled = []
    while queues:
        key = chance.choice(sorted(queues))
        shuffled.append(queues[key].pop(0))
        if not queues[key]:
            del queues[key]
    return shuffled


def _finish(coroutine: Coroutine[Any, Any, None]) -> None:
    try:
        while True:
            coroutine.send(None)
    except StopIteration:
        pass


# --- Many seeds


@dataclass(frozen=True)
class Failure:
    """A seed that broke something, with the fewest faults that still break it."""

    seed: int
    error: str
    trace: Sequence[str]

    def __str__(self) -> str:
        lines = "\n  ".join(self.trace) or "no fault needed"
        return f"seed {self.seed}: {self.error}\n  {lines}"


class Simulator:
    """Plays seeds of one cast and compares each digest with that of the undisturbed run."""

    def __init__(self, cast: Cast) -> None:
        self.cast = cast
        calm = Simulation(cast, Story(), 0)
        calm.run()
        self.digest = cast.digest(calm.stores)
        self.steps = calm.steps

    def story(self, seed: int) -> Story:
        return story_of(seed, steps=self.steps)

    def play(self, seed: int, story: Story) -> Failure | None:
        run = Simulation(self.cast, story, seed)
        try:
            run.run()
            found = self.cast.digest(run.stores)
            if found != self.digest:
                raise laws.Broken(f"digest {found} is not {self.digest}")
        except Exception as error:
            return Failure(seed, f"{type(error).__name__}: {error}", [str(story), *run.trace])
        return None

    def seed(self, seed: int) -> Failure | None:
        """Play one seed; a failure comes reduced."""
        story = self.story(seed)
        failure = self.play(seed, story)
        if failure is None:
            return None
        index = 0
        while index < len(story.faults):
            fewer = story.without(index)
            still = self.play(seed, fewer)
            if still is None:
                index += 1
            else:
                story, failure = fewer, still
        return failure

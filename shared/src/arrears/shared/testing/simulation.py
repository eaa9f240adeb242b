"""Everything together under one seeded scheduler that decides every interleaving and every fault.

The production code runs, the worker's loop included; only event loop, store, bus, leases, clocks
and gateways are replaced. A worker is an actor of the loop: it may be killed at any call of the
outside world, or frozen with its work half done, and then go on as a zombie beside its heir. No
time passes in reality and no thread runs, so a seed always tells the same story.
"""

import asyncio
import signal
from collections.abc import Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from functools import partial
from random import Random
from typing import Any, Final, Protocol, cast

from structlog.testing import capture_logs

from arrears.shared.contracts.corebanking import FEED_TOPIC
from arrears.shared.eventstore.folding import Folding
from arrears.shared.eventstore.memory import MemoryStore
from arrears.shared.eventstore.memory_leases import LeaseTable, MemoryLeases
from arrears.shared.eventstore.port import Store
from arrears.shared.kernel.business_day import ONE_DAY
from arrears.shared.kernel.ids import SHARD_COUNT, Shard
from arrears.shared.kernel.reaction import Gateway
from arrears.shared.runtime.bus import Outgoing, Publisher, TopicPartition
from arrears.shared.runtime.owner import Owner
from arrears.shared.runtime.stage import Clock, Stage, topic_of
from arrears.shared.service.worker import Worker
from arrears.shared.testing import laws
from arrears.shared.testing.feed_lines import closing, partition_of
from arrears.shared.testing.memory_bus import MemoryBus
from arrears.shared.testing.simulated import (
    Latency,
    MemoryProjections,
    MemoryProjector,
    Process,
    Recorder,
    WallClock,
    Wire,
)
from arrears.shared.testing.simulated_loop import SimulatedLoop, current_actor
from arrears.shared.testing.simulation_faults import Fault, Plan, by_days

CALM_SECONDS_MAX: Final = 600.0
LEASE_SECONDS: Final = 3.0
LOOK_EVERY: Final = 64
SPIN_SECONDS: Final = 20.0
WALL: Final = datetime.fromisoformat("2026-01-01T00:00:00+00:00")


class Stuck(AssertionError):
    """The days did not close."""


class Spinning(AssertionError):
    """Something goes round without ever waiting: in a real process nothing else would run."""


def _spin(_signal: int, _frame: object) -> None:
    raise Spinning(f"{current_actor().name} has not waited for {SPIN_SECONDS} s")


class Player(Protocol):
    """A process beside the stages: a listener of all topics, or people with their commands."""

    name: str

    async def main(self) -> None:
        """One life of it; when it is killed, the next begins here again."""

    def is_done(self) -> bool: ...

    def check(self) -> None:
        """Raises Broken where something is wrong at the end."""


@dataclass(frozen=True)
class Cast:
    """What is played. `days` holds what the bank says on each, as (key, line).

    Only `shards` have owners: the script speaks of borrowers who live there. Nothing that `players`
    do may change the digest.
    """

    stages: Callable[[], Sequence[Stage]]
    gateways: Callable[[], Mapping[str, Gateway]]
    days: Sequence[tuple[date, Sequence[tuple[str, bytes]]]]
    shards: Sequence[Shard]
    digest: Callable[["Simulation"], object]
    players: Callable[["Simulation"], Sequence[Player]] = lambda _world: ()
    foldings: Callable[[Stage], Sequence[Folding]] = lambda _stage: ()
    clock: Clock = "feed"
    rate: float = 1.0
    jump: Callable[[Random], timedelta] = by_days
    settled: Callable[["Simulation"], bool] = lambda world: world.all_days_are_closed()
    honours_key: bool = True


@dataclass(frozen=True)
class Story:
    """How a seed is played: what is disturbed besides the faults."""

    feed_partitions: int = 2
    workers: int = 1
    shuffled: bool = False
    repeated: bool = False
    commands: int = 0
    faults: Sequence[Fault] = field(default_factory=list)

    def __str__(self) -> str:
        words = [f"{self.workers} workers", f"{self.feed_partitions} feed partitions"]
        words += ["lines shuffled"] * self.shuffled + ["lines repeated"] * self.repeated
        words += [f"{self.commands} commands"] * bool(self.commands)
        return ", ".join([*words, f"{len(self.faults)} faults"])


class Simulation:
    """One run. `trace` tells its faults and turning points in order."""

    def __init__(
        self, cast: Cast, story: Story, seed: int, *, seconds_max: float = CALM_SECONDS_MAX
    ) -> None:
        self.seconds_max = seconds_max
        self.cast = cast
        self.story = story
        self.seed = seed
        self.chance = Random(f"order {seed}")
        self.loop = SimulatedLoop(Random(f"turns {seed}"))  # type: ignore[abstract]
        self.latency = Latency(Random(f"latency {seed}"))
        self.bus = MemoryBus(Random(f"bus {seed}"))
        self.stages = {stage.name: stage for stage in cast.stages()}
        self.stores = {name: MemoryStore() for name in self.stages}
        self.gateways = {
            name: Recorder(gateway, honours_key=cast.honours_key)
            for name, gateway in cast.gateways().items()
        }
        self.leases = {name: self._lease_table(name) for name in self.stages}
        self.projections = {
            name: MemoryProjections(self.stores[name], cast.foldings(stage))
            for name, stage in self.stages.items()
        }
        self.lost: list[tuple[str, str]] = []
        self.processes: list[Process] = []
        self.graves: list[Process] = []
        self.trace: list[str] = []
        self.said_all = False
        self.started = 0
        self.rate = cast.rate
        self.offset = timedelta()
        self._plan = Plan(self, cast.shards, cast.jump)
        self.players = {player.name: player for player in cast.players(self)}

    def _lease_table(self, name: str) -> LeaseTable:
        feed = self.story.feed_partitions if self.stages[name].feed is not None else 0
        return LeaseTable(
            self.stores[name], self.loop.time, shards=self.cast.shards, feed_partitions=feed
        )

    # --- Who is there

    @property
    def services(self) -> list[str]:
        return [*self.stages, *self.players]

    @property
    def wall(self) -> datetime:
        return WALL + self.offset

    def wire(self, behind: object, name: str) -> Wire:
        return Wire(behind, self.latency, self.lost, name, self._plan.reached)

    def start(self, name: str) -> Process:
        """Start a process of the service; of a stage, one more worker."""
        self.started += 1
        process = Process(name, self.started)
        self.processes.append(process)
        main = self._work(process) if name in self.stages else self.players[name].main
        self.loop.start(process.actor, main, lambda error: self._ended(process, error))
        return process

    def _work(self, process: Process) -> Callable[[], Coroutine[Any, Any, None]]:
        name = process.service
        process.clock = clock = WallClock(self.loop, self.wall, self.rate)
        store = cast("Store", self.wire(self.stores[name], name))
        gateway = self.gateways.get(name)

        async def main() -> None:
            owner = Owner(
                self.stages[name],
                store,
                self.bus,
                cast("Publisher", self.wire(self.bus.publisher(), name)),
                clock=self.cast.clock,
                now=clock,
                gateway=gateway and cast("Gateway", self.wire(gateway, name)),
            )
            owner.backlog_rows = 1  # So that batches overlap, however small they are here.
            process.worker = Worker(
                owner,
                MemoryLeases(
                    cast("LeaseTable", self.wire(self.leases[name], name)),
                    process.actor.name,
                    seconds=LEASE_SECONDS,
                ),
                MemoryProjector(
                    cast("MemoryProjections", self.wire(self.projections[name], name)),
                    self.projections[name].foldings,
                ),
                lease_seconds=LEASE_SECONDS,
                clock=self.loop.time,
            )
            await process.worker.run()

        return main

    def _ended(self, process: Process, error: BaseException | None) -> None:
        if error is not None:
            self.loop.troubles.append(error)
        self.bury(process)

    def bury(self, process: Process) -> None:
        """Nothing of it runs any more."""
        self.processes.remove(process)
        self.graves.append(process)
        self.loop.end(process.actor)
        process.ended.set()

    def tell(self, what: str) -> None:
        self.trace.append(f"{self.loop.time():9.3f} s  {what}")

    # --- The bank

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
                place = TopicPartition(FEED_TOPIC, partition_of(key, self.story.feed_partitions))
                self.bus.append(place, Outgoing(key=key.encode(), value=value))
                await asyncio.sleep(self._pace(len(order)))
            for partition in chance.sample(
                range(self.story.feed_partitions), self.story.feed_partitions
            ):
                value = closing(day, first, self.story.feed_partitions)
                place = TopicPartition(FEED_TOPIC, partition)
                self.bus.append(place, Outgoing(key=b"", value=value))
                await asyncio.sleep(self.latency.draw())
            if self.cast.clock == "feed":
                await asyncio.sleep(chance.choice((0.0, 0.0, 0.3)))
        self.said_all = True

    def _pace(self, lines: int) -> float:
        """In `live` a day's lines are said over the day; in `feed` as fast as they can be."""
        return 86_400 / self.rate / lines if self.cast.clock == "live" else self.latency.draw()

    # --- Running

    async def _make_topics(self) -> None:
        partitions = self.story.feed_partitions
        await self.bus.ensure_topic(FEED_TOPIC, partitions=partitions, retention_ms=-1)
        for name in self.stages:
            await self.bus.ensure_topic(topic_of(name), partitions=SHARD_COUNT, retention_ms=-1)

    def run(self) -> None:
        """Play to the end, then check the laws. Raises what is broken. Nothing is logged."""
        asyncio._set_running_loop(self.loop)
        before = signal.signal(signal.SIGVTALRM, _spin)
        try:
            with capture_logs() as said:
                self._play()
                self._check()
            if not self.story.faults and self.story.workers == 1:
                laws.nobody_starts_over(said)
        finally:
            signal.setitimer(signal.ITIMER_VIRTUAL, 0)
            signal.signal(signal.SIGVTALRM, before)
            for process in (*self.processes, *self.graves):
                process.actor.bury()
            self._plan.actor.bury()
            asyncio._set_running_loop(None)

    def _play(self) -> None:
        self._run_alone(self._make_topics)
        for name in self.stages:
            for _ in range(self.story.workers):
                self.start(name)
        for name in self.players:
            self.start(name)
        bank = Process("bank", 0)
        self.graves.append(bank)
        self.loop.start(bank.actor, self._bank)
        self._plan.schedule(self.story.faults)
        while not self._over():
            if self.loop.steps % LOOK_EVERY == 0:
                signal.setitimer(signal.ITIMER_VIRTUAL, SPIN_SECONDS, 1.0)
            if not self.loop.step():
                raise Stuck(f"nobody does anything any more: {self._standing()}")
            if self.loop.troubles:
                raise self.loop.troubles[0]
            if self.loop.time() > self.seconds_max:
                raise Stuck(f"after {self.loop.time():.0f} simulated seconds: {self._standing()}")

    def _run_alone(self, main: Callable[[], Coroutine[Any, Any, None]]) -> None:
        one = Process("preparing", 0)
        self.loop.start(one.actor, main)
        while one.actor.ready:
            self.loop.step()
        self.loop.end(one.actor)

    def _over(self) -> bool:
        if not self.said_all or self.loop.steps % LOOK_EVERY or not self._plan.is_over():
            return False
        return self.is_settled() and all(player.is_done() for player in self.players.values())

    def is_settled(self) -> bool:
        return self.cast.settled(self)

    def bank_time(self) -> datetime:
        """What a clock shows that nobody sets."""
        return WALL + timedelta(seconds=self.loop.time() * self.rate)

    def all_days_are_closed(self) -> bool:
        next_day = self.cast.days[-1][0] + ONE_DAY
        return all(
            store.shards[shard].open_day == next_day
            and store.published[shard] == store.shards[shard].last_seq
            and not any(effect.shard == shard for effect in store.effect_rows.values())
            for store in self.stores.values()
            for shard in self.cast.shards
        )

    def _check(self) -> None:
        laws.check_all(
            self.stores,
            self.bus,
            feed_partitions=self.story.feed_partitions,
            asked={name: gateway.asked for name, gateway in self.gateways.items()},
        )
        for name, gateway in self.gateways.items():
            if not gateway.honours_key:
                laws.no_key_is_asked_twice(name, gateway.asked)
        for projections in self.projections.values():
            self._run_alone(partial(laws.rows_equal_their_rebuild, projections))
        for player in self.players.values():
            player.check()

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

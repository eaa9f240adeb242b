"""What can go wrong at a moment of a simulation.

Each fault draws what it needs from its own chance, so that leaving one out changes no other.
"""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from random import Random
from typing import Final, Protocol

from arrears.shared.kernel.ids import Shard
from arrears.shared.runtime.bus import TopicPartition
from arrears.shared.runtime.stage import Stage, topic_of
from arrears.shared.testing.memory_bus import MemoryBus
from arrears.shared.testing.simulated import Process, Recorder
from arrears.shared.testing.simulated_loop import Actor, SimulatedLoop

KINDS: Final = (
    "kill",
    "kill",
    "freeze",
    "freeze",
    "replace",
    "lose request",
    "lose answer",
    "lose answer",
    "half publish",
    "delay",
    "duplicate",
    "redeliver",
    "slow gateway",
    "clock jump",
)
FAULTS_MAX: Final = 14
FROZEN_SECONDS: Final = (0.2, 8.0)
"""Some thaw within their lease (of three seconds), some long after an heir has taken over."""


@dataclass(frozen=True)
class Fault:
    """`on` names a service; without it chance does. `when` is what a process of it must be doing,
    from `at` on: "before commit", or "after commit, before its answer"."""

    at: float
    kind: str
    seed: str
    on: str = ""
    when: str = ""


def faults_of(seed: int, seconds: float) -> list[Fault]:
    """The faults of a seed, within so many seconds; seed 0 has none."""
    chance = Random(f"faults {seed}")
    count = chance.randint(1, FAULTS_MAX) if seed else 0
    return [
        Fault(chance.uniform(0, seconds), chance.choice(KINDS), f"fault {seed} {number}")
        for number in range(count)
    ]


class World(Protocol):
    """What there is to hurt. `lost` names the writes that get lost next, by service and way."""

    loop: SimulatedLoop
    bus: MemoryBus
    stages: dict[str, Stage]
    gateways: dict[str, Recorder]
    processes: list[Process]
    lost: list[tuple[str, str]]
    offset: timedelta
    said_all: bool

    @property
    def services(self) -> Sequence[str]: ...

    def start(self, name: str) -> Process: ...

    def bury(self, process: Process) -> None: ...

    def tell(self, what: str) -> None: ...

    def is_settled(self) -> bool: ...


class Plan:
    """Strikes the faults of a story when their time has come, and heals what heals."""

    def __init__(
        self, world: World, shards: Sequence[Shard], jump: Callable[[Random], timedelta]
    ) -> None:
        self._world = world
        self._shards = shards
        self._jump_of = jump
        self.actor = Actor("faults")
        self._is_scheduled = False
        self._striking = 0
        self._tasks: list[asyncio.Task[None]] = []
        self._waiting: dict[tuple[str, str], list[asyncio.Future[Actor]]] = {}

    def reached(self, service: str, actor: Actor) -> None:
        """A process of the service stands at this point."""
        for waiter in self._waiting.pop((service, actor.doing), ()):
            waiter.set_result(actor)

    def schedule(self, faults: Sequence[Fault]) -> None:
        self._is_scheduled = not faults
        self._world.loop.start(self.actor, lambda: self._strike_all(faults))

    def is_over(self) -> bool:
        """Nobody is frozen, nothing is held back, everybody who was replaced is there again.

        A fault that still waits for its moment is not waited for.
        """
        return self._is_scheduled and not self._striking

    async def _strike_all(self, faults: Sequence[Fault]) -> None:
        for fault in sorted(faults, key=lambda one: one.at):
            await asyncio.sleep(fault.at - self._world.loop.time())
            if self._world.said_all and self._world.is_settled():
                break
            self._tasks.append(asyncio.create_task(self._await_moment(fault)))
        self._is_scheduled = True

    async def _await_moment(self, fault: Fault) -> None:
        chance = Random(fault.seed)
        name = fault.on or chance.choice(self._world.services)
        there: Actor | None = None
        if fault.when:
            moment: asyncio.Future[Actor] = asyncio.get_running_loop().create_future()
            self._waiting.setdefault((name, fault.when), []).append(moment)
            there = await moment
        self._striking += 1
        try:
            await self._strike(fault, name, chance, there)
        except Exception as error:
            self._world.loop.troubles.append(error)
        self._striking -= 1

    async def _strike(self, fault: Fault, name: str, chance: Random, there: Actor | None) -> None:
        match fault.kind:
            case "kill":
                await self._kill(self._pick(name, chance, there), fault.when, chance)
            case "freeze":
                await self._freeze(self._pick(name, chance, there), fault.when, chance)
            case "replace":
                await self._replace(name, chance)
            case "lose request" | "lose answer":
                way = fault.kind.removeprefix("lose ")
                self._world.tell(f"the next {way} of a write of {name} is lost")
                self._world.lost.append((name, way))
            case "half publish":
                kept = chance.randint(0, 3)
                self._world.tell(f"the next publish breaks off after {kept} records of a shard")
                self._world.bus.break_publish(kept)
            case "slow gateway":
                self._slow_gateway(chance)
            case "clock jump":
                self._jump(name, chance)
            case _:
                await self._disturb_topic(fault.kind, chance)

    # --- Processes

    def _pick(self, name: str, chance: Random, actor: Actor | None = None) -> Process | None:
        """Any process of the service, or the one that stands at the moment waited for."""
        there = [
            one
            for one in self._world.processes
            if one.service == name and actor in (None, one.actor)
        ]
        return chance.choice(there) if there else None

    async def _kill(self, process: Process | None, when: str, chance: Random) -> None:
        if process is not None:
            self._world.tell(f"kill {process.actor.name}, {when or process.actor.doing}")
            self._world.bury(process)
            await asyncio.sleep(chance.uniform(0, 1))
            self._world.start(process.service)

    async def _freeze(self, process: Process | None, when: str, chance: Random) -> None:
        """Its lease may run out while it stands still; then it goes on as if nothing had been."""
        if process is None or process.actor.is_frozen:
            return
        world, frozen = self._world, process.actor.name
        seconds = chance.uniform(*FROZEN_SECONDS)
        world.tell(f"freeze {frozen} for {seconds:.1f} s, {when or process.actor.doing}")
        process.actor.is_frozen = True
        world.start(process.service)
        await asyncio.sleep(seconds)
        process.actor.is_frozen = False
        if not process.actor.is_dead:
            world.tell(f"{frozen} goes on")
        await asyncio.sleep(chance.uniform(0, 3))
        await self._stop(process)

    async def _replace(self, name: str, chance: Random) -> None:
        """An orderly change of hands: the new one is there before the old one leaves."""
        process = self._pick(name, chance)
        if process is not None:
            heir = self._world.start(process.service)
            self._world.tell(f"{heir.actor.name} joins, to replace {process.actor.name}")
            await asyncio.sleep(chance.uniform(0, 3))
            await self._stop(process)

    async def _stop(self, process: Process) -> None:
        if process.actor.is_dead:
            return
        self._world.tell(f"{process.actor.name} is told to stop")
        if process.worker is None:
            self._world.bury(process)
            return
        process.worker.stop()
        await process.ended.wait()

    # --- Everything else

    def _slow_gateway(self, chance: Random) -> None:
        name = chance.choice(sorted(self._world.gateways))
        seconds = chance.uniform(1, 12)
        self._world.tell(f"the gateway of {name} answers after {seconds:.1f} s")
        self._world.gateways[name].delays.append(seconds)

    def _jump(self, name: str, chance: Random) -> None:
        """One process's wall clock is set, as by NTP, or everybody's."""
        by = self._jump_of(chance)
        process = self._pick(name, chance)
        if process is None or process.clock is None or chance.random() < 0.5:
            self._world.tell(f"all clocks jump by {by}")
            self._world.offset += by
            for one in self._world.processes:
                if one.clock is not None:
                    one.clock.offset += by
        else:
            self._world.tell(f"the clock of {process.actor.name} jumps by {by}")
            process.clock.offset += by

    async def _disturb_topic(self, kind: str, chance: Random) -> None:
        world = self._world
        name = chance.choice(sorted(world.stages))
        place = TopicPartition(topic_of(name), chance.choice(list(self._shards)))
        records = world.bus.records(place)
        offset = chance.randrange(len(records) + 1)
        told = f"{place.topic}[{place.partition}] from offset {offset} of {len(records)}"
        if kind == "delay":
            seconds = chance.uniform(0.1, 4)
            world.tell(f"delay {told} for {seconds:.1f} s")
            world.bus.delay(place, offset)
            await asyncio.sleep(seconds)
            world.bus.release(place)
        elif kind == "duplicate":
            world.tell(f"publish again {told}")
            world.bus.duplicate(place, offset=offset, count=chance.randint(1, 5))
        else:
            world.tell(f"deliver again {told}")
            world.bus.redeliver(place, offset)


def by_days(chance: Random) -> timedelta:
    """In `feed` the wall clock only stamps, so it may be anything."""
    return timedelta(days=chance.randint(-400, 400))


def by_minutes(chance: Random) -> timedelta:
    """In `live` the wall clock moves everything; NTP sets it by little, a person by an hour."""
    return timedelta(minutes=chance.choice((-90, -20, -1, 1, 20, 90)))

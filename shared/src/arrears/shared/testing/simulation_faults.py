"""What can go wrong at a step of a simulation. Each fault draws what it needs from its own chance,
so that leaving one out changes no other."""

from dataclasses import dataclass
from datetime import timedelta
from random import Random
from typing import TYPE_CHECKING, Final

from arrears.shared.runtime.bus import TopicPartition
from arrears.shared.runtime.stage import topic_of

if TYPE_CHECKING:
    from arrears.shared.testing.simulation import Simulation

KINDS: Final = (
    "kill",
    "kill",
    "freeze",
    "freeze",
    "lose request",
    "lose answer",
    "half publish",
    "delay",
    "duplicate",
    "redeliver",
    "clock jump",
)
FAULTS_MAX: Final = 14


@dataclass(frozen=True)
class Fault:
    at_step: int
    kind: str
    seed: str

    def strike(self, world: "Simulation") -> str:
        """Do it, and say what was done."""
        chance = Random(self.seed)
        name = chance.choice(sorted(world.stages))
        key = (name, chance.randrange(world.story.workers))
        told = f"{self.kind} {name}"
        match self.kind:
            case "kill":
                world.kill(key)
            case "freeze":
                world.freeze(key)
            case "lose request" | "lose answer":
                world.lost.append((name, self.kind.removeprefix("lose ")))
            case "half publish":
                world.bus.break_publish(chance.randint(0, 3))
            case "clock jump":
                world.clock.jump(timedelta(days=chance.randint(-400, 400)))
            case _:
                told = f"{self.kind} {self._records(world, chance, name)}"
        return told

    def _records(self, world: "Simulation", chance: Random, name: str) -> str:
        place = TopicPartition(topic_of(name), chance.choice(list(world.cast.shards)))
        records = world.bus.records(place)
        offset = chance.randrange(len(records) + 1)
        if self.kind == "delay":
            world.bus.delay(place, offset)
            world.released_at.append((world.steps + chance.randint(50, 1500), place))
        elif self.kind == "duplicate":
            world.bus.duplicate(place, offset=offset, count=chance.randint(1, 5))
        else:
            world.bus.redeliver(place, offset)
        return f"{place.topic}[{place.partition}] from {offset} of {len(records)}"


def plan_of(seed: int, steps: int) -> list[Fault]:
    """The faults of a seed; seed 0 has none."""
    chance = Random(f"faults {seed}")
    count = chance.randint(1, FAULTS_MAX) if seed else 0
    return [
        Fault(chance.randrange(steps), chance.choice(KINDS), f"fault {seed} {number}")
        for number in range(count)
    ]

"""The parts of a simulated world: processes, wires that are slow and fail, clocks, gateways,
projections."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from random import Random
from typing import Any, Final

from arrears.shared.eventstore.folding import Folding
from arrears.shared.eventstore.memory import MemoryStore
from arrears.shared.kernel.ids import Shard
from arrears.shared.kernel.reaction import AnswerAt, EffectRequest, Gateway
from arrears.shared.service.worker import Worker
from arrears.shared.testing.simulated_loop import Actor, SimulatedLoop, current_actor

WRITES: Final = frozenset(
    {
        "abandon",
        "begin",
        "carry_out",
        "commit",
        "finish",
        "fold",
        "hear",
        "mark_sent",
        "move_cursors",
        "open_first_day",
        "publish",
        "release",
        "settle_homes",
        "turn",
    }
)
"""What can be lost on the way. After each of them is a moment at which only the other side knows
that it was done."""
_LATENCIES: Final = ((0.8, 0.0002, 0.003), (0.99, 0.003, 0.02), (1.0, 0.05, 0.3))
"""Most answers are quick and some are slow: up to which draw, and between which seconds."""


class Latency:
    def __init__(self, chance: Random) -> None:
        self._chance = chance

    def draw(self) -> float:
        draw = self._chance.random()
        for up_to, least, most in _LATENCIES:
            if draw < up_to:
                return least + (most - least) * self._chance.random()
        raise AssertionError("a draw is below 1")


class WallClock:
    """What a service sees on the wall: it runs at a rate, and can be set back or ahead."""

    def __init__(self, loop: SimulatedLoop, start: datetime, rate: float = 1.0) -> None:
        self._loop = loop
        self._start = start
        self._rate = rate
        self.offset = timedelta()

    def __call__(self) -> datetime:
        seconds = self._loop.time() * self._rate
        return self._start + timedelta(seconds=seconds) + self.offset


class Process:
    """An actor with what it runs; a stage's worker can be told to stop."""

    def __init__(self, name: str, number: int) -> None:
        self.service = name
        self.actor = Actor(f"{name}-{number}")
        self.clock: WallClock | None = None
        self.worker: Worker | None = None
        self.ended = asyncio.Event()


class Wire:
    """Everything behind it is far away: each call takes its time, and can be lost on either way."""

    def __init__(
        self,
        behind: object,
        latency: Latency,
        lost: list[tuple[str, str]],
        name: str,
        reached: Callable[[str, Actor], None],
    ) -> None:
        self._reached = reached
        self._behind = behind
        self._latency = latency
        self._lost = lost
        self._name = name

    def __getattr__(self, method: str) -> Any:
        found = getattr(self._behind, method)
        if not callable(found):
            return found
        writes = method in WRITES

        async def call(*args: Any, **named: Any) -> Any:
            actor = current_actor()
            actor.doing = f"before {method}"
            self._reached(self._name, actor)
            await asyncio.sleep(self._latency.draw())
            if writes:
                self._lose(method, "request")
            answer = await found(*args, **named)
            if writes:
                actor.doing = f"after {method}, before its answer"
                self._reached(self._name, actor)
                await asyncio.sleep(self._latency.draw())
                self._lose(method, "answer")
            actor.doing = f"after {method}"
            return answer

        setattr(self, method, call)
        return call

    def _lose(self, method: str, way: str) -> None:
        if (self._name, way) in self._lost:
            self._lost.remove((self._name, way))
            raise ConnectionError(f"the {way} of {method} was lost")


class Recorder:
    """A gateway that honours keys, or does not: what it was asked and did is remembered.

    Where it honours them, a repeated key gets the same answer and nothing is done again.
    """

    sandbox = True

    def __init__(self, gateway: Gateway, *, honours_key: bool = True) -> None:
        self.honours_key = honours_key
        self._gateway = gateway
        self.asked: list[EffectRequest] = []
        self.delays: list[float] = []
        """How long the next answers take, after what was asked for was done."""
        self._given: dict[str, Sequence[AnswerAt]] = {}

    async def carry_out(self, requests: Sequence[EffectRequest]) -> Sequence[Sequence[AnswerAt]]:
        self.asked.extend(requests)
        fresh = [request for request in requests if request.id not in self._given]
        for request, answers in zip(fresh, await self._gateway.carry_out(fresh), strict=True):
            self._given[request.id] = answers
        if self.delays:
            await asyncio.sleep(self.delays.pop(0))
        return [self._given[request.id] for request in requests]


class MemoryProjections:
    """The rows and cursors of a service's projections: what a database holds of them."""

    def __init__(self, store: MemoryStore, foldings: Sequence[Folding]) -> None:
        self.store = store
        self.foldings = foldings
        self.rows: dict[str, dict[str, bytes]] = {f.projection.NAME: {} for f in foldings}
        self.cursors: dict[tuple[str, Shard], int] = {}

    async def reached(self, name: str, shard: Shard) -> int:
        return self.cursors.get((name, shard), 0)

    async def fold(self, folding: Folding, shard: Shard, cursor: int) -> int | None:
        """One page of a shard in one transaction: where it ends; None if another moved it."""
        name = folding.projection.NAME
        if self.cursors.get((name, shard), 0) != cursor:
            return None
        page = await self.store.data_after(shard, cursor, limit=200)
        if not page:
            return cursor
        rows = folding.read(self.rows[name])
        folding.evolve(rows, folding.events(page))
        for key, row in folding.written(rows).items():
            if row is None:
                self.rows[name].pop(key, None)
            else:
                self.rows[name][key] = row
        self.cursors[(name, shard)] = page[-1][0]
        return page[-1][0]


class MemoryProjector:
    """The memory twin of the projector: the production folding over rows in a dictionary."""

    def __init__(self, behind: MemoryProjections, foldings: Sequence[Folding]) -> None:
        self._behind = behind
        self._foldings = foldings
        self._cursors: dict[tuple[str, Shard], int] = {}

    async def take(self, shards: Sequence[Shard]) -> None:
        for folding in self._foldings:
            for shard in shards:
                name = folding.projection.NAME
                self._cursors[(name, shard)] = await self._behind.reached(name, shard)

    def drop(self, shards: Sequence[Shard]) -> None:
        for key in [key for key in self._cursors if key[1] in shards]:
            del self._cursors[key]

    async def step(self, last_seqs: Mapping[Shard, int]) -> bool:
        moved = False
        for folding in self._foldings:
            for shard, last_seq in last_seqs.items():
                key = (folding.projection.NAME, shard)
                cursor = self._cursors.get(key)
                if cursor is None or cursor >= last_seq:
                    continue
                reached = await self._behind.fold(folding, shard, cursor)
                if reached is None:
                    del self._cursors[key]
                else:
                    moved = True
                    self._cursors[key] = reached
        return moved

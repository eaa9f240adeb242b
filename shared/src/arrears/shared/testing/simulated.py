"""The parts of a simulated world: pauses, processes, and proxies that can fail."""

from collections.abc import Coroutine, Generator, Sequence
from datetime import UTC, datetime, timedelta
from random import Random
from typing import TYPE_CHECKING, Any, Final, cast

from arrears.shared.eventstore.port import Fenced, Store
from arrears.shared.kernel.ids import Shard
from arrears.shared.kernel.reaction import AnswerAt, EffectRequest, Gateway
from arrears.shared.runtime.bus import Publisher
from arrears.shared.runtime.owner import Owner

if TYPE_CHECKING:
    from arrears.shared.testing.simulation import Simulation

WRITES: Final = frozenset(
    {
        "commit",
        "move_cursors",
        "open_first_day",
        "settle_homes",
        "mark_sent",
        "publish",
        "carry_out",
    }
)
PASSING: Final = (ConnectionError, Fenced)
"""What a worker answers by dropping everything and reading again (service.worker)."""


class pause:  # noqa: N801 - reads as a verb: `await pause()`
    """A point at which the scheduler may let others go on, or end us."""

    def __await__(self) -> Generator[None, None, None]:
        yield


class JumpyClock:
    """A wall clock for recorded times; it can be set back or ahead."""

    def __init__(self) -> None:
        self._now = datetime(2026, 1, 1, tzinfo=UTC)

    def __call__(self) -> datetime:
        self._now += timedelta(seconds=1)
        return self._now

    def jump(self, by: timedelta) -> None:
        self._now += by


class Recorder:
    """A gateway that honours keys: what it was asked is remembered, by key it answers the same."""

    honours_key = True
    sandbox = True

    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway
        self.asked: list[EffectRequest] = []
        self._given: dict[str, Sequence[AnswerAt]] = {}

    async def carry_out(self, requests: Sequence[EffectRequest]) -> Sequence[Sequence[AnswerAt]]:
        self.asked.extend(requests)
        fresh = [request for request in requests if request.id not in self._given]
        for request, answers in zip(fresh, await self._gateway.carry_out(fresh), strict=True):
            self._given[request.id] = answers
        return [self._given[request.id] for request in requests]


class Wire:
    """Everything behind it is far away: each call pauses, and can be lost on either way."""

    def __init__(self, behind: object, name: str, lost: list[tuple[str, str]]) -> None:
        self._behind = behind
        self._name = name
        self._lost = lost

    def __getattr__(self, method: str) -> Any:
        found = getattr(self._behind, method)
        if not callable(found):
            return found

        async def call(*args: Any, **named: Any) -> Any:
            await pause()
            self._lose(method, "request")
            answer = await found(*args, **named)
            if method in WRITES:
                await pause()
                self._lose(method, "answer")
            return answer

        return call

    def _lose(self, method: str, way: str) -> None:
        if method in WRITES and (self._name, way) in self._lost:
            self._lost.remove((self._name, way))
            raise ConnectionError(f"the {way} of {method} was lost")


class Process:
    """One worker process: decisions and publishing side by side, as service.worker runs them."""

    def __init__(
        self, world: "Simulation", name: str, shards: Sequence[Shard], feed: Sequence[int]
    ) -> None:
        self._world = world
        self._name = name
        self._shards = shards
        self._feed = feed
        gateway = world.gateways.get(name)
        self.owner = Owner(
            world.stages[name],
            cast("Store", Wire(world.stores[name], name, world.lost)),
            world.bus,
            cast("Publisher", Wire(world.bus.publisher(), name, world.lost)),
            clock="feed",
            now=world.clock,
            gateway=None if gateway is None else cast("Gateway", Wire(gateway, name, world.lost)),
        )
        self._held = False
        self._publishing = False
        self._relay_failed = False
        self._is_zombie = False
        self._threads: list[Coroutine[Any, Any, None]] = [self._work(), self._relay()]

    # --- From outside

    def step(self, chance: Random) -> None:
        chance.choice(self._threads).send(None)

    def step_as_zombie(self, chance: Random) -> bool:
        """False: it has noticed that it is over."""
        self._is_zombie = True
        try:
            self.step(chance)
        except (StopIteration, *PASSING):
            self.die()
            return False
        return True

    def die(self) -> None:
        """At whatever point it stands; nothing of it runs any more."""
        for thread in self._threads:
            thread.close()

    # --- What it does

    async def _work(self) -> None:
        while True:
            try:
                if not self._held:
                    await self._take()
                if self._relay_failed:
                    raise ConnectionError("publishing failed")
                busy = await self.owner.hear()
                busy |= await self.owner.handle()
                busy |= await self.owner.act()
                if not busy:
                    await self.owner.refresh()
            except PASSING:
                if self._is_zombie:
                    raise
                await self._drop()
            await pause()

    async def _take(self) -> None:
        if self._is_zombie:
            raise Fenced("the lease is gone")
        states = self._world.claim(self._name, self._shards)
        await self.owner.take(states, self._feed)
        self._held = True

    async def _drop(self) -> None:
        """Forget everything prepared; what is published at this moment is waited for."""
        self._held = False
        while self._publishing:
            await pause()
        self._relay_failed = False
        await self.owner.drop(self._shards, self._feed)

    async def _relay(self) -> None:
        while True:
            if self._held and not self._relay_failed:
                self._publishing = True
                try:
                    await self.owner.publish()
                except PASSING:
                    if self._is_zombie:
                        raise
                    self._relay_failed = True
                self._publishing = False
            await pause()

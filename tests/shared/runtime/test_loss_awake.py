"""Protocol 4.2 under the wall clock: databases are lost at any moment and filled from Kafka."""

from collections.abc import Awaitable, Callable
from random import Random
from typing import Final

import pytest

from arrears.shared.testing.live_world import LiveWorld
from arrears.shared.testing.lost_database import lose_database
from arrears.shared.testing.toy_world import drain

BORROWERS: Final = ["b1", "b2", "b3", "p3", "p23", "p34"]
"""The last three share a shard."""
DAYS: Final = 5
AWAY: Final = range(3, DAYS + 1)
"""Days on which the gateway is away: whoever is sent something waits."""
HOURS: Final = (1, 11, 14)
LAST_DAYS: Final = range(DAYS + 1, DAYS + 4)


class Play:
    """A feed, and a gateway that is away for days; the same for every play of a seed."""

    def __init__(self, seed: int) -> None:
        self._random = Random(seed)
        self.world = LiveWorld()
        self.world.gateway.honours_key = True
        self._facts = 0

    async def run(self, lose: Callable[[LiveWorld, str], Awaitable[None]]) -> None:
        """`lose` is called with a service now and then: all that it decided is on its topic."""
        await self.world.start()
        for number in range(1, DAYS + 1):
            for hour in HOURS:
                self.world.wall.at = self.world.wall.on(number, hour)
                self._say(number)
                if number in AWAY:
                    self.world.gateway.trouble[:] = [ConnectionError()] * 20
                for _ in range(self._random.randrange(4)):
                    await self._step()
                if self._random.random() < 0.7:
                    await lose(self.world, self._random.choice(["intake", "contact", "legal"]))
        self.world.gateway.trouble.clear()
        for number in LAST_DAYS:
            for hour in HOURS:
                self.world.wall.at = self.world.wall.on(number, hour)
                await self._settle()

    def _say(self, number: int) -> None:
        for borrower in BORROWERS:
            if self._random.random() < 0.7:
                self._facts += 1
                what = self._random.choice(["overdue", "repayment"])
                ahead = self._random.choice([0, 0, 0, 1])
                self.world.fact(self._facts, borrower, number + ahead, what=what, amount=1)

    async def _step(self) -> None:
        for name in self._random.sample(list(self.world.owners), len(self.world.owners)):
            owner = self.world.owners[name]
            try:
                for step in (owner.hear, owner.handle, owner.act):
                    await step()
            except ConnectionError:
                owner = await self.world.restart(name)
            await drain(owner.publish)

    async def _settle(self) -> None:
        while True:
            try:
                await self.world.settle()
            except ConnectionError:
                await self.world.restart("contact")
            else:
                return

    def told(self) -> dict[tuple[str, str], list[str]]:
        """What each service has decided of whom. The order of two sources may be another."""
        return {
            (name, borrower): sorted(self.world.nouns(name, borrower))
            for name in self.world.stages
            for borrower in BORROWERS
        }


async def _kept(_world: LiveWorld, _name: str) -> None:
    pass


async def _lost(world: LiveWorld, name: str) -> None:
    await lose_database(world, name, clock="live")


@pytest.mark.parametrize("seed", range(8))
async def test_nobody_is_told_less_or_more_than_without_the_loss(seed: int) -> None:
    undisturbed, disturbed = Play(seed), Play(seed)
    await undisturbed.run(_kept)
    await disturbed.run(_lost)
    assert disturbed.told() == undisturbed.told()

"""The faults themselves. Each returns when it is over: from then on everything has to recover."""

import asyncio
import signal
import time
from collections.abc import Awaitable, Callable, Mapping
from typing import Final

from arrears.cli.chaos.feeding import Feeder
from arrears.cli.chaos.ground import ChaosGround
from arrears.cli.chaos.plan import KAFKA, Fault
from arrears.cli.chaos.proxy import Proxy

DELAY_SECONDS: Final = 0.08
FILLING_LINES: Final = 200
_LOOK_SECONDS: Final = 0.05


class Faults:
    """Carries faults out on the ground of a run."""

    def __init__(self, ground: ChaosGround, feeder: Feeder) -> None:
        self._ground = ground
        self._feeder = feeder
        self._by_kind: Mapping[str, Callable[[Fault], Awaitable[bool | None]]] = {
            "worker_killed": self._killed,
            "worker_away": self._killed,
            "api_killed": self._killed,
            "worker_frozen": self._frozen,
            "worker_moved": self._moved,
            "database_killed": self._database_killed,
            "broker_killed": self._broker_killed,
            "disk_full": self._disk_full,
            "cut": self._cut,
            "one_way": self._one_way,
            "slow": self._slow,
            "lost": self._lost,
            "repeated": self._repeated,
        }

    async def carry_out(self, fault: Fault) -> bool:
        """Whether it met anything: what hurt nobody was not endured."""
        return await self._by_kind[fault.kind](fault) is not False

    async def _killed(self, fault: Fault) -> None:
        await self._ground.kill(fault.victim)
        await asyncio.sleep(fault.seconds)
        await self._ground.start_one(fault.victim)

    async def _frozen(self, fault: Fault) -> None:
        supervisor = self._ground.supervisor
        supervisor.kill(fault.victim, signal.SIGSTOP)
        try:
            await asyncio.sleep(fault.seconds)
        finally:
            supervisor.kill(fault.victim, signal.SIGCONT)

    async def _moved(self, fault: Fault) -> None:
        await self._ground.stop_politely(fault.victim)
        await self._ground.start_one(fault.victim)

    async def _database_killed(self, fault: Fault) -> None:
        await self._ground.kill_database()
        await asyncio.sleep(fault.seconds)
        await self._ground.start_database()

    async def _broker_killed(self, fault: Fault) -> None:
        await self._ground.kill_broker()
        await asyncio.sleep(fault.seconds)
        await self._ground.start_broker()

    async def _disk_full(self, fault: Fault) -> bool:
        """A broker whose only disk is full stops itself; it is started when there is room again.

        The bank sends lines again until one of them meets the limit. False where none did.
        """
        self._ground.fill_disk(fault.amount)
        writing: asyncio.Task[object] = asyncio.create_task(self._feeder.release())
        until = time.monotonic() + fault.seconds
        while self._ground.broker_lives() and time.monotonic() < until:
            if writing.done():
                await writing
                writing = asyncio.create_task(self._feeder.repeat(FILLING_LINES))
            await asyncio.wait({writing}, timeout=_LOOK_SECONDS)
        self._ground.empty_disk()
        # It may stop itself only now: it is over when something was written after there was room.
        after = asyncio.create_task(self._repeat_after(writing))
        met = False
        while not after.done():
            if not self._ground.broker_lives():
                met = True
                await self._ground.start_broker()
            await asyncio.wait({after}, timeout=_LOOK_SECONDS)
        await after
        return met

    async def _repeat_after(self, writing: Awaitable[object]) -> None:
        await writing
        await self._feeder.repeat(1)

    async def _cut(self, fault: Fault) -> None:
        await self._proxy(fault).cut(fault.seconds)

    async def _one_way(self, fault: Fault) -> None:
        await self._proxy(fault).hold_up(fault.direction, fault.seconds)

    async def _slow(self, fault: Fault) -> None:
        await self._proxy(fault).slow_down(DELAY_SECONDS, fault.seconds)

    async def _lost(self, fault: Fault) -> None:
        self._proxy(fault).lose(fault.direction)

    async def _repeated(self, fault: Fault) -> None:
        await self._feeder.repeat(fault.amount)

    def _proxy(self, fault: Fault) -> Proxy:
        ground = self._ground
        return ground.kafka_proxy if fault.victim == KAFKA else ground.database_proxy

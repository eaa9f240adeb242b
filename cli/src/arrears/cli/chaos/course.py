"""One run: the feed undisturbed, the feed again under faults, and then the laws."""

import asyncio
import time
from collections.abc import Callable, Sequence
from datetime import date
from pathlib import Path
from typing import Final

from msgspec import Struct
from msgspec.json import encode

from arrears.cli.chaos import laws
from arrears.cli.chaos.faults import Faults
from arrears.cli.chaos.feeding import Feeder, make_days
from arrears.cli.chaos.ground import ChaosGround
from arrears.cli.chaos.plan import ALONE, DAYS_PER_VOLLEY, PROCESSES, Fault, volleys
from arrears.cli.chaos.watching import LOOK_SECONDS, Watch
from arrears.cli.client.ground import Say
from arrears.cli.client.trouble import Trouble

RECOVERY_SECONDS: Final = 60.0
START_SECONDS: Final = 120.0
SECONDS_A_DAY: Final = 2.0
"""More than a day has ever taken: only to end a run that hangs."""
LOANS_AT_LEAST: Final = 600


class Endured(Struct, frozen=True):
    """A fault, how long it lasted, and how long until a new day was closed everywhere.

    That second time begins when all faults of its volley are over.
    """

    fault: Fault
    lasted: float
    recovered: float


class Result(Struct, kw_only=True):
    seed: int
    days: int
    records: int
    endured: list[Endured]
    verdicts: list[laws.Verdict]
    missed: list[Fault] = []
    """Carried out and met nothing: a disk that nobody wrote on while it was full."""
    fenced: int = 0
    repeated: int = 0
    seconds_undisturbed: float = 0.0
    seconds_disturbed: float = 0.0
    seconds: float = 0.0

    @property
    def holds(self) -> bool:
        return all(verdict.holds for verdict in self.verdicts)


Told = Callable[[str], None]


class Course:
    """Everything of one run. `told` gets the live line, `say` what stays on the screen."""

    def __init__(
        self,
        root: Path,
        seed: int,
        faults: Sequence[Fault],
        say: Say,
        told: Told,
        *,
        together: int,
        short: bool = False,
    ) -> None:
        self._volleys = list(volleys(faults, together))
        spare = sum(fault.kind == "disk_full" for fault in faults)
        count = DAYS_PER_VOLLEY * len(self._volleys) + spare + 1
        self._days = make_days(seed, LOANS_AT_LEAST + len(faults), count)
        self._seed = seed
        self._fault_count = len(faults)
        self._short = short
        self._say = say
        self._told = told
        self._ground = ChaosGround(root, say)
        self._watch = Watch(self._ground.dsn, self._ground.listens)
        records = sum(len(day.lines) for day in self._days)
        self.result = Result(seed=seed, days=count, records=records, endured=[], verdicts=[])

    async def run(self) -> Result:
        """Raises Trouble where a fault is not recovered from; everything is stopped then.

        A cancellation ends the run in the same way.
        """
        began = time.monotonic()
        try:
            await self._ground.build(self._seed)
            undisturbed = await self._undisturbed()
            await self._watch.close()
            await self._ground.empty(self._seed)
            await self._disturbed(undisturbed)
        finally:
            await self._watch.close()
            await self._ground.destroy()
        self.result.seconds = time.monotonic() - began
        return self.result

    @property
    def _last_day(self) -> date:
        return self._days[-1].day

    async def _undisturbed(self) -> laws.Digest:
        began = time.monotonic()
        bus = self._ground.bus()
        feeder = Feeder(bus, self._days, self._seed)
        try:
            await self._ground.start_all(ALONE)
            while not feeder.is_done:
                await feeder.release()
            await self._arrive(feeder, "undisturbed")
            found = await laws.digest(self._ground, self._last_day)
            await self._ground.stop_all()
        finally:
            await feeder.close()
            await bus.close()
        self.result.seconds_undisturbed = time.monotonic() - began
        self._say(
            f"undisturbed: {len(self._days)} days, {self.result.records:,} records, "
            f"{found.event_count:,} events in {self.result.seconds_undisturbed:.0f} s"
        )
        return found

    async def _disturbed(self, undisturbed: laws.Digest) -> None:
        began = time.monotonic()
        bus = self._ground.bus()
        feeder = Feeder(bus, self._days, self._seed)
        verdicts = self.result.verdicts
        try:
            await self._ground.start_all(PROCESSES)
            await self._begin(feeder)
            await self._endure(feeder)
            while not feeder.is_done:
                await feeder.release()
            await self._arrive(feeder, "the rest")
            found = await laws.digest(self._ground, self._last_day)
            verdicts.append(laws.same_digest(undisturbed, found))
            verdicts.append(await laws.apis_answer(self._ground))
            self.result.seconds_disturbed = time.monotonic() - began
        finally:
            self.result.repeated = feeder.repeated
            await feeder.close()
            await bus.close()
        self._told("the proofs")
        verdicts.extend(
            await laws.proofs(self._ground, undisturbed, self._last_day, rebuilds=not self._short)
        )
        self.result.fenced = self._ground.fenced()
        await self._watch.close()
        verdicts.append(await laws.ends_without_servers(self._ground))

    async def _begin(self, feeder: Feeder) -> None:
        first = await feeder.release()
        if not await self._watch.wait(first, START_SECONDS, self._ground.check_alive):
            raise Trouble(await self._where("the first day was not closed"))

    async def _endure(self, feeder: Feeder) -> None:
        faults = Faults(self._ground, feeder)
        for volley in self._volleys:
            self._told(self._line(volley))
            await feeder.release()
            strokes = await asyncio.gather(*(_struck(faults, fault) for fault in volley))
            over = time.monotonic()
            day = await feeder.release()
            arrived = await self._watch.wait(day, RECOVERY_SECONDS, self._ground.check_alive)
            if not (arrived and all([await self._is_up(fault, over) for fault in volley])):
                said = encode(volley).decode()
                raise Trouble(
                    await self._where(f"not recovered within {RECOVERY_SECONDS:.0f} s from {said}")
                )
            recovered = time.monotonic() - over
            for fault, (lasted, met) in zip(volley, strokes, strict=True):
                if met:
                    self.result.endured.append(Endured(fault, lasted, recovered))
                else:
                    self.result.missed.append(fault)

    async def _is_up(self, fault: Fault, over: float) -> bool:
        """Who was started again is back too: others may have done all its work meanwhile."""
        began = self._ground.started_at.get(fault.victim)
        while began is not None and not await self._watch.is_up(fault.victim, began):
            if time.monotonic() - over > RECOVERY_SECONDS:
                return False
            self._ground.check_alive()
            await asyncio.sleep(LOOK_SECONDS)
        return True

    async def _arrive(self, feeder: Feeder, what: str) -> None:
        def look() -> None:
            self._ground.check_alive()
            self._told(f"{what}: {feeder.released} of {len(self._days)} days sent")

        patience = START_SECONDS + SECONDS_A_DAY * len(self._days)
        if not await self._watch.wait(self._last_day, patience, look):
            raise Trouble(await self._where(f"{what}: the last day was not closed"))

    async def _where(self, what: str) -> str:
        stages = "; ".join(
            f"{service} {encode(state).decode()}"
            for service, state in (await self._watch.state()).items()
        )
        return f"{what}. History has {await self._watch.closed_day()}; {stages}. Logs: {self.logs}"

    @property
    def logs(self) -> Path:
        return self._ground.installation.folder.logs

    def _line(self, volley: Sequence[Fault]) -> str:
        done = self.result.endured
        slowest = max((one.recovered for one in done), default=0.0)
        now = ", ".join(f"{fault.kind} of {fault.victim}" for fault in volley)
        return (
            f"{len(done)} of {self._fault_count} faults recovered from, the slowest in "
            f"{slowest:.1f} s; now {now}"
        )


async def _struck(faults: Faults, fault: Fault) -> tuple[float, bool]:
    """How many seconds it lasted, and whether it met anything."""
    await asyncio.sleep(fault.after)
    began = time.monotonic()
    met = await faults.carry_out(fault)
    return time.monotonic() - began, met

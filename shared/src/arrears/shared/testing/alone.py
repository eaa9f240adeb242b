"""One stage alone on the kernel's own owner, under a clock that the test moves.

Store, bus and gateway are in memory. Everything happens to one borrower.
"""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

from msgspec.json import decode

from arrears.shared.eventstore.memory import MemoryStore
from arrears.shared.kernel.business_day import BankCalendar
from arrears.shared.kernel.ids import SHARD_COUNT, BorrowerId, StaffId, TenantId, shard_of
from arrears.shared.kernel.reaction import AnswerAt, EffectRequest, Issue
from arrears.shared.keyring.memory import MemoryKeyring, MemoryKeyStore
from arrears.shared.keyring.port import Keyring
from arrears.shared.runtime.owner import Owner
from arrears.shared.runtime.stage import STAGES, Clock, Stage, topic_of
from arrears.shared.runtime.transact import transact
from arrears.shared.runtime.workbench import Cause
from arrears.shared.service.settings import Ground
from arrears.shared.testing.memory_bus import MemoryBus

SHANGHAI: Final = ZoneInfo("Asia/Shanghai")
CALENDAR: Final = BankCalendar("Asia/Shanghai")
BORROWER: Final = BorrowerId("borrower-1")
HOME: Final = shard_of(BORROWER)
STAFF: Final = StaffId("collector-7")


def local(day: int, hour: int, minute: int = 0) -> datetime:
    """A moment of March 2026 in Shanghai."""
    return datetime(2026, 3, day, hour, minute, tzinfo=SHANGHAI).astimezone(UTC)


class Gateway:
    """A real gateway's shape: it is asked, says when it did it, and remembers by key."""

    honours_key = True
    sandbox = True

    def __init__(self, answers: Callable[[EffectRequest], Sequence[AnswerAt]]) -> None:
        self.asked: list[EffectRequest] = []
        self.trouble: list[Exception] = []
        self._answers = answers

    async def carry_out(self, requests: Sequence[EffectRequest]) -> Sequence[Sequence[AnswerAt]]:
        self.asked.extend(requests)
        if self.trouble:
            raise self.trouble.pop()
        return [self._answers(request) for request in requests]


class Alone:
    """A service's stage with its gateway; `time` is what the clock shows."""

    def __init__(
        self,
        service: str,
        make_stage: Callable[[Ground, Keyring], Stage],
        answers: Callable[[EffectRequest], Sequence[AnswerAt]],
        *,
        time: datetime,
    ) -> None:
        ground = Ground(tenant=TenantId("bank"), calendar=CALENDAR, sandbox_seed=None)
        self.stage = make_stage(ground, MemoryKeyring(MemoryKeyStore(), service))
        self.store, self.bus, self.gateway = MemoryStore(), MemoryBus(), Gateway(answers)
        self.time = time

    async def start(self) -> None:
        for service in STAGES:
            await self.bus.ensure_topic(topic_of(service), partitions=SHARD_COUNT, retention_ms=-1)
        await self.restart()

    async def restart(self, *, gateway: bool = True, clock: Clock = "live") -> None:
        self.owner = Owner(
            self.stage,
            self.store,
            self.bus,
            self.bus.publisher(),
            clock=clock,
            now=lambda: self.time,
            gateway=self.gateway if gateway else None,
        )
        await self.owner.take(await self.store.shard_states())

    async def command(self, issue: Issue) -> None:
        """A person's command, as the API carries it out: the owner has not looked at it."""
        await transact(
            self.stage,
            self.store,
            issue,
            BORROWER,
            cause=Cause(id=f"{type(issue.command).__name__}-{self.time}", actor=STAFF),
            at=self.time,
            recorded_at=self.time,
        )

    async def go_on(self, at: datetime | None = None, *, act: bool = True) -> None:
        """The clock shows this; everything is heard and decided, and the gateway has its turn."""
        self.time = at or self.time
        for _ in range(4):  # The day closes, the next one opens, and its timers are looked for.
            self.time += timedelta(seconds=1)
            await self.owner.refresh()
            await self.hear()
            while await self.owner.handle():
                pass
            while act and await self.owner.act():
                pass

    async def hear(self) -> None:
        while await self.owner.hear():
            pass

    def nouns(self) -> list[str]:
        """What happened to the borrower."""
        types = [event.type for event in self.store.events[HOME]]
        return [name.split(".")[2] for name in types if "business_day" not in name]

    def last(self, noun: str) -> dict[str, Any]:
        found = [event.value for event in self.store.events[HOME] if f".{noun}." in event.type]
        data: dict[str, Any] = decode(found[-1])["data"]
        return data

"""Legal alone on the kernel's own owner, under the live clock; what is around it is in memory."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from msgspec.json import decode
from msgspec.structs import replace

from arrears.legal.application.effects import Concluded, Registered, Searched
from arrears.legal.domain.claim.commands import (
    ClaimCommand,
    EnterJudgment,
)
from arrears.legal.domain.claim.decisions import CATEGORY
from arrears.legal.domain.claim.suit_events import ClaimFiled
from arrears.legal.main import make_stage
from arrears.shared.contracts.contact import DemandDelivered
from arrears.shared.contracts.intake import (
    CaseReferred,
)
from arrears.shared.eventstore.codec import Codec, Envelope
from arrears.shared.eventstore.memory import MemoryStore
from arrears.shared.eventstore.port import CommandTurn
from arrears.shared.kernel.business_day import BankCalendar
from arrears.shared.kernel.ids import (
    SHARD_COUNT,
    BorrowerId,
    CaseId,
    EventId,
    LoanKey,
    StaffId,
    TenantId,
    shard_of,
)
from arrears.shared.kernel.reaction import AnswerAt, EffectRequest, Issue
from arrears.shared.keyring.memory import MemoryKeyring, MemoryKeyStore
from arrears.shared.runtime.bus import Outgoing, TopicPartition
from arrears.shared.runtime.doubts import Finding, settle_doubt
from arrears.shared.runtime.owner import Owner
from arrears.shared.runtime.stage import STAGES, Clock, topic_of
from arrears.shared.runtime.transact import transact
from arrears.shared.runtime.workbench import Cause
from arrears.shared.service.settings import Ground
from arrears.shared.testing.memory_bus import MemoryBus

SHANGHAI = ZoneInfo("Asia/Shanghai")
BORROWER = BorrowerId("borrower-1")
HOME = shard_of(BORROWER)
CASE = CaseId("case-1")
LOAN = LoanKey("loan-1")
LAWYER = StaffId("lawyer-3")
CALENDAR = BankCalendar("Asia/Shanghai")


def local(day: int, hour: int, minute: int = 0) -> datetime:
    return datetime(2026, 3, day, hour, minute, tzinfo=SHANGHAI).astimezone(UTC)


DELIVERED = datetime(2026, 1, 5, 2, 0, tzinfo=UTC)
DEMAND = DemandDelivered(
    case_id=CASE, loan_key=LOAN, total_minor=3_700_000, currency="CNY", delivered_at=DELIVERED
)
REFERRED = CaseReferred(
    case_id=CASE,
    loan_key=LOAN,
    episode=1,
    referral=6,
    stage="legal",
    treatment="sue",
    reason="talks_failed",
    days_past_due=102,
    due_on=date(2025, 11, 20),
    overdue_minor=3_800_000,
    balance_minor=9_000_000,
    currency="CNY",
    product="card",
    risk="high",
    policy_id="cn-default",
    policy_version=1,
    as_of_on=date(2026, 3, 1),
)


class Court:
    """A real gateway's shape: it is asked, says when it did it, and remembers by key."""

    honours_key = True
    sandbox = True

    def __init__(self) -> None:
        self.asked: list[EffectRequest] = []
        self.trouble: list[Exception] = []

    async def carry_out(self, requests: Sequence[EffectRequest]) -> Sequence[Sequence[AnswerAt]]:
        self.asked.extend(requests)
        if self.trouble:
            raise self.trouble.pop()
        return [self._answers(request) for request in requests]

    def _answers(self, request: EffectRequest) -> Sequence[AnswerAt]:
        filing = request.event.filing  # type: ignore[attr-defined]
        if isinstance(request.event, ClaimFiled):
            docket = Registered(docket="d-1", gateway="court", filing=filing)
            return [AnswerAt(at=request.at, body=docket)]
        found = Searched(found="none", filing=filing)
        over = AnswerAt(at=request.at + timedelta(days=5), body=Concluded(filing=filing))
        return [AnswerAt(at=request.at, body=found), over]


class Legal:
    """Legal alone, with a clock that the test moves and others who speak on their topics."""

    def __init__(self) -> None:
        ground = Ground(tenant=TenantId("bank"), calendar=CALENDAR, sandbox_seed=None)
        self.stage = make_stage(ground, MemoryKeyring(MemoryKeyStore(), "legal"))
        self.store, self.bus, self.court = MemoryStore(), MemoryBus(), Court()
        self.time, self.said = local(2, 9), 0

    async def start(self) -> None:
        for service in STAGES:
            await self.bus.ensure_topic(topic_of(service), partitions=SHARD_COUNT, retention_ms=-1)
        await self.restart()

    async def restart(self, *, court: bool = True, clock: Clock = "live") -> None:
        self.owner = Owner(
            self.stage,
            self.store,
            self.bus,
            self.bus.publisher(),
            clock=clock,
            now=lambda: self.time,
            gateway=self.court if court else None,
        )
        await self.owner.take(await self.store.shard_states())

    async def say(self, *facts: Any) -> None:
        """Intake, or contact, says it now."""
        for fact in facts:
            self.said += 1
            name = fact.WIRE_NAME
            service = name.split(".")[1]
            place = TopicPartition(topic_of(service), HOME)
            envelope = Envelope(
                id=f"said-{self.said}",
                source=f"/arrears/{service}",
                type=name,
                subject=CASE,
                time=self.time,
                partitionkey=BORROWER,
                tenant="bank",
                stream=f"{service}.case-{CASE}",
                streamversion=self.said,
                prevhash="",
                businessday=CALENDAR.day_of(self.time),
                recordedtime=self.time,
                correlationid=CASE,
                causationid="test",
                data=fact,
            )
            value = Codec({type(fact): name}).encode(envelope)
            seq = len(self.bus.records(place)) + 1
            outgoing = Outgoing(key=BORROWER.encode(), value=value, seq=seq)
            await self.bus.publisher().publish({place: [outgoing]})

    async def enter(self, command: ClaimCommand) -> None:
        await transact(
            self.stage,
            self.store,
            Issue(CATEGORY, CASE, command),
            BORROWER,
            cause=Cause(id=f"{type(command).__name__}-{self.time}", actor=LAWYER),
            at=self.time,
            recorded_at=self.time,
        )

    async def hear(self) -> None:
        while await self.owner.hear():
            pass

    async def go_on(self, at: datetime | None = None) -> None:
        """The clock shows this; everything is heard and decided, and the court has its turn."""
        self.time = at or self.time
        for _ in range(4):  # The day closes, the next one opens, and its timers are looked for.
            self.time += timedelta(seconds=1)
            await self.owner.refresh()
            await self.hear()
            while await self.owner.handle():
                pass
            while await self.owner.act():
                pass

    async def refer(self) -> None:
        await self.say(DEMAND)
        await self.go_on()
        await self.say(REFERRED)

    async def filed_without_a_court(self) -> None:
        await self.restart(court=False)
        await self.refer()
        await self.go_on(local(2, 10))
        assert self.nouns() == ["demand_noted", "claim_taken", "claim_filed"]

    async def the_court_is_there(self, at: datetime) -> None:
        self.time = at
        await self.restart()
        await self.go_on()

    async def filed_anew(self) -> None:
        await self.say(replace(REFERRED, referral=7, overdue_minor=3_900_000))
        await self.go_on()

    async def not_obeyed(self) -> None:
        """Judged, and on the 25th not obeyed; enforcement would follow the next day."""
        await self.refer()
        await self.go_on()
        judgment = EnterJudgment(
            awarded_minor=3_800_000,
            currency="CNY",
            obey_by_on=date(2026, 3, 20),
            staff_id=LAWYER,
            now=self.time,
        )
        await self.enter(judgment)
        await self.go_on(local(25, 10))
        assert self.nouns()[-1] == "judgment_not_obeyed"

    async def settle(self, effect: EventId, *, carried_out: bool) -> None:
        turn = CommandTurn(key=f"settle-{effect}", actor=LAWYER, turn="1")
        self.store.at_work[turn.key, turn.actor] = turn.turn

        async def now(_borrower_id: BorrowerId) -> datetime:
            return self.time

        await settle_doubt(
            self.stage,
            self.store,
            Finding(event_id=effect, carried_out=carried_out, note="the court's list"),
            turn=turn,
            now=now,
            recorded_at=self.time,
        )

    def nouns(self) -> list[str]:
        return [
            event.type.split(".")[2]
            for event in self.store.events[HOME]
            if event.stream.startswith("legal.claim")
        ]

    def last(self, noun: str) -> dict[str, Any]:
        found = [event.value for event in self.store.events[HOME] if f".{noun}." in event.type]
        data: dict[str, Any] = decode(found[-1])["data"]
        return data

    def asked(self) -> list[EventId]:
        return [request.id for request in self.court.asked]


@pytest.fixture
async def legal() -> Legal:
    found = Legal()
    await found.start()
    return found

"""Legal alone on the kernel's own owner, under the live clock; what is around it is in memory."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
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
from arrears.shared.eventstore.port import CommandTurn
from arrears.shared.kernel.ids import BorrowerId, CaseId, EventId, LoanKey
from arrears.shared.kernel.reaction import AnswerAt, EffectRequest, Issue
from arrears.shared.runtime.bus import Outgoing, TopicPartition
from arrears.shared.runtime.doubts import Finding, settle_doubt
from arrears.shared.runtime.stage import topic_of
from arrears.shared.testing.alone import BORROWER, CALENDAR, HOME, STAFF, Alone, local

CASE = CaseId("case-1")
LOAN = LoanKey("loan-1")

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


def answers(request: EffectRequest) -> Sequence[AnswerAt]:
    filing = request.event.filing  # type: ignore[attr-defined]
    if isinstance(request.event, ClaimFiled):
        docket = Registered(docket="d-1", gateway="court", filing=filing)
        return [AnswerAt(at=request.at, body=docket)]
    found = Searched(found="none", filing=filing)
    over = AnswerAt(at=request.at + timedelta(days=5), body=Concluded(filing=filing))
    return [AnswerAt(at=request.at, body=found), over]


class Legal(Alone):
    """With others who speak on their topics."""

    def __init__(self) -> None:
        super().__init__("legal", make_stage, answers, time=local(2, 9))
        self.said = 0

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
        await self.command(Issue(CATEGORY, CASE, command))

    async def refer(self) -> None:
        await self.say(DEMAND)
        await self.go_on()
        await self.say(REFERRED)

    async def filed_without_a_court(self) -> None:
        await self.restart(gateway=False)
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
            staff_id=STAFF,
            now=self.time,
        )
        await self.enter(judgment)
        await self.go_on(local(25, 10))
        assert self.nouns()[-1] == "judgment_not_obeyed"

    async def settle(self, effect: EventId, *, carried_out: bool) -> None:
        turn = CommandTurn(key=f"settle-{effect}", actor=STAFF, turn="1")
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

    def asked(self) -> list[EventId]:
        return [request.id for request in self.gateway.asked]


@pytest.fixture
async def legal() -> Legal:
    found = Legal()
    await found.start()
    return found

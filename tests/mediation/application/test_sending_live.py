"""Under the live clock no invitation leaves at night, whatever happened since it was decided.

The real stage on the kernel's own owner; store, bus and gateway are in memory.
"""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from msgspec.json import decode

from arrears.mediation.application.effects import InvitationSent
from arrears.mediation.domain.mediation.commands import (
    CloseMediation,
    MediationCommand,
    RecordOffer,
    TakeMediation,
)
from arrears.mediation.domain.mediation.decisions import CATEGORY
from arrears.mediation.domain.mediation.events import (
    AgreementProposed,
    BorrowerInvited,
    InvitationWithdrawn,
    MediationClosed,
)
from arrears.mediation.domain.plan import Instalment
from arrears.mediation.main import make_stage
from arrears.shared.eventstore.memory import MemoryStore
from arrears.shared.kernel.business_day import BankCalendar
from arrears.shared.kernel.ids import (
    SHARD_COUNT,
    BorrowerId,
    CaseId,
    LoanKey,
    StaffId,
    TenantId,
    shard_of,
)
from arrears.shared.kernel.reaction import AnswerAt, EffectRequest, Issue
from arrears.shared.keyring.memory import MemoryKeyring, MemoryKeyStore
from arrears.shared.runtime.owner import Owner
from arrears.shared.runtime.stage import STAGES, topic_of
from arrears.shared.runtime.transact import transact
from arrears.shared.runtime.workbench import Cause
from arrears.shared.service.settings import Ground
from arrears.shared.testing.memory_bus import MemoryBus

SHANGHAI = ZoneInfo("Asia/Shanghai")
BORROWER = BorrowerId("borrower-1")
CASE = CaseId("case-1")
STAFF = StaffId("mediator-7")


def local(day: int, hour: int, minute: int = 0) -> datetime:
    return datetime(2026, 3, day, hour, minute, tzinfo=SHANGHAI).astimezone(UTC)


def offer(at: datetime) -> RecordOffer:
    return RecordOffer(
        settlement_minor=50_000,
        currency="CNY",
        instalments=(Instalment(due_on=local(30, 12).date(), amount_minor=50_000),),
        staff_id=STAFF,
        now=at,
    )


class Post:
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
        return [self._receipt(request) for request in requests]

    def _receipt(self, request: EffectRequest) -> Sequence[AnswerAt]:
        if not isinstance(request.event, BorrowerInvited):
            return ()
        body = InvitationSent(round=request.event.round, receipt_id=request.id, gateway="post")
        return [AnswerAt(at=request.at, body=body)]


class Mediation:
    """Mediation alone with a clock that the test moves."""

    def __init__(self) -> None:
        ground = Ground(
            tenant=TenantId("bank"), calendar=BankCalendar("Asia/Shanghai"), sandbox_seed=None
        )
        self.stage = make_stage(ground, MemoryKeyring(MemoryKeyStore(), "mediation"))
        self.store, self.bus, self.post = MemoryStore(), MemoryBus(), Post()
        self.time = local(2, 17, 59)

    async def start(self) -> None:
        for service in STAGES:
            await self.bus.ensure_topic(topic_of(service), partitions=SHARD_COUNT, retention_ms=-1)
        await self.restart()

    async def restart(self) -> None:
        self.owner = Owner(
            self.stage,
            self.store,
            self.bus,
            self.bus.publisher(),
            clock="live",
            now=lambda: self.time,
            gateway=self.post,
        )
        await self.owner.take(await self.store.shard_states())

    async def say(self, command: MediationCommand) -> None:
        await transact(
            self.stage,
            self.store,
            Issue(CATEGORY, CASE, command),
            BORROWER,
            cause=Cause(id=f"{type(command).__name__}-{self.time}", actor=STAFF),
            at=self.time,
            recorded_at=self.time,
        )

    async def take(self, at: datetime) -> None:
        self.time = at
        await self.say(
            TakeMediation(
                case_id=CASE,
                loan_key=LoanKey("loan-1"),
                borrower_id=BORROWER,
                referral=4,
                overdue_minor=50_000,
                currency="CNY",
                now=at,
            )
        )

    async def until(self, at: datetime) -> None:
        """The clock shows this; everything is decided, and the gateway has its turn."""
        self.time = at
        await self.owner.refresh()
        for _ in range(4):  # The day closes, the next one opens, and its timers are looked for.
            self.time += timedelta(seconds=1)
            while await self.owner.handle():
                pass
            while await self.owner.act():
                pass

    def nouns(self) -> list[str]:
        return [
            event.type.split(".")[2]
            for event in self.store.events[shard_of(BORROWER)]
            if "business_day" not in event.type
        ]

    def last(self, noun: str) -> dict[str, object]:
        found = [
            event.value
            for event in self.store.events[shard_of(BORROWER)]
            if f".{noun}." in event.type
        ]
        data: dict[str, object] = decode(found[-1])["data"]
        return data


@pytest.fixture
async def mediation() -> Mediation:
    found = Mediation()
    await found.start()
    return found


async def test_in_its_hours_it_leaves(mediation: Mediation) -> None:
    await mediation.take(local(2, 17, 59))
    await mediation.until(mediation.time)
    assert mediation.nouns() == ["mediation_taken", "borrower_invited", "invitation_receipted"]


async def test_what_is_taken_at_night_leaves_in_the_morning(mediation: Mediation) -> None:
    await mediation.take(local(2, 23, 30))
    await mediation.until(local(3, 8, 59))
    assert mediation.nouns() == ["mediation_taken"]
    await mediation.until(local(3, 9))
    assert mediation.nouns()[1:] == ["borrower_invited", "invitation_receipted"]


async def test_a_worker_that_comes_too_late_sends_it_the_next_morning(mediation: Mediation) -> None:
    """Decided in the hours, or as of the hours, and nobody was there to send it."""
    await mediation.take(local(2, 17, 59))
    await mediation.until(local(2, 20))
    assert mediation.post.asked == []
    assert mediation.nouns()[1:] == ["borrower_invited", "invitation_withdrawn"]
    assert mediation.last("invitation_withdrawn")["next_allowed_at"] == "2026-03-03T01:00:00Z"
    await mediation.until(local(3, 19))
    assert mediation.post.asked == []
    assert mediation.nouns()[3:] == ["borrower_invited", "invitation_withdrawn"]
    await mediation.until(local(4, 9))
    assert len(mediation.post.asked) == 1
    assert mediation.nouns()[5:] == ["borrower_invited", "invitation_receipted"]
    assert mediation.last("borrower_invited")["answer_by_on"] == "2026-03-19"


def test_a_rebuild_wants_no_further_answer_to_what_was_withdrawn(mediation: Mediation) -> None:
    assert {InvitationWithdrawn, MediationClosed} <= mediation.stage.ends_effect


async def test_a_case_that_was_closed_meanwhile_is_written_no_letter(mediation: Mediation) -> None:
    """Intake's word came by a way that the owner has not looked at since."""
    await mediation.take(local(2, 12))
    await mediation.say(CloseMediation(reason="cured", now=mediation.time))
    await mediation.until(mediation.time)
    assert mediation.post.asked == []
    assert mediation.nouns()[1:] == ["borrower_invited", "mediation_closed"]
    assert not mediation.store.effect_rows


async def test_what_may_have_left_is_asked_for_again_under_its_key(mediation: Mediation) -> None:
    """The line broke while it was sent; when we are back it is night."""
    await mediation.take(local(2, 17, 59))
    mediation.post.trouble.append(ConnectionError())
    with pytest.raises(ConnectionError):
        await mediation.until(mediation.time)
    await mediation.restart()
    await mediation.until(local(2, 23))
    assert len({request.id for request in mediation.post.asked}) == 1
    assert mediation.nouns()[-1] == "invitation_receipted"


async def test_what_may_have_left_is_not_asked_for_again_once_the_talks_are_over(
    mediation: Mediation,
) -> None:
    """Neither the invitation nor the signatures."""
    await mediation.take(local(2, 12))
    mediation.post.trouble.append(ConnectionError())
    with pytest.raises(ConnectionError):
        await mediation.until(mediation.time)
    await mediation.say(offer(mediation.time))
    await mediation.say(CloseMediation(reason="cured", now=mediation.time))
    await mediation.restart()
    await mediation.until(local(2, 13))
    assert len(mediation.post.asked) == 1
    assert not mediation.store.effect_rows
    assert mediation.nouns()[1:] == ["borrower_invited", "agreement_proposed", "mediation_closed"]


async def test_a_proposal_of_the_evening_leaves_and_the_invitation_does_not(
    mediation: Mediation,
) -> None:
    await mediation.take(local(2, 17, 59))
    mediation.time = local(2, 20)
    await mediation.say(offer(mediation.time))
    await mediation.until(mediation.time)
    [request] = mediation.post.asked
    assert isinstance(request.event, AgreementProposed)
    assert mediation.nouns()[1:] == [
        "borrower_invited",
        "agreement_proposed",
        "invitation_withdrawn",
    ]
    await mediation.until(local(3, 12))
    assert len(mediation.post.asked) == 1

"""Under the live clock nothing unlawful leaves, whatever happened since the permit (protocol 3.7).

The real stage on the kernel's own owner; store, bus and gateway are in memory.
"""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from msgspec.json import decode

from arrears.contact.application.effects import ReceiptAnswer
from arrears.contact.application.handlers import stop_borrower
from arrears.contact.domain.borrower.commands import RecordContactPoints, StartTreatment
from arrears.contact.domain.borrower.decisions import CATEGORY
from arrears.contact.domain.borrower.events import (
    AttemptAnsweredLate,
    AttemptConcluded,
    AttemptPermitted,
    AttemptWithdrawn,
)
from arrears.contact.domain.values import ContactPoint
from arrears.contact.main import make_stage
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
from arrears.shared.runtime.effects import Effects
from arrears.shared.runtime.owner import Owner
from arrears.shared.runtime.stage import STAGES, Clock, topic_of
from arrears.shared.runtime.transact import transact
from arrears.shared.runtime.workbench import Cause
from arrears.shared.service.settings import Ground
from arrears.shared.testing.memory_bus import MemoryBus

SHANGHAI = ZoneInfo("Asia/Shanghai")
EVENING = datetime(2026, 3, 2, 20, tzinfo=SHANGHAI).astimezone(UTC)
BORROWER = BorrowerId("borrower-1")
STAFF = StaffId("collector-7")


class Dialer:
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
        return [[self._receipt(request)] for request in requests]

    def _receipt(self, request: EffectRequest) -> AnswerAt:
        event = request.event
        assert isinstance(event, AttemptPermitted)
        body = ReceiptAnswer(attempt_id=event.attempt_id, receipt_id=request.id, gateway="dialer")
        return AnswerAt(at=request.at, body=body)


class Contact:
    """Contact alone with a clock that the test moves."""

    def __init__(self) -> None:
        ground = Ground(
            tenant=TenantId("bank"), calendar=BankCalendar("Asia/Shanghai"), sandbox_seed=None
        )
        self.stage = make_stage(ground, MemoryKeyring(MemoryKeyStore(), "contact"))
        self.store, self.bus, self.dialer = MemoryStore(), MemoryBus(), Dialer()
        self.time = EVENING

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
            gateway=self.dialer,
        )
        await self.owner.take(await self.store.shard_states())

    async def say(self, issue: Issue, name: str) -> None:
        await transact(
            self.stage,
            self.store,
            issue,
            BORROWER,
            cause=Cause(id=name, actor=STAFF),
            at=self.time,
            recorded_at=self.time,
        )

    async def decide(self) -> None:
        """Everything but the gateway's turn."""
        await self.owner.refresh()
        for _ in range(4):  # The day closes, the next one opens, and its timers are looked for.
            self.time += timedelta(seconds=1)
            while await self.owner.handle():
                pass

    async def until_permit(self) -> datetime:
        """The next day's call is permitted; the clock stands at that moment."""
        profile = RecordContactPoints(
            borrower_id=BORROWER,
            points=(ContactPoint(kind="phone", sealed="p"),),
            zone="Asia/Shanghai",
            language=None,
            now=self.time,
        )
        referral = StartTreatment(
            case_id=CaseId("case-1"),
            loan_key=LoanKey("loan-1"),
            borrower_id=BORROWER,
            referral=1,
            treatment="call",
            overdue_minor=50_000,
            currency="CNY",
            days_past_due=6,
            product="loan",
            now=self.time,
        )
        for name, command in (("profile", profile), ("referral", referral)):
            await self.say(Issue(CATEGORY, BORROWER, command), name)
        await self.to_next_timer()
        assert self.nouns()[-1] == "attempt_permitted"
        return self.time

    async def to_next_timer(self) -> None:
        [timer] = self.store.timer_rows.values()
        assert timer.due_at is not None
        self.time = timer.due_at
        await self.decide()

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
async def contact() -> Contact:
    found = Contact()
    await found.start()
    return found


async def test_a_permit_that_holds_lets_the_call_out(contact: Contact) -> None:
    await contact.until_permit()
    assert await contact.owner.act()
    await contact.decide()
    assert len(contact.dialer.asked) == 1
    assert contact.nouns()[-1] == "attempt_receipted"


async def test_the_clock_turned_quiet_while_the_call_waited(contact: Contact) -> None:
    await contact.until_permit()
    night = contact.time.astimezone(SHANGHAI).replace(hour=21, minute=0, second=1)
    contact.time = night.astimezone(UTC)
    assert await contact.owner.act()
    await contact.decide()
    assert contact.dialer.asked == []
    withdrawn = contact.last("attempt_withdrawn")
    assert withdrawn["rule"] == "quiet_hours"
    assert not contact.store.effect_rows
    await contact.to_next_timer()
    assert contact.nouns()[-2:] == ["attempt_withdrawn", "attempt_permitted"]
    permitted = contact.last("attempt_permitted")
    assert (permitted["attempt_id"], str(permitted["permitted_at"])[:13]) == (
        withdrawn["attempt_id"],
        str(withdrawn["next_allowed_at"])[:13],
    )
    assert await contact.owner.act()
    assert len(contact.dialer.asked) == 1


async def test_a_stop_that_only_the_store_has_seen_binds(contact: Contact) -> None:
    """A person stopped the contact through the API; the owner has not looked since."""
    await contact.until_permit()
    stop = stop_borrower(
        BORROWER, reason="complaint", until_on=None, staff_id=STAFF, now=contact.time
    )
    await contact.say(stop, "stop")
    assert await contact.owner.act()
    await contact.decide()
    assert contact.dialer.asked == []
    assert contact.last("attempt_withdrawn")["rule"] == "staff"
    assert contact.last("treatment_completed")["result"] == "stopped"


async def test_what_may_have_left_is_neither_asked_again_nor_called_withdrawn(
    contact: Contact,
) -> None:
    """The line broke after the call went out; when we are back it is night."""
    await contact.until_permit()
    contact.dialer.trouble.append(ConnectionError())
    with pytest.raises(ConnectionError):
        await contact.owner.act()
    contact.time += timedelta(hours=14)
    await contact.restart()
    assert await contact.owner.act()
    await contact.decide()
    assert len(contact.dialer.asked) == 1
    assert contact.last("attempt_concluded")["outcome"] == "unknown"


async def test_what_may_have_left_is_asked_again_with_its_key_while_it_is_permitted(
    contact: Contact,
) -> None:
    await contact.until_permit()
    contact.dialer.trouble.append(ConnectionError())
    with pytest.raises(ConnectionError):
        await contact.owner.act()
    await contact.restart()
    assert await contact.owner.act()
    assert len({request.id for request in contact.dialer.asked}) == 1


def test_a_rebuild_wants_no_further_answer_to_what_was_withdrawn_or_concluded(
    contact: Contact,
) -> None:
    assert {AttemptWithdrawn, AttemptConcluded, AttemptAnsweredLate} == contact.stage.ends_effect


@pytest.mark.parametrize(("clock", "asked"), [("feed", 1), ("live", 0)])
async def test_the_feeds_clock_looks_at_no_wall_clock(
    contact: Contact, clock: Clock, asked: int
) -> None:
    """No time passes in it between permit and sending: the same feed, the same history."""
    await contact.until_permit()
    codec = contact.owner.bench.codec
    midnight = contact.time + timedelta(hours=14)
    effects = Effects(
        contact.stage, contact.store, contact.dialer, codec, lambda: midnight, clock=clock
    )
    await effects.take([shard_of(BORROWER)])
    assert len(await effects.step()) == 1
    assert len(contact.dialer.asked) == asked

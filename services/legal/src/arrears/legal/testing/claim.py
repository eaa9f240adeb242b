"""A claim of 38,000.00 that has been due since 20 November 2025: unless told otherwise demanded on
5 January 2026, referred on 2 March, judged on 10 April, each at 10:00 in the bank's zone.
"""

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Any, Final

from msgspec.structs import replace

from arrears.legal.adapters.policies import load_policies
from arrears.legal.domain.claim.commands import (
    ClaimCommand,
    EnterJudgment,
    NoteAgreement,
    NoteDemand,
    NotePromise,
    NoteRepayment,
    RegisterClaim,
    TakeClaim,
    WakeUp,
)
from arrears.legal.domain.claim.decisions import ClaimDecider, make_claim_decider
from arrears.legal.domain.claim.events import ClaimClosed, ClaimEvent
from arrears.legal.domain.claim.suit_events import ClaimFiled
from arrears.legal.domain.deadlines import Derivation
from arrears.legal.domain.policy import FilingRule, PolicyBook
from arrears.shared.kernel.business_day import BankCalendar
from arrears.shared.kernel.ids import BorrowerId, LoanKey, StaffId, case_id
from arrears.shared.service.workdays import workdays_of

LOAN: Final = LoanKey("loan-1@/bank")
CASE: Final = case_id("bank", LOAN, 1)
"""The loan's first."""
BORROWER, LAWYER = BorrowerId("person-1"), StaffId("lawyer-3")
CALENDAR: Final = BankCalendar("Asia/Shanghai")
DUE, DELIVERED_ON, TODAY = date(2025, 11, 20), date(2026, 1, 5), date(2026, 3, 2)
JUDGED_ON, OBEY_BY = date(2026, 4, 10), date(2026, 4, 25)
POLICY, VERSION = "cn-legal", 1
"""The policy that ships, as events name it."""


def start_of(day: date) -> datetime:
    return CALENDAR.start_of(day)


def at(day: date, hours: int = 10) -> datetime:
    """That hour of the day in the bank's zone."""
    return start_of(day) + timedelta(hours=hours)


NOW: Final = at(TODAY)


# --- Who decides


def every_day(_day: date) -> bool:
    """Each is a workday: no last day moves."""
    return True


_policy = load_policies().on(TODAY)
PROMPT: Final = replace(
    _policy,
    filing=FilingRule(approval_from_minor=None),
    enforcement=replace(_policy.enforcement, booking_days_max=0),
)
"""Without days to pay and to book, which have tables of their own: time to pay, booking."""
DECIDER: Final = make_claim_decider(PolicyBook([PROMPT]), CALENDAR, every_day)
IN_CHINA: Final = make_claim_decider(
    PolicyBook([PROMPT]), CALENDAR, workdays_of("CN"), announced_until=2026
)
"""The same, where last days move to the workdays of China."""
SHIPPED: Final = make_claim_decider(load_policies(), CALENDAR, every_day)
"""By the policy as it ships."""


# --- What a claim is told


def demanded(on: date = DELIVERED_ON, heard_on: date | None = None, **other: Any) -> NoteDemand:
    """Delivered that day, and heard at once unless told otherwise."""
    command = NoteDemand(
        case_id=CASE,
        loan_key=LOAN,
        total_minor=3_700_000,
        currency="CNY",
        delivered_at=at(on),
        now=at(heard_on or on),
    )
    return replace(command, **other)


def referred(on: date = TODAY, due_on: date = DUE, **other: Any) -> TakeClaim:
    """By the sixth referral of its case; nobody says of what day the figure is."""
    command = TakeClaim(
        case_id=CASE,
        loan_key=LOAN,
        borrower_id=BORROWER,
        referral=6,
        overdue_minor=3_800_000,
        balance_minor=9_000_000,
        currency="CNY",
        due_on=due_on,
        days_past_due=(on - due_on).days,
        now=at(on),
    )
    return replace(command, **other)


def promised(on: date = TODAY, promise_id: str = "p1", **other: Any) -> NotePromise:
    command = NotePromise(
        case_id=CASE,
        loan_key=LOAN,
        promise_id=promise_id,
        amount_minor=5_000,
        currency="CNY",
        now=at(on),
    )
    return replace(command, **other)


def agreed(on: date = TODAY, last_due_on: date | None = None, **other: Any) -> NoteAgreement:
    command = NoteAgreement(
        case_id=CASE, loan_key=LOAN, signed_at=at(on), last_due_on=last_due_on, now=at(on)
    )
    return replace(command, **other)


def pay(amount_minor: int, on: date, repayment_id: str = "", **other: Any) -> NoteRepayment:
    """Money of that day, heard at its noon."""
    command = NoteRepayment(
        case_id=CASE,
        loan_key=LOAN,
        repayment_id=repayment_id or f"pay-{on}",
        amount_minor=amount_minor,
        currency="CNY",
        value_on=on,
        now=at(on, 12),
    )
    return replace(command, **other)


def judged(obey_by_on: date = OBEY_BY, on: date = JUDGED_ON, **other: Any) -> EnterJudgment:
    """It awards the whole claim."""
    command = EnterJudgment(
        awarded_minor=3_800_000, currency="CNY", obey_by_on=obey_by_on, now=at(on)
    )
    return replace(command, **other)


def wake_on(day: date) -> WakeUp:
    """The timer at the start of that day."""
    return WakeUp(now=start_of(day))


# --- What follows


def lived_by(decider: ClaimDecider, *commands: ClaimCommand) -> tuple[ClaimEvent, ...]:
    """The history that these commands leave behind, as this one decides."""
    events: tuple[ClaimEvent, ...] = ()
    for command in commands:
        events = (*events, *decider.decide(command, decider.fold(events)))
    return events


def lived(*commands: ClaimCommand) -> tuple[ClaimEvent, ...]:
    """The history that these commands leave behind."""
    return lived_by(DECIDER, *commands)


def kinds(command: ClaimCommand, *history: ClaimCommand) -> list[type[ClaimEvent]]:
    """What the command says after this history."""
    return [type(event) for event in DECIDER.decide(command, DECIDER.fold(lived(*history)))]


def claim_of(events: Sequence[ClaimEvent]) -> int:
    """What is sued for by the last of these."""
    filed = events[-1]
    assert isinstance(filed, ClaimFiled)
    return filed.claim_minor


DEMAND, TAKE, JUDGE = demanded(), referred(), judged()
REGISTER: Final = RegisterClaim(docket="d-1", gateway="sandbox", now=NOW + timedelta(days=2))
FILED: Final = (DEMAND, TAKE)
JUDGED: Final = (*FILED, REGISTER, JUDGE)
NOT_OBEYED: Final = (*JUDGED, wake_on(date(2026, 4, 26)))
ENFORCING: Final = (*NOT_OBEYED, wake_on(date(2026, 4, 27)))
"""It follows by itself the next day."""


# --- Short words for long events


def derived(
    rule: str, start_on: date, moved_from_on: date | None = None, *, provisional: bool = False
) -> Derivation:
    return Derivation(
        rule=rule, start_on=start_on, moved_from_on=moved_from_on, provisional=provisional
    )


def closed(reason: str) -> ClaimClosed:
    return ClaimClosed(case_id=CASE, loan_key=LOAN, reason=reason)

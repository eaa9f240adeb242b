"""A case under the shipped policy, taken on 2 March 2026 at 09:30 in the bank's zone, and what is
asked of its mediation: unless told otherwise, two instalments pay for all of it.
"""

from datetime import UTC, date, datetime, timedelta
from typing import Final

from msgspec.structs import replace

from arrears.mediation.adapters.policies import load_policies
from arrears.mediation.domain.mediation.commands import (
    AnswerInvitation,
    MediationCommand,
    RecordOffer,
    RecordRepayment,
    SignForBank,
    SignForBorrower,
    TakeMediation,
    WakeUp,
)
from arrears.mediation.domain.mediation.decisions import make_mediation_decider
from arrears.mediation.domain.mediation.events import MediationEvent
from arrears.mediation.domain.plan import Instalment
from arrears.shared.kernel.business_day import BankCalendar
from arrears.shared.kernel.ids import BorrowerId, LoanKey, StaffId, case_id

LOAN: Final = LoanKey("loan-1@/bank")
CASE: Final = case_id("bank", LOAN, 1)
"""The loan's first."""
BORROWER, MEDIATOR = BorrowerId("borrower-1"), StaffId("mediator-7")
CALENDAR: Final = BankCalendar("Asia/Shanghai")
BOOK: Final = load_policies()
DECIDER: Final = make_mediation_decider(BOOK, CALENDAR)
TODAY: Final = date(2026, 3, 2)
NOW: Final = datetime(2026, 3, 2, 1, 30, tzinfo=UTC)
ANSWERED_AT, SIGNED_AT = NOW + timedelta(days=2), NOW + timedelta(days=4)


# --- Hours and nights


def at(day: date, hour: int = 9) -> datetime:
    return CALENDAR.start_of(day) + timedelta(hours=hour)


def end_of(day: date) -> datetime:
    return at(day, 24)


def wake_after(day: date) -> WakeUp:
    """The timer at the end of that day."""
    return WakeUp(now=end_of(day))


# --- From the referral to a plan

APRIL: Final = Instalment(due_on=date(2026, 4, 1), amount_minor=60_000)
MAY: Final = Instalment(due_on=date(2026, 5, 1), amount_minor=40_000)
PLAN: Final = (APRIL, MAY)
TAKE: Final = TakeMediation(
    case_id=CASE,
    loan_key=LOAN,
    borrower_id=BORROWER,
    referral=4,
    overdue_minor=100_000,
    currency="CNY",
    now=NOW,
)
AT_NIGHT: Final = replace(TAKE, now=CALENDAR.last_minute_of(TODAY))
"""Taken when nobody is written to any more."""
ACCEPT: Final = AnswerInvitation(round=1, accepted=True, instalments=PLAN, now=ANSWERED_AT)
WILLING: Final = AnswerInvitation(round=1, accepted=True, now=ANSWERED_AT)
"""To talk, without a plan."""
DECLINE: Final = AnswerInvitation(round=1, accepted=False, now=ANSWERED_AT)
OFFER: Final = RecordOffer(
    settlement_minor=100_000,
    currency="CNY",
    instalments=PLAN,
    staff_id=MEDIATOR,
    now=ANSWERED_AT,
)


def offer(settlement_minor: int, by: StaffId = MEDIATOR) -> RecordOffer:
    """The bank asks for that much, all at once."""
    whole = (replace(APRIL, amount_minor=settlement_minor),)
    return replace(OFFER, settlement_minor=settlement_minor, instalments=whole, staff_id=by)


def both_sign(now: datetime = SIGNED_AT, offer: int = 1) -> tuple[SignForBorrower, SignForBank]:
    """As gateways say it."""
    return (
        SignForBorrower(round=1, offer=offer, now=now),
        SignForBank(round=1, offer=offer, now=now),
    )


BORROWER_SIGNS, BANK_SIGNS = both_sign()


# --- The agreement, its money and its breach


def agreed(*plan: Instalment) -> tuple[MediationCommand, ...]:
    """All that puts this plan in force, for a case that owes exactly that."""
    take = replace(TAKE, overdue_minor=sum(one.amount_minor for one in plan))
    return (take, replace(ACCEPT, instalments=plan), BORROWER_SIGNS, BANK_SIGNS)


def pay(
    amount_minor: int, on: date = TODAY, repayment_id: str = "", heard_at: datetime | None = None
) -> RecordRepayment:
    """Heard at noon of its value day, unless told otherwise."""
    return RecordRepayment(
        repayment_id=repayment_id or f"pay-{on}",
        amount_minor=amount_minor,
        currency="CNY",
        value_on=on,
        now=heard_at or at(on, 12),
    )


GRACE_ENDS, CURE_ENDS = date(2026, 4, 6), date(2026, 4, 16)
"""Of the first instalment."""
DAY_AFTER: Final = date(2026, 4, 17)
JUNE: Final = replace(MAY, due_on=date(2026, 6, 1))
IN_FORCE: Final = agreed(*PLAN)
APRIL_MISSED: Final = (*IN_FORCE, wake_after(GRACE_ENDS))
BREACHED: Final = (*APRIL_MISSED, wake_after(CURE_ENDS))
IN_TIME: Final = pay(60_000, CURE_ENDS, "p1", at(DAY_AFTER))
"""Paid on the last day, and heard when that was over."""
CONTRADICTED: Final = (*BREACHED, IN_TIME)
RENEW: Final = replace(
    OFFER, settlement_minor=40_000, instalments=(JUNE,), now=at(date(2026, 4, 20))
)
"""The rest, offered anew."""


# --- What that does


def lived(*commands: MediationCommand) -> tuple[MediationEvent, ...]:
    """The history that these commands leave behind."""
    events: tuple[MediationEvent, ...] = ()
    for command in commands:
        events = (*events, *DECIDER.decide(command, DECIDER.fold(events)))
    return events

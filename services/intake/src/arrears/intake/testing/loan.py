"""A loan, the rules of the shipped policy, and what the bank says of it: unless told otherwise,
on 2 March 2026 at 18:00 in its zone, 40 days past due.
"""

from datetime import date, datetime, timedelta
from functools import reduce
from typing import Any, Final, TypeAlias

from msgspec.structs import replace

from arrears.intake.adapters.policies import load_policies
from arrears.intake.domain.facts import CuredFact, OverdueFact, RepaymentFact
from arrears.intake.domain.loan.commands import (
    LoanCommand,
    RecordCured,
    RecordOverdue,
    RecordRepayment,
    WakeUp,
)
from arrears.intake.domain.loan.decisions import make_loan_decider
from arrears.intake.domain.loan.events import LoanEvent
from arrears.intake.domain.loan.state import Case, Loan
from arrears.shared.kernel.business_day import BankCalendar
from arrears.shared.kernel.ids import BorrowerId, LoanKey, StaffId, TenantId, case_id

LOAN: Final = LoanKey("loan-1@/bank")
CASE: Final = case_id("bank", LOAN, 1)
"""The loan's first."""
PERSON, WEI = BorrowerId("person-1"), StaffId("wei")
CALENDAR: Final = BankCalendar("Asia/Shanghai")
DECIDER: Final = make_loan_decider(load_policies(), CALENDAR, TenantId("bank"))
DAY, ONE_DAY = date(2026, 3, 2), timedelta(days=1)
Said: TypeAlias = OverdueFact | RepaymentFact | CuredFact
Recording: TypeAlias = RecordOverdue | RecordRepayment | RecordCured


def evening(day: date) -> datetime:
    """18:00 in the bank's zone: the end of that day is still to come."""
    return CALENDAR.start_of(day) + timedelta(hours=18)


NOW: Final = evening(DAY)


# --- What the bank says


def overdue(day: date = DAY, days: int = 40, **other: Any) -> OverdueFact:
    """It owes 1,000.00 of 9,000.00; nobody says of what parts."""
    fact = OverdueFact(
        source="/bank",
        fact_id=f"overdue-{day}",
        loan_key=LOAN,
        borrower_id=PERSON,
        stated_at=evening(day),
        as_of_on=day,
        days_past_due=days,
        due_on=day - days * ONE_DAY,
        currency="CNY",
        product="loan",
        overdue_minor=100_000,
        principal_minor=None,
        interest_minor=None,
        fees_minor=None,
        balance_minor=900_000,
    )
    return replace(fact, **other)


def repayment(day: date = DAY, amount_minor: int = 1_000, **other: Any) -> RepaymentFact:
    fact = RepaymentFact(
        source="/bank",
        fact_id=f"fact-of-{day}",
        loan_key=LOAN,
        borrower_id=None,
        stated_at=evening(day),
        repayment_id=f"pay-{day}",
        amount_minor=amount_minor,
        currency="CNY",
        value_on=day,
    )
    return replace(fact, **other)


def cured(day: date = DAY, **other: Any) -> CuredFact:
    fact = CuredFact(
        source="/bank",
        fact_id=f"cured-{day}",
        loan_key=LOAN,
        borrower_id=None,
        stated_at=evening(day),
        as_of_on=day,
        days_past_due=0,
        currency="CNY",
        reason="paid_up",
    )
    return replace(fact, **other)


# --- What that does


def command(fact: Said, now: datetime | None = None, late: bool = False) -> Recording:
    """Handled `now`: when it was stated, unless told otherwise."""
    now = now or fact.stated_at
    match fact:
        case OverdueFact():
            return RecordOverdue(fact=fact, home=PERSON, now=now, late=late)
        case RepaymentFact():
            return RecordRepayment(fact=fact, now=now, late=late)
        case CuredFact():
            return RecordCured(fact=fact, now=now, late=late)


def says(loan: Loan, fact: Said, now: datetime | None = None) -> list[LoanEvent]:
    return list(DECIDER.decide(command(fact, now), loan))


def after(*facts: Said) -> Loan:
    """The loan after these facts, each handled when the latest of them so far was stated."""
    loan, now = DECIDER.initial, facts[0].stated_at
    for fact in facts:
        now = max(now, fact.stated_at)
        loan = follow(loan, command(fact, now))
    return loan


def follow(loan: Loan, *commands: LoanCommand) -> Loan:
    for one in commands:
        loan = reduce(DECIDER.evolve, DECIDER.decide(one, loan), loan)
    return loan


def end_of(day: date) -> datetime:
    return CALENDAR.last_minute_of(day)


def wake(day: date) -> WakeUp:
    """The timer at the end of that day."""
    return WakeUp(now=end_of(day))


def case_of(loan: Loan) -> Case:
    assert loan.case is not None
    return loan.case

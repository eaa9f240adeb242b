"""A loan that another borrower owes by now: the streams of all stages are about the first."""

from datetime import UTC, date, datetime, timedelta

import pytest

from arrears.intake.adapters.policies import load_policies
from arrears.intake.domain.facts import OverdueFact
from arrears.intake.domain.loan.commands import LoanCommand, RecordOverdue, ReferCase, WakeUp
from arrears.intake.domain.loan.decisions import make_loan_decider
from arrears.intake.domain.loan.events import CaseReturned, LoanEvent
from arrears.intake.domain.loan.state import Loan
from arrears.shared.kernel.business_day import BankCalendar
from arrears.shared.kernel.decider import Refused
from arrears.shared.kernel.ids import BorrowerId, LoanKey, StaffId, TenantId, case_id

LOAN = LoanKey("loan-1@/bank")
CASE = case_id("bank", LOAN, 1)
DECIDER = make_loan_decider(load_policies(), BankCalendar("Asia/Shanghai"), TenantId("bank"))
DAY = date(2026, 3, 2)
NOON = datetime(2026, 3, 2, 4, 0, tzinfo=UTC)
WEEK = 7


def at(days: int) -> datetime:
    return NOON + timedelta(days=days)


def named(borrower: str, days: int) -> RecordOverdue:
    """What the bank says so many days later."""
    fact = OverdueFact(
        source="/bank",
        fact_id=f"fact-{days}",
        loan_key=LOAN,
        borrower_id=BorrowerId(borrower),
        stated_at=at(days),
        as_of_on=DAY + timedelta(days=days),
        days_past_due=40 + days,
        due_on=DAY - timedelta(days=40),
        currency="CNY",
        product="loan",
        overdue_minor=1_000_000,
        principal_minor=None,
        interest_minor=None,
        fees_minor=None,
        balance_minor=9_000_000,
    )
    return RecordOverdue(fact=fact, now=at(days), late=False)


def after(*commands: LoanCommand) -> tuple[Loan, list[LoanEvent]]:
    """The loan, and what the last command has led to."""
    loan, told = DECIDER.initial, list[LoanEvent]()
    for command in commands:
        told = list(DECIDER.decide(command, loan))
        for event in told:
            loan = DECIDER.evolve(loan, event)
    return loan, told


REFERRED = (named("ben", 0), WakeUp(now=at(1)))


def test_the_stage_that_has_the_case_gives_it_back() -> None:
    _, told = after(*REFERRED, named("anna", WEEK))
    returned = CaseReturned(case_id=CASE, loan_key=LOAN, stage="contact", result="borrower_changed")
    assert returned in told


def test_it_is_referred_to_nobody_by_the_strategy_or_by_staff() -> None:
    loan, _ = after(*REFERRED, named("anna", WEEK))
    assert DECIDER.due(loan, at(100)) is None
    assert not DECIDER.decide(WakeUp(now=at(100)), loan)
    refer = ReferCase(
        case_id=CASE,
        stage="legal",
        treatment="sue",
        reason="by hand",
        staff_id=StaffId("wei"),
        now=at(100),
    )
    with pytest.raises(Refused, match="borrower_changed"):
        DECIDER.decide(refer, loan)


def test_where_the_bank_names_the_first_again_the_ladder_goes_on() -> None:
    loan, told = after(*REFERRED, named("anna", WEEK), named("ben", 2 * WEEK))
    assert not any(isinstance(event, CaseReturned) for event in told)
    assert DECIDER.due(loan, at(2 * WEEK)) is not None


def test_nobody_is_told_of_a_return_where_no_stage_has_the_case() -> None:
    _, told = after(named("ben", 0), named("anna", 1))
    assert not any(isinstance(event, CaseReturned) for event in told)


def test_it_stays_so_in_a_later_case_of_the_loan() -> None:
    loan, _ = after(*REFERRED, named("anna", WEEK), named("carl", 2 * WEEK))
    assert loan.first_borrower_id == "ben"
    assert loan.is_of_another

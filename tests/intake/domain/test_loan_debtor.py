"""A loan that another borrower owes by now: the streams of all stages are about the first."""

from datetime import UTC, datetime, timedelta

import pytest

from arrears.intake.domain.loan.commands import LoanCommand, RecordOverdue, ReferCase, WakeUp
from arrears.intake.domain.loan.events import (
    CaseOpened,
    CaseReferred,
    CaseReturned,
    LoanBorrowerChanged,
    LoanEvent,
    LoanOverdueRecorded,
)
from arrears.intake.domain.loan.state import Loan
from arrears.intake.testing.loan import CASE, DAY, DECIDER, LOAN, overdue
from arrears.shared.kernel.decider import Refused
from arrears.shared.kernel.ids import BorrowerId, StaffId

NOON = datetime(2026, 3, 2, 4, 0, tzinfo=UTC)
WEEK = 7
ANNA, BEN = BorrowerId("anna"), BorrowerId("ben")


def at(days: int) -> datetime:
    return NOON + timedelta(days=days)


def named(borrower: str | None, days: int) -> RecordOverdue:
    """What the bank says so many days later of a loan whose streams are about Ben."""
    fact = overdue(
        DAY + timedelta(days=days),
        40 + days,
        borrower_id=None if borrower is None else BorrowerId(borrower),
        stated_at=at(days),
    )
    return RecordOverdue(fact=fact, home=BEN, now=at(days), late=False)


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


@pytest.mark.parametrize("later", ["ben", None])
def test_figures_that_name_nobody_are_of_whom_an_earlier_fact_has_named(later: str | None) -> None:
    _, told = after(named(None, 0))
    assert [e.borrower_id for e in told if isinstance(e, LoanOverdueRecorded | CaseOpened)] == [
        "ben",
        "ben",
    ]
    loan, told = after(named(None, 0), named(later, 1))
    assert not any(isinstance(event, LoanBorrowerChanged) for event in told)
    assert not loan.is_of_another
    *_, referred = DECIDER.decide(WakeUp(now=at(2)), loan)
    assert isinstance(referred, CaseReferred)


def test_first_figures_that_name_another_than_an_earlier_fact_are_a_change_of_debtor() -> None:
    """A repayment has named Ben before: contact knows the loan by him, and Anna owes it."""
    loan, told = after(named("anna", 0))
    assert LoanBorrowerChanged(loan_key=LOAN, case_id=CASE, was=BEN, now_is=ANNA) in told
    assert loan.is_of_another
    assert DECIDER.due(loan, at(100)) is None

"""While a promise is pending the ladder waits; whatever ends it sets the ladder going again."""

from datetime import date, datetime, timedelta
from functools import reduce

import pytest
from msgspec.structs import replace

from arrears.intake.adapters.policies import load_policies
from arrears.intake.domain.facts import OverdueFact
from arrears.intake.domain.loan.commands import LoanCommand, RecordOverdue, ReportStage, WakeUp
from arrears.intake.domain.loan.decisions import make_loan_decider
from arrears.intake.domain.loan.events import CaseReferred
from arrears.intake.domain.loan.state import Case, Loan
from arrears.shared.kernel.business_day import BankCalendar
from arrears.shared.kernel.ids import BorrowerId, LoanKey, TenantId, case_id

LOAN = LoanKey("loan-1@/bank")
CASE = case_id("bank", LOAN, 1)
CALENDAR = BankCalendar("Asia/Shanghai")
DECIDER = make_loan_decider(load_policies(), CALENDAR, TenantId("bank"))
DAY, ONE_DAY = date(2026, 3, 2), timedelta(days=1)
JUDGED_ON = DAY + 10 * ONE_DAY


def evening(day: date) -> datetime:
    return CALENDAR.start_of(day) + timedelta(hours=18)


def follow(loan: Loan, *commands: LoanCommand) -> Loan:
    for command in commands:
        loan = reduce(DECIDER.evolve, DECIDER.decide(command, loan), loan)
    return loan


def told(report: str, promise_id: str = "p-1", day: date = DAY) -> ReportStage:
    return ReportStage(
        case_id=CASE,
        stage="contact",
        report=report,
        report_id=f"{report}-{promise_id}",
        promise_id=promise_id,
        now=evening(day),
    )


def case_of(loan: Loan) -> Case:
    assert loan.case is not None
    return loan.case


OVERDUE = RecordOverdue(
    fact=OverdueFact(
        source="/bank",
        fact_id="overdue",
        loan_key=LOAN,
        borrower_id=BorrowerId("person-1"),
        stated_at=evening(DAY),
        as_of_on=DAY,
        days_past_due=40,
        due_on=DAY - 40 * ONE_DAY,
        currency="CNY",
        product="loan",
        overdue_minor=500_000,
        principal_minor=None,
        interest_minor=None,
        fees_minor=None,
        balance_minor=900_000,
    ),
    home=BorrowerId("person-1"),
    now=evening(DAY),
)
REMIND = WakeUp(now=CALENDAR.last_minute_of(DAY))
REMINDED = replace(
    told("treatment_completed"), treatment="remind", referral=1, result="reached", promise_id=None
)
PROMISED = follow(DECIDER.initial, OVERDUE, REMIND, REMINDED, told("promise_made"))


def test_while_it_is_pending_nothing_is_due() -> None:
    assert DECIDER.due(PROMISED, evening(DAY)) is None
    assert not DECIDER.decide(WakeUp(now=evening(DAY + 9 * ONE_DAY)), PROMISED)


@pytest.mark.parametrize(
    ("report", "broken"),
    [
        ("promise_kept", 0),
        ("promise_partly_kept", 0),
        ("promise_broken", 1),
        ("promise_lapsed", 0),
    ],
)
def test_when_it_ends_the_days_to_the_next_step_begin(report: str, broken: int) -> None:
    ended = follow(PROMISED, told(report, day=JUDGED_ON))
    assert (case_of(ended).promise_id, case_of(ended).promises_broken) == (None, broken)
    due = CALENDAR.last_minute_of(JUDGED_ON + 3 * ONE_DAY)
    assert DECIDER.due(ended, evening(JUDGED_ON)) == due
    (referred,) = DECIDER.decide(WakeUp(now=due), ended)
    assert isinstance(referred, CaseReferred)
    assert referred.treatment == "call"


@pytest.mark.parametrize(("report", "broken"), [("promise_broken", 1), ("promise_lapsed", 0)])
def test_the_end_of_another_promise_leaves_the_pending_one(report: str, broken: int) -> None:
    other = follow(PROMISED, told(report, "p-0"))
    assert (case_of(other).promise_id, case_of(other).promises_broken) == ("p-1", broken)

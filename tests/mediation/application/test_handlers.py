"""What mediators do reaches the stream of the case, in their name."""

from datetime import UTC, date, datetime

from arrears.mediation.application import handlers
from arrears.mediation.application.projections.case_list import Row
from arrears.mediation.domain.mediation.commands import (
    RecordDecline,
    RecordOffer,
    SignForBank,
    SignForBorrower,
)
from arrears.mediation.domain.plan import Instalment
from arrears.shared.kernel.ids import BorrowerId, CaseId, LoanKey, StaffId
from arrears.shared.kernel.reaction import Issue

NOW = datetime(2026, 3, 2, 1, 30, tzinfo=UTC)
STAFF = StaffId("mediator-7")
PLAN = (Instalment(due_on=date(2026, 4, 1), amount_minor=100_000),)
CASE = Row(
    case_id=CaseId("case-1"),
    loan_key=LoanKey("loan-1@/core-banking/test"),
    borrower_id=BorrowerId("borrower-1"),
    round=1,
    status="invited",
    overdue_minor=100_000,
    currency="CNY",
    next_step_by_on=date(2026, 3, 17),
)


def issue(command: object) -> Issue:
    return Issue(category="mediation.mediation", key="case-1", command=command)


def test_record_an_offer() -> None:
    made = handlers.record_offer(
        CASE,
        settlement_minor=100_000,
        currency="CNY",
        instalments=list(PLAN),
        staff_id=STAFF,
        now=NOW,
    )
    assert made == issue(
        RecordOffer(
            settlement_minor=100_000, currency="CNY", instalments=PLAN, staff_id=STAFF, now=NOW
        )
    )


def test_sign_and_decline() -> None:
    for_bank = SignForBank(staff_id=STAFF, now=NOW)
    assert handlers.sign_for_bank(CASE, staff_id=STAFF, now=NOW) == issue(for_bank)
    for_borrower = SignForBorrower(staff_id=STAFF, now=NOW)
    assert handlers.sign_for_borrower(CASE, staff_id=STAFF, now=NOW) == issue(for_borrower)
    declined = RecordDecline(staff_id=STAFF, now=NOW)
    assert handlers.record_decline(CASE, staff_id=STAFF, now=NOW) == issue(declined)

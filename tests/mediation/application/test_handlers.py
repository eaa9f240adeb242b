"""What mediators do reaches the stream of the case, in their name."""

from datetime import date

from arrears.mediation.application import handlers
from arrears.mediation.application.projections.case_list import Row
from arrears.mediation.domain.mediation.commands import (
    RecordDecline,
    RecordOffer,
    SignForBank,
    SignForBorrower,
)
from arrears.mediation.testing.case import BORROWER, CASE, LOAN, MEDIATOR, NOW, PLAN
from arrears.shared.kernel.reaction import Issue

ROW = Row(
    case_id=CASE,
    loan_key=LOAN,
    borrower_id=BORROWER,
    round=1,
    status="invited",
    overdue_minor=100_000,
    currency="CNY",
    next_step_by_on=date(2026, 3, 17),
)


def issue(command: object) -> Issue:
    return Issue(category="mediation.mediation", key=CASE, command=command)


def test_record_an_offer() -> None:
    made = handlers.record_offer(
        ROW,
        settlement_minor=100_000,
        currency="CNY",
        instalments=list(PLAN),
        staff_id=MEDIATOR,
        now=NOW,
    )
    assert made == issue(
        RecordOffer(
            settlement_minor=100_000, currency="CNY", instalments=PLAN, staff_id=MEDIATOR, now=NOW
        )
    )


def test_sign_and_decline() -> None:
    for_bank = SignForBank(staff_id=MEDIATOR, now=NOW)
    assert handlers.sign_for_bank(ROW, staff_id=MEDIATOR, now=NOW) == issue(for_bank)
    for_borrower = SignForBorrower(staff_id=MEDIATOR, now=NOW)
    assert handlers.sign_for_borrower(ROW, staff_id=MEDIATOR, now=NOW) == issue(for_borrower)
    declined = RecordDecline(staff_id=MEDIATOR, now=NOW)
    assert handlers.record_decline(ROW, staff_id=MEDIATOR, now=NOW) == issue(declined)

"""What lawyers do reaches the stream of the case, in their name."""

from datetime import UTC, date, datetime

import pytest

from arrears.legal.application import handlers
from arrears.legal.application.projections.case_list import Row
from arrears.legal.domain.claim.commands import (
    ApplyForEnforcement,
    ApproveFiling,
    CloseEnforcement,
    EndSuit,
    EnterJudgment,
    NoteDemand,
)
from arrears.shared.kernel.ids import BorrowerId, CaseId, LoanKey, StaffId
from arrears.shared.kernel.reaction import Issue

NOW = datetime(2026, 3, 2, 1, 30, tzinfo=UTC)
STAFF = StaffId("lawyer-3")
CASE = Row(
    case_id=CaseId("case-1"),
    loan_key=LoanKey("loan-1@/core-banking/test"),
    borrower_id=BorrowerId("borrower-1"),
    status="refused",
    currency="CNY",
    total_minor=100_000,
    expires_on=date(2029, 3, 2),
)


@pytest.mark.parametrize(
    ("made", "command"),
    [
        (
            handlers.record_demand(
                CASE,
                total_minor=7,
                currency="CNY",
                delivered_at=NOW,
                staff_id=STAFF,
                now=NOW,
            ),
            NoteDemand(
                case_id=CASE.case_id,
                loan_key=CASE.loan_key,
                total_minor=7,
                currency="CNY",
                delivered_at=NOW,
                staff_id=STAFF,
                now=NOW,
            ),
        ),
        (
            handlers.approve_filing(CASE, despite_limitation=True, staff_id=STAFF, now=NOW),
            ApproveFiling(staff_id=STAFF, despite_limitation=True, now=NOW),
        ),
        (
            handlers.enter_judgment(
                CASE,
                awarded_minor=7,
                currency="CNY",
                obey_by_on=date(2026, 4, 1),
                staff_id=STAFF,
                now=NOW,
            ),
            EnterJudgment(
                awarded_minor=7,
                currency="CNY",
                obey_by_on=date(2026, 4, 1),
                staff_id=STAFF,
                now=NOW,
            ),
        ),
        (
            handlers.end_suit(
                CASE, result="withdrawn", reason="papers missing", staff_id=STAFF, now=NOW
            ),
            EndSuit(result="withdrawn", reason="papers missing", staff_id=STAFF, now=NOW),
        ),
        (
            handlers.apply_for_enforcement(CASE, staff_id=STAFF, now=NOW),
            ApplyForEnforcement(staff_id=STAFF, now=NOW),
        ),
        (
            handlers.close_enforcement(CASE, staff_id=STAFF, now=NOW),
            CloseEnforcement(staff_id=STAFF, now=NOW),
        ),
    ],
)
def test_becomes_a_command_in_the_name_of_staff(made: Issue, command: object) -> None:
    assert made == Issue(category="legal.claim", key="case-1", command=command)

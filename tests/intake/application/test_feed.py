"""The glue between a fact and its stream, and between a person and a case."""

import pytest

from arrears.intake.application import handlers
from arrears.intake.application.feed import fact_to_issue, profile_to_issue
from arrears.intake.domain.borrower import RecordProfile, SealedPoint
from arrears.intake.domain.facts import (
    ClearPoint,
    LoanFact,
    ProfileFact,
)
from arrears.intake.domain.loan.commands import (
    CloseCase,
    HoldCase,
    RecordCured,
    RecordOverdue,
    RecordRepayment,
    ReferCase,
    ReleaseCase,
    ReturnCase,
)
from arrears.intake.testing.loan import CASE, DAY, LOAN, NOW, WEI, cured, overdue, repayment
from arrears.shared.kernel.ids import BorrowerId
from arrears.shared.kernel.reaction import Issue

OVERDUE, REPAYMENT, CURED = overdue(), repayment(), cured()
ANNA = BorrowerId("anna")
PROFILE = ProfileFact(
    source="/bank",
    fact_id="fact-4",
    borrower_id=BorrowerId("person-1"),
    stated_at=NOW,
    points=(ClearPoint("phone", "138"), ClearPoint("email", "a@b")),
    zone=None,
    language="zh",
)


@pytest.mark.parametrize(
    ("fact", "command"),
    [
        (OVERDUE, RecordOverdue(fact=OVERDUE, home=ANNA, now=NOW, late=True)),
        (REPAYMENT, RecordRepayment(fact=REPAYMENT, now=NOW, late=True)),
        (CURED, RecordCured(fact=CURED, now=NOW, late=True)),
    ],
)
def test_a_fact_goes_to_its_loan(fact: LoanFact, command: object) -> None:
    assert fact_to_issue(fact, ANNA, NOW, late=True) == Issue("intake.loan", LOAN, command)


def test_a_profile_goes_to_its_borrower_with_sealed_points_alone() -> None:
    issue = profile_to_issue(PROFILE, ["sealed-1", "sealed-2"], NOW, late=False)
    assert issue == Issue(
        "intake.borrower",
        "person-1",
        RecordProfile(
            borrower_id=BorrowerId("person-1"),
            fact_id="fact-4",
            stated_at=NOW,
            contact_points=(
                SealedPoint(kind="phone", sealed="sealed-1"),
                SealedPoint(kind="email", sealed="sealed-2"),
            ),
            zone=None,
            language="zh",
            now=NOW,
            late=False,
        ),
    )
    with pytest.raises(ValueError, match="shorter"):
        profile_to_issue(PROFILE, ["sealed-1"], NOW, late=False)


def test_people_speak_to_the_loans_stream() -> None:
    assert [
        handlers.hold_case(LOAN, CASE, reason="dispute", until_on=DAY, staff_id=WEI, now=NOW),
        handlers.release_case(LOAN, CASE, reason="why", hold="death", staff_id=WEI, now=NOW),
        handlers.refer_case(
            LOAN, CASE, stage="legal", treatment="sue", reason="why", staff_id=WEI, now=NOW
        ),
        handlers.return_case(LOAN, CASE, reason="why", staff_id=WEI, now=NOW),
        handlers.close_case(LOAN, CASE, reason="why", outcome="settled", staff_id=WEI, now=NOW),
    ] == [
        Issue("intake.loan", LOAN, command)
        for command in (
            HoldCase(case_id=CASE, reason="dispute", until_on=DAY, staff_id=WEI, now=NOW),
            ReleaseCase(case_id=CASE, reason="why", staff_id=WEI, now=NOW, hold="death"),
            ReferCase(
                case_id=CASE,
                stage="legal",
                treatment="sue",
                reason="why",
                staff_id=WEI,
                now=NOW,
            ),
            ReturnCase(case_id=CASE, reason="why", staff_id=WEI, now=NOW),
            CloseCase(case_id=CASE, reason="why", staff_id=WEI, now=NOW, outcome="settled"),
        )
    ]

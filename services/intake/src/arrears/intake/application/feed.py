"""From a fact of the feed to a command for one of our streams. Pure glue.

A profile's contact points must be sealed with the borrower's key before anything is decided, so a
profile has its own function that takes them sealed. A day's closing is for the owner of the days.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import assert_never

from arrears.intake.domain import borrower
from arrears.intake.domain.borrower import RecordProfile, SealedPoint
from arrears.intake.domain.facts import (
    CuredFact,
    LoanFact,
    OverdueFact,
    ProfileFact,
    RepaymentFact,
)
from arrears.intake.domain.loan import decisions
from arrears.intake.domain.loan.commands import RecordCured, RecordOverdue, RecordRepayment
from arrears.shared.kernel.ids import BorrowerId
from arrears.shared.kernel.reaction import Issue


def fact_to_issue(fact: LoanFact, home: BorrowerId, now: datetime, late: bool) -> Issue:
    """`home` is whose the loan's stream is (protocol 1.1). `late`: the fact is dated before the day
    on which it is handled (protocol 3.1)."""
    command: RecordOverdue | RecordRepayment | RecordCured
    match fact:
        case OverdueFact():
            command = RecordOverdue(fact=fact, home=home, now=now, late=late)
        case RepaymentFact():
            command = RecordRepayment(fact=fact, now=now, late=late)
        case CuredFact():
            command = RecordCured(fact=fact, now=now, late=late)
        case _:
            assert_never(fact)
    return Issue(decisions.CATEGORY, fact.loan_key, command)


def profile_to_issue(fact: ProfileFact, sealed: Sequence[str], now: datetime, late: bool) -> Issue:
    """`sealed` holds the value of each of `fact.points`, encrypted, in the same order."""
    return Issue(
        borrower.CATEGORY,
        fact.borrower_id,
        RecordProfile(
            borrower_id=fact.borrower_id,
            fact_id=fact.fact_id,
            stated_at=fact.stated_at,
            contact_points=tuple(
                SealedPoint(kind=point.kind, sealed=value)
                for point, value in zip(fact.points, sealed, strict=True)
            ),
            zone=fact.zone,
            language=fact.language,
            now=now,
            late=late,
        ),
    )

"""Who could not be reached raises the risk, until a word of theirs or a delivery is told."""

from collections.abc import Sequence
from datetime import date

import pytest

from arrears.intake.domain.loan.commands import LoanCommand, ReportStage
from arrears.intake.domain.loan.events import CaseAssessed, LoanEvent
from arrears.intake.domain.loan.state import Loan
from arrears.intake.testing.loan import (
    CASE,
    DAY,
    DECIDER,
    ONE_DAY,
    case_of,
    command,
    evening,
    follow,
    overdue,
    wake,
)

CALLED_ON = DAY + 3 * ONE_DAY


def says_overdue(days: int, day: date = DAY) -> LoanCommand:
    return command(overdue(day, days, overdue_minor=500_000))


def reports(
    report: str, result: str | None = None, referral: int | None = None, stage: str = "contact"
) -> ReportStage:
    return ReportStage(
        case_id=CASE,
        stage=stage,
        report=report,
        report_id=f"{report}-{result}-{referral}",
        now=evening(CALLED_ON),
        result=result,
        referral=referral,
        until_on=CALLED_ON,
        promise_id="p-1" if "promise" in report else None,
    )


def completes(referral: int, result: str) -> ReportStage:
    return reports("treatment_completed", result, referral)


def decides(command: LoanCommand, loan: Loan) -> Sequence[LoanEvent]:
    return tuple(DECIDER.decide(command, loan))


BOUNCED = follow(
    DECIDER.initial,
    says_overdue(40),
    wake(DAY),
    reports("unreachable_reported"),
    completes(1, "unreachable"),
)
CALLING = follow(BOUNCED, wake(CALLED_ON + 3 * ONE_DAY))

HEARD: list[tuple[ReportStage, bool]] = [
    (completes(2, "reached"), False),
    (reports("promise_made"), False),
    (reports("refusal_reported"), False),
    (reports("hardship_reported"), False),
    (reports("agreement_signed", stage="mediation"), False),
    (completes(2, "unreachable"), True),
    (completes(2, "stopped"), True),
    (completes(1, "reached"), True),  # Of a referral that is over: older than what is known.
    (reports("unreachable_reported"), True),
    (reports("promise_broken"), True),
    (reports("demand_returned"), True),
    (reports("mediation_failed", "failed", stage="mediation"), True),
]


@pytest.mark.parametrize(
    ("told", "unreachable"),
    HEARD,
    ids=[f"{told.report}-{told.result}-{told.referral}" for told, _ in HEARD],
)
def test_whoever_was_reached_or_has_spoken_is_not_unreachable(
    told: ReportStage, unreachable: bool
) -> None:
    assert (case_of(CALLING).treatment, case_of(CALLING).unreachable) == ("call", True)
    assert case_of(follow(CALLING, told)).unreachable is unreachable


def test_the_risk_falls_with_the_call_that_was_answered() -> None:
    (assessed,) = (e for e in decides(completes(2, "reached"), CALLING) if type(e) is CaseAssessed)
    assert (assessed.risk, assessed.reasons) == ("low", ("dpd_30",))
    assert not assessed.inputs.unreachable
    before = case_of(CALLING).assessed
    assert before is not None
    assert (before.risk, before.reasons) == ("medium", ("dpd_30", "unreachable"))


@pytest.mark.parametrize(("result", "visited"), [("reached", False), ("unreachable", True)])
def test_nobody_is_visited_for_a_message_that_bounced_before_they_were_reached(
    result: str, visited: bool
) -> None:
    """A visit is for a medium risk; from 45 days past due."""
    demanded_on = CALLED_ON + 6 * ONE_DAY
    loan = follow(CALLING, completes(2, result), wake(demanded_on), completes(3, result))
    assert case_of(loan).done[-1].treatment == "demand"
    later = demanded_on + 9 * ONE_DAY
    loan = follow(loan, says_overdue(49, later), wake(later))
    assert (case_of(loan).treatment == "visit") is visited


def test_who_cannot_be_reached_again_is_unreachable_again() -> None:
    loan = follow(CALLING, completes(2, "reached"), reports("unreachable_reported"))
    assert case_of(loan).unreachable

"""While a promise is pending the ladder waits; whatever ends it sets the ladder going again."""

from datetime import date

import pytest
from msgspec.structs import replace

from arrears.intake.domain.loan.commands import ReportStage, WakeUp
from arrears.intake.domain.loan.events import CaseReferred
from arrears.intake.testing.loan import (
    CALENDAR,
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

JUDGED_ON = DAY + 10 * ONE_DAY


def told(report: str, promise_id: str = "p-1", day: date = DAY) -> ReportStage:
    return ReportStage(
        case_id=CASE,
        stage="contact",
        report=report,
        report_id=f"{report}-{promise_id}",
        promise_id=promise_id,
        now=evening(day),
    )


REMIND = wake(DAY)
REMINDED = replace(
    told("treatment_completed"), treatment="remind", referral=1, result="reached", promise_id=None
)
OVERDUE = command(overdue(overdue_minor=500_000))
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

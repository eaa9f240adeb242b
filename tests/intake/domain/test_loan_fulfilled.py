"""After a fulfilled agreement or a paid judgment: that is over, and what falls due later is new."""

from datetime import date

import pytest
from msgspec.structs import replace

from arrears.intake.domain.loan.commands import (
    CloseCase,
    LoanCommand,
    ReferCase,
    ReportStage,
)
from arrears.intake.domain.loan.events import CaseReferred
from arrears.intake.testing.loan import (
    CALENDAR,
    CASE,
    DECIDER,
    ONE_DAY,
    WEI,
    case_of,
    command,
    evening,
    follow,
    overdue,
    wake,
)
from arrears.shared.kernel.decider import Refused

MARCH_1, FULFILLED_ON, SEPTEMBER_1 = date(2026, 3, 1), date(2026, 3, 20), date(2026, 9, 1)
LONG_AFTER = date(2027, 9, 1)


def says_overdue(day: date, days: int) -> LoanCommand:
    return command(overdue(day, days, overdue_minor=2_000_000, balance_minor=3_000_000))


def reports(report: str, day: date, result: str | None = None) -> ReportStage:
    return ReportStage(
        case_id=CASE,
        stage="mediation",
        report=report,
        report_id=f"{report}-{day}",
        now=evening(day),
        result=result,
        treatment="mediate" if result else None,
    )


KEPT = follow(
    DECIDER.initial,
    says_overdue(MARCH_1, 70),
    ReferCase(
        case_id=CASE,
        stage="mediation",
        treatment="mediate",
        reason="asked for",
        staff_id=WEI,
        now=evening(MARCH_1),
    ),
    reports("agreement_signed", MARCH_1),
    reports("agreement_fulfilled", FULFILLED_ON, "fulfilled"),
)
SETTLE = CloseCase(
    case_id=CASE, reason="waived", staff_id=WEI, now=evening(LONG_AFTER), outcome="settled"
)


def test_the_case_waits_for_the_bank() -> None:
    assert DECIDER.due(KEPT, evening(FULFILLED_ON)) is None


@pytest.mark.parametrize("due_on", [MARCH_1 - 70 * ONE_DAY, FULFILLED_ON - ONE_DAY])
def test_nothing_follows_from_arrears_that_it_settled(due_on: date) -> None:
    """The bank still tells of what the agreement let the borrower off: staff close the case."""
    loan = follow(KEPT, says_overdue(SEPTEMBER_1, (SEPTEMBER_1 - due_on).days))
    assert DECIDER.due(loan, evening(LONG_AFTER)) is None
    assert not DECIDER.decide(wake(LONG_AFTER), loan)
    assert case_of(follow(loan, SETTLE)).closed == "settled"


@pytest.mark.parametrize("due_on", [FULFILLED_ON, SEPTEMBER_1 - 95 * ONE_DAY])
def test_arrears_of_a_later_due_day_begin_the_ladder_again(due_on: date) -> None:
    loan = follow(KEPT, says_overdue(SEPTEMBER_1, (SEPTEMBER_1 - due_on).days))
    assert DECIDER.due(loan, evening(SEPTEMBER_1)) == CALENDAR.last_minute_of(SEPTEMBER_1)
    (sent,) = DECIDER.decide(wake(SEPTEMBER_1), loan)
    assert isinstance(sent, CaseReferred)
    assert (sent.stage, sent.treatment, sent.referral) == ("contact", "remind", 2)
    with pytest.raises(Refused, match="no_fulfilled_agreement"):
        DECIDER.decide(SETTLE, loan)


@pytest.mark.parametrize(
    ("report", "result"),
    [
        ("judgment_obeyed", "obeyed"),
        ("enforcement_closed", "recovered_in_full"),
        ("claim_ended", "settled"),
    ],
)
def test_so_do_those_after_what_was_awarded_has_been_paid(report: str, result: str) -> None:
    sued = follow(
        DECIDER.initial,
        says_overdue(MARCH_1, 70),
        ReferCase(
            case_id=CASE,
            stage="legal",
            treatment="sue",
            reason="asked for",
            staff_id=WEI,
            now=evening(MARCH_1),
        ),
    )
    told = replace(reports(report, FULFILLED_ON, result), stage="legal", treatment="sue")
    paid = follow(sued, told)
    assert DECIDER.due(follow(paid, says_overdue(SEPTEMBER_1, 250)), evening(SEPTEMBER_1)) is None
    loan = follow(paid, says_overdue(SEPTEMBER_1, 95))
    (sent,) = DECIDER.decide(wake(SEPTEMBER_1), loan)
    assert isinstance(sent, CaseReferred)
    assert (sent.stage, sent.treatment) == ("contact", "remind")


def test_no_suit_follows_from_the_talks_about_the_old_arrears() -> None:
    assert case_of(follow(KEPT, says_overdue(SEPTEMBER_1, 95))).done == ()


def test_what_the_bank_says_while_an_agreement_is_kept_leaves_it() -> None:
    again = follow(KEPT, reports("agreement_signed", SEPTEMBER_1))
    loan = follow(again, says_overdue(SEPTEMBER_1 + ONE_DAY, 10))
    assert case_of(loan).agreement == "in_force"
    assert DECIDER.due(loan, evening(LONG_AFTER)) is None

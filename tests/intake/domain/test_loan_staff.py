"""People's commands: each needs a case, a name and a reason, and does nothing twice."""

from datetime import timedelta
from typing import Any

import pytest
from msgspec.structs import replace

from arrears.intake.domain.loan.commands import (
    CloseCase,
    HoldCase,
    LoanCommand,
    ReferCase,
    ReleaseCase,
    ReturnCase,
    WakeUp,
)
from arrears.intake.domain.loan.events import (
    CaseClosed,
    CaseHeld,
    CaseOpened,
    CaseReferred,
    LoanCuredRecorded,
    LoanEvent,
    LoanOverdueRecorded,
    StageReported,
)
from arrears.intake.testing.loan import CASE, DAY, DECIDER, LOAN, NOW, WEI, command, overdue
from arrears.shared.kernel.ids import CaseId
from arrears.shared.testing.decider_spec import DeciderSpec

given = DeciderSpec(DECIDER).given

ARREARS = command(overdue(overdue_minor=500_000))
OVERDUE, OPENED, *_ = DECIDER.decide(ARREARS, DECIDER.initial)
OPEN: tuple[LoanEvent, ...] = (OVERDUE, OPENED)
HELD = CaseHeld(
    case_id=CASE, loan_key=LOAN, reason="dispute", until_on=None, staff_id=WEI, note="wrong sum"
)
CLOSED = CaseClosed(
    case_id=CASE,
    loan_key=LOAN,
    reason="uncollectible",
    closed_at=NOW,
    closed_on=DAY,
    result="no heirs",
    staff_id=WEI,
)
VISITED = CaseReferred(
    case_id=CASE,
    loan_key=LOAN,
    episode=1,
    referral=1,
    stage="contact",
    treatment="visit",
    rule="by_hand",
    reason="asked for a talk at home",
    days_past_due=40,
    due_on=DAY - timedelta(days=40),
    overdue_minor=500_000,
    balance_minor=900_000,
    currency="CNY",
    product="loan",
    risk="low",
    decided_on=DAY,
    policy_id="cn-default",
    policy_version=1,
    staff_id=WEI,
    as_of_on=DAY,
)
SIGNED = StageReported(
    case_id=CASE,
    loan_key=LOAN,
    stage="mediation",
    report="agreement_signed",
    report_id="signed-1",
    review_on=DAY,
)

HOLD = HoldCase(
    case_id=CASE, reason="dispute", until_on=None, staff_id=WEI, now=NOW, note="wrong sum"
)
RELEASE = ReleaseCase(case_id=CASE, reason="sum confirmed", staff_id=WEI, now=NOW)
REFER = ReferCase(
    case_id=CASE,
    stage="contact",
    treatment="visit",
    reason="asked for a talk at home",
    staff_id=WEI,
    now=NOW,
)
RETURN = ReturnCase(case_id=CASE, reason="sent by mistake", staff_id=WEI, now=NOW)
CLOSE = CloseCase(case_id=CASE, reason="no heirs", staff_id=WEI, now=NOW)
ALL = (HOLD, RELEASE, REFER, RETURN, CLOSE)


def test_the_named_events_are_what_the_first_fact_leaves() -> None:
    assert isinstance(OVERDUE, LoanOverdueRecorded)
    assert isinstance(OPENED, CaseOpened)


@pytest.mark.parametrize("command", ALL)
class TestEveryCommand:
    def test_needs_the_running_case(self, command: LoanCommand) -> None:
        given().when(command).then_refused("case_unknown")
        other = replace(command, case_id=CaseId("another"))
        given(*OPEN).when(other).then_refused("case_unknown")

    def test_the_case_of_an_episode_that_has_ended_is_closed(self, command: LoanCommand) -> None:
        cured = LoanCuredRecorded(
            loan_key=LOAN,
            case_id=CASE,
            fact_id="cured-1",
            as_of_on=DAY,
            reason="paid_up",
            currency="CNY",
            stated_at=NOW,
            late=False,
            outdated=False,
        )
        given(*OPEN, cured).when(command).then_refused("case_closed")
        later = NOW + timedelta(days=7)
        told = replace(
            ARREARS.fact,
            fact_id="overdue-2",
            stated_at=later,
            as_of_on=later.date(),
            days_past_due=47,
        )
        again = replace(ARREARS, fact=told, now=later)
        opened = DECIDER.decide(again, DECIDER.fold((*OPEN, cured)))
        given(*OPEN, cured, *opened).when(command).then_refused("case_closed")

    def test_needs_a_reason_of_some_words(self, command: Any) -> None:
        given(*OPEN).when(replace(command, reason="")).then_refused("wrong_length")
        given(*OPEN).when(replace(command, reason="x" * 501)).then_refused("wrong_length")
        given(*OPEN).when(replace(command, reason="a\u0000")).then_refused("control_characters")

    def test_needs_a_name(self, command: Any) -> None:
        given(*OPEN).when(replace(command, staff_id="")).then_refused("wrong_length")

    def test_is_refused_on_a_closed_case(self, command: LoanCommand) -> None:
        spec = given(*OPEN, CLOSED).when(command)
        if isinstance(command, CloseCase):
            spec.then_nothing_happens()
        else:
            spec.then_refused("case_closed")


class TestRefer:
    def test_sends_the_case_where_staff_say(self) -> None:
        given(*OPEN).when(REFER).then(VISITED)

    def test_twice_is_once_while_it_is_there(self) -> None:
        given(*OPEN, VISITED).when(REFER).then_nothing_happens()

    def test_again_once_the_first_has_ended(self) -> None:
        visited = StageReported(
            case_id=CASE,
            loan_key=LOAN,
            stage="contact",
            report="treatment_completed",
            report_id="done-1",
            review_on=DAY,
            treatment="visit",
            referral=1,
        )
        given(*OPEN, VISITED, visited).when(REFER).then(replace(VISITED, referral=2))

    def test_elsewhere_takes_the_place_of_the_first(self) -> None:
        given(*OPEN, VISITED).when(replace(REFER, stage="legal", treatment="sue")).then(
            replace(VISITED, stage="legal", treatment="sue", referral=2)
        )

    @pytest.mark.parametrize(
        ("stage", "treatment", "reason"),
        [
            ("police", "arrest", "unknown_stage"),
            ("contact", "sue", "unknown_treatment"),
            ("legal", "visit", "unknown_treatment"),
        ],
    )
    def test_only_what_a_stage_can_do(self, stage: str, treatment: str, reason: str) -> None:
        given(*OPEN).when(replace(REFER, stage=stage, treatment=treatment)).then_refused(reason)

    def test_not_while_it_is_held(self) -> None:
        given(*OPEN, HELD).when(REFER).then_refused("case_held")

    def test_not_while_an_agreement_is_kept(self) -> None:
        given(*OPEN, SIGNED).when(REFER).then_refused("agreement_in_force")


class TestClose:
    SETTLE = replace(CLOSE, outcome="settled", reason="the rest is waived")
    SETTLED = replace(CLOSED, reason="settled", result="the rest is waived")
    FULFILLED = replace(SIGNED, report="agreement_fulfilled", report_id="fulfilled-1")

    def test_as_settled_once_an_agreement_was_fulfilled(self) -> None:
        given(*OPEN, SIGNED, self.FULFILLED).when(self.SETTLE).then(self.SETTLED)
        history = (*OPEN, SIGNED, self.FULFILLED, self.SETTLED)
        given(*history).when(self.SETTLE).then_nothing_happens()
        given(*history).when(CLOSE).then_refused("case_closed")
        assert given(*history).is_due(NOW) is None

    @pytest.mark.parametrize("report", [None, "agreement_signed", "agreement_breached"])
    def test_not_as_settled_without_one(self, report: str | None) -> None:
        history = OPEN if report is None else (*OPEN, replace(SIGNED, report=report))
        given(*history).when(self.SETTLE).then_refused("no_fulfilled_agreement")

    def test_not_as_cured(self) -> None:
        given(*OPEN).when(replace(CLOSE, outcome="cured")).then_refused("unknown_outcome")

    def test_gives_the_case_up_and_nobody_acts_on_it_again(self) -> None:
        given(*OPEN).when(CLOSE).then(CLOSED)
        given(*OPEN, CLOSED).when(WakeUp(now=NOW)).then_nothing_happens()
        assert given(*OPEN, CLOSED).is_due(NOW) is None

"""People's commands: each needs a case, a name and a reason, and does nothing twice."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import msgspec
import pytest
from msgspec.structs import replace

from arrears.intake.adapters.policies import load_policies
from arrears.intake.domain.facts import OverdueFact
from arrears.intake.domain.loan.commands import (
    CloseCase,
    HoldCase,
    LoanCommand,
    RecordOverdue,
    ReferCase,
    ReleaseCase,
    ReportStage,
    ReturnCase,
    WakeUp,
)
from arrears.intake.domain.loan.decisions import make_loan_decider
from arrears.intake.domain.loan.events import (
    CaseClosed,
    CaseHeld,
    CaseOpened,
    CaseReferred,
    CaseReleased,
    HoldEnded,
    LoanCuredRecorded,
    LoanEvent,
    LoanOverdueRecorded,
    StageReported,
)
from arrears.intake.domain.loan.state import Hold
from arrears.shared.kernel.business_day import BankCalendar
from arrears.shared.kernel.ids import BorrowerId, CaseId, LoanKey, StaffId, TenantId, case_id
from arrears.shared.testing.decider_spec import DeciderSpec

LOAN = LoanKey("loan-1@/bank")
CASE = case_id("bank", LOAN, 1)
DECIDER = make_loan_decider(load_policies(), BankCalendar("Asia/Shanghai"), TenantId("bank"))
TODAY, NOW = date(2026, 3, 2), datetime(2026, 3, 2, 10, 0, tzinfo=UTC)
WEI = StaffId("wei")
given = DeciderSpec(DECIDER).given

OVERDUE, OPENED, *_ = DECIDER.decide(
    RecordOverdue(
        fact=OverdueFact(
            source="/bank",
            fact_id="overdue-1",
            loan_key=LOAN,
            borrower_id=BorrowerId("person-1"),
            stated_at=NOW,
            as_of_on=TODAY,
            days_past_due=40,
            due_on=TODAY - timedelta(days=40),
            currency="CNY",
            product="loan",
            overdue_minor=500_000,
            principal_minor=None,
            interest_minor=None,
            fees_minor=None,
            balance_minor=900_000,
        ),
        home=BorrowerId("person-1"),
        now=NOW,
    ),
    DECIDER.initial,
)
OPEN: tuple[LoanEvent, ...] = (OVERDUE, OPENED)
HELD = CaseHeld(
    case_id=CASE, loan_key=LOAN, reason="dispute", until_on=None, staff_id=WEI, note="wrong sum"
)
CLOSED = CaseClosed(
    case_id=CASE,
    loan_key=LOAN,
    reason="uncollectible",
    closed_at=NOW,
    closed_on=TODAY,
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
    due_on=TODAY - timedelta(days=40),
    overdue_minor=500_000,
    balance_minor=900_000,
    currency="CNY",
    product="loan",
    risk="low",
    decided_on=TODAY,
    policy_id="cn-default",
    policy_version=1,
    staff_id=WEI,
    as_of_on=TODAY,
)
SIGNED = StageReported(
    case_id=CASE,
    loan_key=LOAN,
    stage="mediation",
    report="agreement_signed",
    report_id="signed-1",
    review_on=TODAY,
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
            as_of_on=TODAY,
            reason="paid_up",
            currency="CNY",
            stated_at=NOW,
            late=False,
            outdated=False,
        )
        given(*OPEN, cured).when(command).then_refused("case_closed")

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


class TestHold:
    def test_holds_until_released(self) -> None:
        given(*OPEN).when(HOLD).then(HELD)
        assert given(*OPEN, HELD).is_due(NOW) is None

    def test_the_same_hold_twice_is_one(self) -> None:
        given(*OPEN, HELD).when(HOLD).then_nothing_happens()

    def test_another_note_on_the_same_hold_is_recorded(self) -> None:
        heirs = replace(HELD, note="the heirs have called")
        given(*OPEN, HELD).when(replace(HOLD, note=heirs.note)).then(heirs)
        given(*OPEN, HELD, heirs).when(replace(HOLD, note=heirs.note)).then_nothing_happens()
        given(*OPEN, replace(HELD, note=None)).when(HOLD).then(HELD)

    def test_the_same_hold_without_a_note_says_nothing_new(self) -> None:
        given(*OPEN, HELD).when(replace(HOLD, note=None)).then_nothing_happens()
        moved = replace(HELD, until_on=TODAY + timedelta(days=9), note=None)
        again = replace(HOLD, until_on=moved.until_on)
        given(*OPEN, HELD, moved).when(again).then_nothing_happens()

    def test_another_note_moves_no_end(self) -> None:
        beside = replace(COMPLAINED, until_on=None, hold_until_on=SOON)
        noted = replace(HOLD, reason="complaint", until_on=SOON, note="sent to the ombudsman")
        said = replace(beside, note=noted.note)
        given(*OPEN, DEAD, beside).when(noted).then(said)

    def test_another_end_is_another_hold(self) -> None:
        until = TODAY + timedelta(days=9)
        given(*OPEN, HELD).when(replace(HOLD, until_on=until)).then(replace(HELD, until_on=until))

    def test_only_for_a_known_reason(self) -> None:
        given(*OPEN).when(replace(HOLD, reason="mood")).then_refused("unknown_hold_reason")

    def test_not_into_the_past(self) -> None:
        yesterday = TODAY - timedelta(days=1)
        given(*OPEN).when(replace(HOLD, until_on=yesterday)).then_refused("until_in_the_past")
        given(*OPEN).when(replace(HOLD, until_on=TODAY)).then(replace(HELD, until_on=TODAY))

    def test_the_note_has_words_too(self) -> None:
        given(*OPEN).when(replace(HOLD, note="a\u0007")).then_refused("control_characters")

    def test_hardship_told_by_a_stage_does_not_replace_a_hold_without_end(self) -> None:
        claim = ReportStage(
            case_id=CASE,
            stage="contact",
            report="hardship_reported",
            report_id="claim-1",
            now=NOW,
            until_on=TODAY + timedelta(days=30),
        )
        loan = DECIDER.fold((*OPEN, HELD, *DECIDER.decide(claim, DECIDER.fold((*OPEN, HELD)))))
        assert loan.case is not None
        assert loan.case.holds == (
            Hold("dispute", None, "wrong sum"),
            Hold("hardship", TODAY + timedelta(days=30)),
        )


SOON, LATER = TODAY + timedelta(days=3), TODAY + timedelta(days=9)
DEAD = replace(HELD, reason="death", note=None)
COMPLAINED = replace(HELD, reason="complaint", note=None, until_on=SOON)


class TestSeveralHolds:
    """Each reason is a hold of its own; others are told when all of them end."""

    @pytest.mark.parametrize(
        ("before", "until_on", "together", "own"),
        [
            (None, SOON, None, SOON),  # Beside a hold without end.
            (SOON, None, None, None),
            (SOON, LATER, LATER, None),
            (LATER, SOON, LATER, SOON),
            (SOON, SOON, SOON, None),
        ],
    )
    def test_until_on_is_the_end_of_all_together(
        self, before: date | None, until_on: date | None, together: date | None, own: date | None
    ) -> None:
        dead = replace(DEAD, until_on=before)
        complaint = replace(HOLD, reason="complaint", until_on=until_on, note=None)
        said = replace(COMPLAINED, until_on=together, hold_until_on=own)
        given(*OPEN, dead).when(complaint).then(said)
        loan = DECIDER.fold((*OPEN, dead, said))
        assert loan.case is not None
        assert loan.case.holds == (Hold("death", before), Hold("complaint", until_on))

    def test_a_complaint_that_ends_leaves_the_hold_for_a_death(self) -> None:
        beside = replace(COMPLAINED, until_on=None, hold_until_on=SOON)
        history = (*OPEN, DEAD, beside)
        due = given(*history).is_due(NOW)
        assert due is not None
        assert due.date() == SOON
        ended = HoldEnded(
            case_id=CASE, loan_key=LOAN, hold="complaint", reason="hold_ended", until_on=None
        )
        given(*history).when(WakeUp(now=due)).then(ended)
        assert given(*history, ended).is_due(due) is None

    def test_each_ends_on_its_own_day_and_the_last_releases_the_case(self) -> None:
        dead = replace(DEAD, until_on=LATER)
        history = (*OPEN, dead, replace(COMPLAINED, until_on=LATER, hold_until_on=SOON))
        first = given(*history).is_due(NOW)
        assert first is not None
        ended = HoldEnded(
            case_id=CASE, loan_key=LOAN, hold="complaint", reason="hold_ended", until_on=LATER
        )
        given(*history).when(WakeUp(now=first)).then(ended)
        last = given(*history, ended).is_due(first)
        assert last is not None
        assert last.date() == LATER
        events = DECIDER.decide(WakeUp(now=last), DECIDER.fold((*history, ended)))
        assert [type(event).__name__ for event in events] == ["CaseReleased", "CaseReferred"]

    def test_the_same_reason_again_moves_its_own_end_and_no_other(self) -> None:
        history = (*OPEN, DEAD, replace(COMPLAINED, until_on=None, hold_until_on=LATER))
        sooner = replace(HOLD, reason="complaint", until_on=SOON, note=None)
        given(*history).when(sooner).then(replace(COMPLAINED, until_on=None, hold_until_on=SOON))
        given(*history).when(replace(sooner, until_on=LATER)).then_nothing_happens()

    def test_a_shorter_hold_tells_others_the_new_end(self) -> None:
        history = (*OPEN, replace(DEAD, until_on=SOON), replace(COMPLAINED, until_on=LATER))
        sooner = replace(HOLD, reason="complaint", until_on=TODAY, note=None)
        given(*history).when(sooner).then(replace(COMPLAINED, until_on=SOON, hold_until_on=TODAY))

    def test_an_event_from_before_holds_had_ends_of_their_own(self) -> None:
        stored = msgspec.json.decode(msgspec.json.encode(COMPLAINED), type=dict[str, Any])
        del stored["hold_until_on"]
        read = msgspec.convert(stored, CaseHeld)
        assert read == COMPLAINED
        loan = DECIDER.fold((*OPEN, read))
        assert loan.case is not None
        assert loan.case.holds == (Hold("complaint", SOON),)


class TestRelease:
    @pytest.mark.parametrize(("hold", "left"), [("complaint", None), ("death", SOON)])
    def test_of_one_of_several_leaves_the_others(self, hold: str, left: date | None) -> None:
        history = (*OPEN, DEAD, replace(COMPLAINED, until_on=None, hold_until_on=SOON))
        ended = HoldEnded(
            case_id=CASE,
            loan_key=LOAN,
            hold=hold,
            reason="sum confirmed",
            until_on=left,
            staff_id=WEI,
        )
        given(*history).when(replace(RELEASE, hold=hold)).then(ended)
        given(*history, ended).when(replace(RELEASE, hold=hold)).then_nothing_happens()
        given(*history, ended).when(REFER).then_refused("case_held")

    def test_of_the_last_one_or_of_all_releases_the_case(self) -> None:
        released = CaseReleased(
            case_id=CASE, loan_key=LOAN, reason="sum confirmed", review_on=TODAY, staff_id=WEI
        )
        given(*OPEN, DEAD).when(replace(RELEASE, hold="death")).then(released)
        beside = replace(COMPLAINED, until_on=None, hold_until_on=SOON)
        given(*OPEN, DEAD, beside).when(RELEASE).then(released)

    def test_of_a_hold_that_is_not_there_is_nothing(self) -> None:
        given(*OPEN, DEAD).when(replace(RELEASE, hold="dispute")).then_nothing_happens()

    def test_only_of_a_known_reason(self) -> None:
        mood = replace(RELEASE, hold="mood")
        given(*OPEN, DEAD).when(mood).then_refused("unknown_hold_reason")

    def test_ends_the_hold_and_has_the_strategy_look_the_same_evening(self) -> None:
        released = CaseReleased(
            case_id=CASE, loan_key=LOAN, reason="sum confirmed", review_on=TODAY, staff_id=WEI
        )
        given(*OPEN, HELD).when(RELEASE).then(released)
        assert given(*OPEN, HELD, released).is_due(NOW) is not None

    def test_of_a_case_that_is_not_held_is_nothing(self) -> None:
        given(*OPEN).when(RELEASE).then_nothing_happens()


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
            review_on=TODAY,
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

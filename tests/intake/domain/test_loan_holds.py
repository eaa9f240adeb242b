"""What staff hold: one hold for each reason, each with its own end and note."""

from datetime import date, timedelta
from typing import Any

import msgspec
import pytest
from msgspec.structs import replace

from arrears.intake.domain.loan.commands import (
    HoldCase,
    ReferCase,
    ReleaseCase,
    ReportStage,
    WakeUp,
)
from arrears.intake.domain.loan.events import (
    CaseHeld,
    CaseReleased,
    HoldEnded,
    LoanEvent,
)
from arrears.intake.domain.loan.state import Hold
from arrears.intake.testing.loan import CASE, DAY, DECIDER, LOAN, NOW, WEI, overdue, says
from arrears.shared.testing.decider_spec import DeciderSpec

given = DeciderSpec(DECIDER).given

OVERDUE, OPENED, *_ = says(DECIDER.initial, overdue(overdue_minor=500_000))
OPEN: tuple[LoanEvent, ...] = (OVERDUE, OPENED)
HELD = CaseHeld(
    case_id=CASE, loan_key=LOAN, reason="dispute", until_on=None, staff_id=WEI, note="wrong sum"
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
        moved = replace(HELD, until_on=DAY + timedelta(days=9), note=None)
        again = replace(HOLD, until_on=moved.until_on)
        given(*OPEN, HELD, moved).when(again).then_nothing_happens()

    def test_another_note_moves_no_end(self) -> None:
        beside = replace(COMPLAINED, until_on=None, hold_until_on=SOON)
        noted = replace(HOLD, reason="complaint", until_on=SOON, note="sent to the ombudsman")
        said = replace(beside, note=noted.note)
        given(*OPEN, DEAD, beside).when(noted).then(said)

    def test_another_end_is_another_hold(self) -> None:
        until = DAY + timedelta(days=9)
        given(*OPEN, HELD).when(replace(HOLD, until_on=until)).then(replace(HELD, until_on=until))

    def test_only_for_a_known_reason(self) -> None:
        given(*OPEN).when(replace(HOLD, reason="mood")).then_refused("unknown_hold_reason")

    def test_not_into_the_past(self) -> None:
        yesterday = DAY - timedelta(days=1)
        given(*OPEN).when(replace(HOLD, until_on=yesterday)).then_refused("until_in_the_past")
        given(*OPEN).when(replace(HOLD, until_on=DAY)).then(replace(HELD, until_on=DAY))

    def test_the_note_has_words_too(self) -> None:
        given(*OPEN).when(replace(HOLD, note="a\u0007")).then_refused("control_characters")

    def test_hardship_told_by_a_stage_does_not_replace_a_hold_without_end(self) -> None:
        claim = ReportStage(
            case_id=CASE,
            stage="contact",
            report="hardship_reported",
            report_id="claim-1",
            now=NOW,
            until_on=DAY + timedelta(days=30),
        )
        loan = DECIDER.fold((*OPEN, HELD, *DECIDER.decide(claim, DECIDER.fold((*OPEN, HELD)))))
        assert loan.case is not None
        assert loan.case.holds == (
            Hold("dispute", None, "wrong sum"),
            Hold("hardship", DAY + timedelta(days=30)),
        )


SOON, LATER = DAY + timedelta(days=3), DAY + timedelta(days=9)
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
        sooner = replace(HOLD, reason="complaint", until_on=DAY, note=None)
        given(*history).when(sooner).then(replace(COMPLAINED, until_on=SOON, hold_until_on=DAY))

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
            case_id=CASE, loan_key=LOAN, reason="sum confirmed", review_on=DAY, staff_id=WEI
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
            case_id=CASE, loan_key=LOAN, reason="sum confirmed", review_on=DAY, staff_id=WEI
        )
        given(*OPEN, HELD).when(RELEASE).then(released)
        assert given(*OPEN, HELD, released).is_due(NOW) is not None

    def test_of_a_case_that_is_not_held_is_nothing(self) -> None:
        given(*OPEN).when(RELEASE).then_nothing_happens()

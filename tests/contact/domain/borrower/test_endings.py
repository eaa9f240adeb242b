"""A referral that is not contact's any more: taken back by intake, or gone on to another stage."""

from datetime import date, timedelta

from msgspec.structs import replace

from arrears.contact.domain.borrower.commands import EndTreatment
from arrears.contact.domain.borrower.events import (
    AttemptConcluded,
    AttemptDropped,
    AttemptWithdrawn,
    CaseNoted,
    DemandReturned,
    HardshipReported,
    TreatmentCompleted,
)
from arrears.contact.testing.borrower import (
    BORROWER,
    CASE,
    DECIDER,
    ELSEWHERE,
    EVENING,
    LOAN,
    OTHER,
    OTHER_LOAN,
    claim_hardship,
    close,
    life,
    note_outcome,
    objection,
    promise,
    refer,
    until_permit,
    withdraw,
)
from arrears.shared.testing.decider_spec import DeciderSpec

given = DeciderSpec(DECIDER).given

RETURNED = EndTreatment(
    case_id=CASE, loan_key=LOAN, borrower_id=BORROWER, reason="case_returned", now=EVENING
)


class TestEndTreatment:
    def test_what_was_planned_is_dropped_and_the_end_is_reported(self) -> None:
        planned = life(refer("call"))
        dropped, completed = life(RETURNED, history=planned)[len(planned) :]
        assert isinstance(dropped, AttemptDropped)
        assert isinstance(completed, TreatmentCompleted)
        assert (completed.referral, completed.result) == (1, "stopped")
        assert completed.reason == "case_returned"
        assert DECIDER.due(DECIDER.fold([*planned, dropped, completed]), EVENING) is None

    def test_already_ended_is_nothing(self) -> None:
        given(*life(refer("call"), RETURNED)).when(RETURNED).then_nothing_happens()
        closed = close()
        given(*life(refer("call"), closed)).when(RETURNED).then_nothing_happens()

    def test_what_is_under_way_is_still_recorded_and_not_tried_again(self) -> None:
        events, permitted = until_permit("demand")
        now = permitted.permitted_at + timedelta(days=1)
        events = life(replace(RETURNED, now=now), history=events)
        assert isinstance(events[-1], TreatmentCompleted)
        back = note_outcome("returned", now, attempt_id=permitted.attempt_id)
        told = life(back, history=events)[len(events) :]
        assert [type(event) for event in told] == [AttemptConcluded, DemandReturned]

    def test_a_promise_stays(self) -> None:
        state = DECIDER.fold(life(refer("demand"), promise(), RETURNED))
        assert state.cases[CASE].promise is not None

    def test_a_new_referral_is_treated_again(self) -> None:
        state = DECIDER.fold(life(refer("call"), RETURNED, refer("visit", referral=2)))
        treatment = state.cases[CASE].treatment
        assert treatment is not None
        assert treatment.treatment == "visit"


class TestNotSentYet:
    """Under the live clock the case may be taken back between the permit and the sending."""

    def test_nothing_leaves(self) -> None:
        events, permitted = until_permit("call")
        now = permitted.permitted_at + timedelta(minutes=1)
        events = life(replace(RETURNED, now=now), history=events)
        verdict = objection(permitted, DECIDER.fold(events), now)
        assert verdict is not None
        assert (verdict.rule, verdict.reason) == ("permit_ended", "the_referral_is_over")
        (withdrawn,) = life(withdraw(permitted, verdict, now), history=events)[len(events) :]
        assert isinstance(withdrawn, AttemptWithdrawn)

    def test_an_attempt_of_an_earlier_referral_does_not_leave_either(self) -> None:
        events, permitted = until_permit("call")
        now = permitted.permitted_at
        events = life(refer("visit", referral=2, now=now), history=events)
        verdict = objection(permitted, DECIDER.fold(events), now)
        assert verdict is not None
        assert verdict.reason == "the_referral_is_over"


class TestShieldElsewhere:
    """A case that goes straight to another stage while the person is shielded."""

    CLAIM = claim_hardship()

    def test_it_is_reported_once(self) -> None:
        events = life(refer("call"), self.CLAIM, ELSEWHERE)
        reported = events[-1]
        assert isinstance(reported, HardshipReported)
        assert (reported.case_id, reported.review_on) == (OTHER, date(2026, 4, 1))
        given(*events).when(ELSEWHERE).then_nothing_happens()

    def test_it_is_forgotten_when_it_is_closed(self) -> None:
        closed = close(case_id=OTHER)
        state = DECIDER.fold(life(refer("call"), self.CLAIM, ELSEWHERE, closed))
        assert set(state.cases) == {CASE}
        assert state.closed == {OTHER}

    def test_a_shield_that_comes_later_is_reported_too(self) -> None:
        told = life(refer("call"), ELSEWHERE, self.CLAIM)
        reported = [one.case_id for one in told if isinstance(one, HardshipReported)]
        assert reported == [CASE, OTHER]


class TestCaseOfAnotherStage:
    """A case that contact never treated is noted, for what concerns the person concerns it."""

    NOTED = CaseNoted(
        case_id=OTHER,
        loan_key=OTHER_LOAN,
        borrower_id=BORROWER,
        reason="referred_to_another_stage",
        noted_at=EVENING,
    )

    def test_it_is_noted_once(self) -> None:
        given().when(ELSEWHERE).then(self.NOTED)
        given(self.NOTED).when(ELSEWHERE).then_nothing_happens()

    def test_one_that_was_treated_needs_no_note(self) -> None:
        told = life(refer("call"), replace(ELSEWHERE, case_id=CASE, loan_key=LOAN))
        assert not [one for one in told if isinstance(one, CaseNoted)]

    def test_one_that_is_closed_is_not_noted(self) -> None:
        closed = close(case_id=OTHER)
        events = life(ELSEWHERE, closed)
        given(*events).when(ELSEWHERE).then_nothing_happens()

    def test_a_first_referral_to_contact_is_treated_as_ever(self) -> None:
        referred = refer("call", OTHER, referral=2)
        treatment = DECIDER.fold(life(ELSEWHERE, referred)).cases[OTHER].treatment
        assert treatment is not None
        assert treatment.referral == 2

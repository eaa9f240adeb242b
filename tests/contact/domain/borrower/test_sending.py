"""A permit is asked again at the moment of sending, and what it no longer covers stays here."""

from collections.abc import Sequence
from datetime import datetime, time, timedelta

import pytest
from msgspec.structs import replace

from arrears.contact.domain.borrower.commands import BorrowerCommand, NoteReceipt, WakeUp
from arrears.contact.domain.borrower.events import (
    AttemptDropped,
    AttemptPermitted,
    AttemptWithdrawn,
    BorrowerEvent,
    TreatmentCompleted,
)
from arrears.contact.domain.permit import Denied
from arrears.contact.domain.values import ContactPoint
from arrears.contact.testing.borrower import (
    CASE,
    DECIDER,
    POLICIES,
    PROFILE,
    SHANGHAI,
    close,
    life,
    note_outcome,
    objection,
    promise,
    refer,
    stop_case,
    until_permit,
    withdraw,
)
from arrears.contact.testing.conduct import check
from arrears.shared.testing.decider_spec import DeciderSpec

given = DeciderSpec(DECIDER).given


def _objection(events: Sequence[BorrowerEvent], at: datetime) -> Denied | None:
    permitted = next(event for event in events if isinstance(event, AttemptPermitted))
    return objection(permitted, DECIDER.fold(events), at)


def _denied(events: Sequence[BorrowerEvent], at: datetime) -> Denied:
    verdict = _objection(events, at)
    assert verdict is not None
    return verdict


def _withdrawn(
    events: Sequence[BorrowerEvent], permitted: AttemptPermitted, at: datetime
) -> list[BorrowerEvent]:
    """What follows where the rules object at that moment."""
    command = withdraw(permitted, _denied(events, at), at)
    return list(DECIDER.decide(command, DECIDER.fold(events)))


class TestObjection:
    @pytest.mark.parametrize("treatment", ["remind", "call", "demand", "visit"])
    def test_a_permit_just_given_holds(self, treatment: str) -> None:
        events, permitted = until_permit(treatment)
        assert _objection(events, permitted.permitted_at) is None
        assert _objection(events, permitted.valid_until - timedelta(seconds=1)) is None

    def test_the_clock_has_turned_quiet(self) -> None:
        events, permitted = until_permit()
        evening = datetime.combine(
            permitted.permitted_at.astimezone(SHANGHAI).date(), time(21), SHANGHAI
        )
        verdict = _denied(events, evening)
        assert verdict.rule == "quiet_hours"
        assert verdict.next_allowed_at == evening + timedelta(hours=11)

    def test_a_stop_was_heard(self) -> None:
        events, permitted = until_permit()
        at = permitted.permitted_at
        verdict = _denied(
            life(stop_case("agreement", "agreement_signed", now=at), history=events), at
        )
        assert (verdict.rule, verdict.next_allowed_at) == ("agreement", None)

    def test_the_case_was_closed(self) -> None:
        events, permitted = until_permit()
        at = permitted.permitted_at
        closed = close(now=at)
        assert _denied(life(closed, history=events), at).rule == "case_closed"

    def test_a_promise_was_made_to_staff(self) -> None:
        events, permitted = until_permit()
        at = permitted.permitted_at
        assert _denied(life(promise(now=at), history=events), at).rule == "promise_pending"

    def test_the_number_is_another_one_now(self) -> None:
        events, permitted = until_permit()
        points = (ContactPoint(kind="phone", sealed="new"),)
        moved = replace(PROFILE, points=points, recorded_at=permitted.permitted_at)
        verdict = _denied([*events, moved], permitted.permitted_at)
        assert (verdict.rule, verdict.reason) == ("contact_point", "the_contact_point_has_changed")

    def test_the_next_morning_needs_a_permit_of_its_own(self) -> None:
        events, permitted = until_permit()
        morning = permitted.permitted_at + timedelta(days=1)
        verdict = _denied(events, morning)
        assert (verdict.rule, verdict.next_allowed_at) == ("permit_ended", morning)

    def test_it_is_good_until_before_its_end(self) -> None:
        """The rules would permit a letter of the next day: at midnight it is another day."""
        events, permitted = until_permit("demand")
        verdict = _denied(events, permitted.valid_until)
        assert (verdict.rule, verdict.reason) == ("permit_ended", "the_permit_was_not_used_in_time")

    @pytest.mark.parametrize("receipted", [True, False])
    def test_what_was_made_is_not_made_again(self, receipted: bool) -> None:
        events, permitted = until_permit()
        at, attempt = permitted.permitted_at, permitted.attempt_id
        told: BorrowerCommand = note_outcome("no_answer", at, attempt_id=attempt)
        if receipted:
            told = NoteReceipt(attempt_id=attempt, receipt_id="r", gateway="g", now=at)
        assert _denied(life(told, history=events), at).rule == "permit_ended"

    def test_it_does_not_count_against_itself(self) -> None:
        """The day's last allowed contact is this one."""
        events, permitted = until_permit()
        state = DECIDER.fold(events)
        [own] = state.contacts
        others = [replace(own, attempt_id=f"other/{number}") for number in range(2)]
        full = replace(state, contacts=(*others, own))
        assert objection(permitted, full, permitted.permitted_at) is None
        over = replace(full, contacts=(replace(own, attempt_id="other/3"), *full.contacts))
        verdict = objection(permitted, over, permitted.permitted_at)
        assert verdict is not None
        assert verdict.rule == "connected_per_day"


class TestWithdrawAttempt:
    def test_it_comes_back_at_its_next_allowed_time(self) -> None:
        events, permitted = until_permit()
        evening = permitted.valid_until
        verdict = _denied(events, evening)
        [withdrawn] = _withdrawn(events, permitted, evening)
        assert isinstance(withdrawn, AttemptWithdrawn)
        assert (withdrawn.rule, withdrawn.next_allowed_at) == (
            "quiet_hours",
            verdict.next_allowed_at,
        )
        told = [*events, withdrawn]
        due = DECIDER.due(DECIDER.fold(told), evening)
        assert due is not None
        assert due == verdict.next_allowed_at
        again = life(WakeUp(now=due), history=told)[-1]
        assert isinstance(again, AttemptPermitted)
        assert again.attempt_id == permitted.attempt_id
        assert objection(again, DECIDER.fold([*told, again]), due) is None

    def test_an_ended_permit_is_followed_by_a_new_one_at_once(self) -> None:
        events, permitted = until_permit()
        morning = permitted.permitted_at + timedelta(days=1)
        withdrawn, again = _withdrawn(events, permitted, morning)
        assert isinstance(withdrawn, AttemptWithdrawn)
        assert isinstance(again, AttemptPermitted)
        assert (again.attempt_id, again.permitted_at) == (permitted.attempt_id, morning)

    def test_it_is_counted_nowhere(self) -> None:
        events, permitted = until_permit()
        told = [*events, *_withdrawn(events, permitted, permitted.valid_until)]
        state = DECIDER.fold(told)
        assert state.contacts == ()
        treatment = state.cases[CASE].treatment
        assert treatment is not None
        assert (treatment.attempts_made, state.cases[CASE].in_flight) == (0, ())

    def test_a_stop_ends_the_treatment_as_it_ends_a_planned_attempt(self) -> None:
        events, permitted = until_permit()
        at = permitted.permitted_at
        stopped = life(stop_case("agreement", "agreement_signed", now=at), history=events)
        withdrawn, dropped, completed = _withdrawn(stopped, permitted, at)
        assert isinstance(withdrawn, AttemptWithdrawn)
        assert isinstance(dropped, AttemptDropped)
        assert isinstance(completed, TreatmentCompleted)
        assert (completed.result, completed.reason) == ("stopped", "agreement")

    def test_of_a_closed_case_nothing_is_left(self) -> None:
        events, permitted = until_permit()
        at = permitted.permitted_at
        closed = life(close(now=at), history=events)
        [withdrawn] = _withdrawn(closed, permitted, at)
        assert isinstance(withdrawn, AttemptWithdrawn)
        assert not DECIDER.fold([*closed, withdrawn]).cases

    def test_an_earlier_referral_does_not_come_back(self) -> None:
        events, permitted = until_permit("demand")
        at = permitted.valid_until
        later = life(refer("visit", referral=2, now=permitted.permitted_at), history=events)
        verdict = _denied(later, at)
        state = DECIDER.fold([*later, *_withdrawn(later, permitted, at)])
        treatment = state.cases[CASE].treatment
        assert verdict.rule == "permit_ended"
        assert treatment is not None
        assert (treatment.treatment, treatment.attempts_made) == ("visit", 0)

    def test_twice_is_once_and_what_was_made_stays_made(self) -> None:
        events, permitted = until_permit()
        at = permitted.valid_until
        command = withdraw(permitted, _denied(events, at), at)
        given(*life(command, history=events)).when(command).then_nothing_happens()
        receipt = NoteReceipt(attempt_id=permitted.attempt_id, receipt_id="r", gateway="g", now=at)
        given(*life(receipt, history=events)).when(command).then_nothing_happens()

    def test_it_takes_back_the_permit_it_names_and_no_later_one(self) -> None:
        events, permitted = until_permit()
        morning = permitted.permitted_at + timedelta(days=1)
        command = withdraw(permitted, _denied(events, morning), morning)
        given(*life(command, history=events)).when(command).then_nothing_happens()

    def test_the_checker_of_conduct_sees_one_permit_and_no_breach(self) -> None:
        events, permitted = until_permit()
        morning = permitted.permitted_at + timedelta(days=1)
        told = [*events, *_withdrawn(events, permitted, morning)]
        receipt = NoteReceipt(
            attempt_id=permitted.attempt_id, receipt_id="r", gateway="g", now=morning
        )
        conduct = check(life(receipt, history=told), POLICIES)
        assert (conduct.permitted, conduct.denied, conduct.made) == (1, 1, 1)
        assert conduct.findings == ()

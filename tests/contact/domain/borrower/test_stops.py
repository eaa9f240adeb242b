"""What protects a borrower binds from the moment it is heard, and lets go when it is over."""

from datetime import UTC, date, datetime, timedelta

import pytest
from msgspec.structs import replace

from arrears.contact.domain.borrower.commands import ReleaseCase, ResumeContact, StopContact
from arrears.contact.domain.borrower.events import (
    AttemptConcluded,
    AttemptDenied,
    AttemptDropped,
    AttemptPermitted,
    AttemptRescheduled,
    BorrowerEvent,
    ContactEnded,
    ContactResumed,
    ContactStopped,
    DemandDelivered,
    TreatmentCompleted,
)
from arrears.contact.domain.values import Outcome
from arrears.contact.testing.borrower import (
    CASE,
    DECIDER,
    EVENING,
    OTHER,
    SHANGHAI,
    STAFF,
    claim_hardship,
    close,
    life,
    note_outcome,
    refer,
    stop_case,
    stop_person,
    until_permit,
    wake,
)
from arrears.shared.testing.decider_spec import DeciderSpec

given = DeciderSpec(DECIDER).given

MORNING = datetime(2026, 3, 3, 0, 0, tzinfo=SHANGHAI).astimezone(UTC)

AGREED = stop_case(
    "agreement", "agreement_signed", said_at=EVENING - timedelta(hours=9), now=MORNING
)
HELD = replace(AGREED, kind="hold", reason="dispute", until_on=date(2026, 3, 20))
STAFF_STOP = stop_person(
    "staff", "agreement_signed", said_at=AGREED.said_at, now=MORNING, recorded_by=STAFF
)
BREACHED = ResumeContact(
    kinds=("agreement",),
    scope="case",
    case_id=CASE,
    reason="agreement_breached",
    now=MORNING + timedelta(days=30),
)
CLOSED = close(now=MORNING)


class TestStopContact:
    @pytest.mark.parametrize("stop", [AGREED, HELD, STAFF_STOP])
    def test_drops_what_was_planned_and_reports_stopped(self, stop: StopContact) -> None:
        planned = life(refer("call"))
        stopped, dropped, completed = life(stop, history=planned)[len(planned) :]
        assert isinstance(stopped, ContactStopped)
        assert (stopped.said_at, stopped.heard_at) == (stop.said_at, MORNING)
        assert isinstance(dropped, AttemptDropped)
        assert isinstance(completed, TreatmentCompleted)
        assert (completed.result, completed.reason) == ("stopped", stop.kind)

    @pytest.mark.parametrize("stop", [AGREED, HELD, STAFF_STOP])
    def test_the_same_stop_again_changes_nothing(self, stop: StopContact) -> None:
        given(*life(refer("call"), stop)).when(stop).then_nothing_happens()

    def test_a_stop_of_a_case_leaves_the_others_alone(self) -> None:
        events = life(refer("call"), refer("call", OTHER), AGREED)
        done = [event.case_id for event in events if isinstance(event, TreatmentCompleted)]
        assert done == [CASE]

    def test_a_stop_of_a_person_is_told_of_each_case(self) -> None:
        events = life(refer("call"), refer("call", OTHER), STAFF_STOP)
        told = [event.case_id for event in events if isinstance(event, ContactStopped)]
        assert told == [CASE, OTHER]

    def test_a_stop_is_heard_before_the_case_is(self) -> None:
        state = DECIDER.fold(life(AGREED))
        assert [stop.kind for stop in state.cases[CASE].stops] == ["agreement"]

    def test_a_stop_of_a_person_without_cases_is_heard_too(self) -> None:
        assert [stop.kind for stop in DECIDER.fold(life(STAFF_STOP)).stops] == ["staff"]

    def test_a_hold_that_says_it_has_ended_is_not_trusted_to_have(self) -> None:
        state = DECIDER.fold(life(replace(HELD, until_on=date(2026, 3, 2))))
        assert state.cases[CASE].stops[0].lifts_at is None

    def test_staff_cannot_stop_until_a_day_that_is_over(self) -> None:
        over = replace(STAFF_STOP, until_on=date(2026, 3, 2))
        given().when(over).then_refused("until_in_the_past")

    @pytest.mark.parametrize("stop", [HELD, STAFF_STOP])
    def test_the_day_that_it_names_is_its_last(self, stop: StopContact) -> None:
        day = replace(stop, until_on=date(2026, 3, 3))
        resumed = wake(life(day), MORNING)[-1]
        assert isinstance(resumed, ContactResumed)
        assert resumed.resumed_at == datetime(2026, 3, 4, tzinfo=SHANGHAI)

    def test_the_release_that_comes_before_the_end_of_the_day_is_what_lifts_it(self) -> None:
        at = datetime(2026, 3, 20, 23, 59, tzinfo=SHANGHAI).astimezone(UTC)
        events = life(HELD, ReleaseCase(case_id=CASE, reason="hold_ended", now=at))
        assert DECIDER.due(DECIDER.fold(life(HELD)), at) is not None
        assert DECIDER.due(DECIDER.fold(events), at) is None

    def test_refuses_a_stop_of_a_case_that_names_none(self) -> None:
        given().when(replace(AGREED, case_id=None)).then_refused("case_missing")
        given().when(replace(AGREED, loan_key=None)).then_refused("case_missing")

    def test_a_case_that_is_closed_needs_none(self) -> None:
        given(*life(refer("call"), CLOSED)).when(AGREED).then_nothing_happens()


class TestUnderWay:
    """The letter is in the post when the case is held."""

    def sent(self) -> tuple[list[BorrowerEvent], AttemptPermitted]:
        events, permitted = until_permit("demand")
        return life(replace(HELD, now=permitted.permitted_at), history=events), permitted

    def told(self, outcome: Outcome) -> list[BorrowerEvent]:
        events, permitted = self.sent()
        now = permitted.permitted_at + timedelta(days=3)
        note = note_outcome(outcome, now, attempt_id=permitted.attempt_id)
        return life(note, history=events)[len(events) :]

    def test_it_is_waited_for(self) -> None:
        events, _ = self.sent()
        assert isinstance(events[-1], ContactStopped)

    def test_what_arrives_has_reached(self) -> None:
        _, delivered, completed = self.told("delivered")
        assert isinstance(delivered, DemandDelivered)
        assert isinstance(completed, TreatmentCompleted)
        assert completed.result == "reached"

    def test_what_comes_back_is_not_sent_again(self) -> None:
        completed = self.told("returned")[-1]
        assert isinstance(completed, TreatmentCompleted)
        assert (completed.result, completed.reason) == ("stopped", "hold")

    @pytest.mark.parametrize("outcome", ["delivered", "returned"])
    def test_a_letter_of_an_earlier_referral_does_not_end_the_present_one(
        self, outcome: Outcome
    ) -> None:
        events, permitted = until_permit("demand")
        now = permitted.permitted_at
        events = life(refer("visit", referral=2, now=now), history=events)
        note = note_outcome(outcome, now, attempt_id=permitted.attempt_id)
        assert len(life(note, history=events)) == len(events) + 2
        treatment = DECIDER.fold(life(note, history=events)).cases[CASE].treatment
        assert treatment is not None
        assert (treatment.treatment, treatment.attempts_made) == ("visit", 0)

    def test_a_closing_reports_at_once_and_the_outcome_is_still_recorded(self) -> None:
        events, permitted = self.sent()
        now = permitted.permitted_at + timedelta(days=1)
        closed = life(replace(CLOSED, now=now), history=events)
        completed, ended = closed[-2:]
        assert isinstance(completed, TreatmentCompleted)
        assert completed.result == "stopped"
        assert isinstance(ended, ContactEnded)
        note = note_outcome("delivered", now, attempt_id=permitted.attempt_id)
        later = life(note, history=closed)[len(closed) :]
        assert [type(event) for event in later] == [AttemptConcluded, DemandDelivered]
        assert not DECIDER.fold([*closed, *later]).cases


class TestReferredWhileStopped:
    """A stop that says its end is waited for; one that does not ends the treatment."""

    def woken(self, *stops: StopContact) -> list[BorrowerEvent]:
        early = [replace(stop, now=EVENING) for stop in stops]
        planned = life(*early, refer("call"))
        return wake(planned)[len(planned) :]

    def denied(self, *stops: StopContact) -> tuple[list[BorrowerEvent], AttemptDenied]:
        early = [replace(stop, now=EVENING) for stop in stops]
        events = wake(life(*early, refer("call")))
        denied = events[-1]
        assert isinstance(denied, AttemptDenied)
        return events, denied

    def test_the_attempt_is_denied_and_waits_for_the_end(self) -> None:
        events, denied = self.denied(HELD)
        ends_at = datetime(2026, 3, 21, tzinfo=SHANGHAI)
        assert (denied.rule, denied.next_allowed_at) == ("hold", ends_at)
        assert DECIDER.due(DECIDER.fold(events), denied.denied_at) == ends_at

    @pytest.mark.parametrize("stop", [AGREED, STAFF_STOP, replace(HELD, until_on=None)])
    def test_without_an_end_it_ends_as_by_a_stop_that_comes_later(self, stop: StopContact) -> None:
        denied, dropped, completed = self.woken(stop)
        assert isinstance(denied, AttemptDenied)
        assert denied.rule == stop.kind
        assert isinstance(dropped, AttemptDropped)
        assert isinstance(completed, TreatmentCompleted)
        assert (completed.result, completed.reason) == ("stopped", stop.kind)

    @pytest.mark.parametrize("first", [HELD, replace(STAFF_STOP, kind="parked", reason="legal")])
    def test_the_one_without_an_end_is_enough(self, first: StopContact) -> None:
        denied, _, completed = self.woken(first, STAFF_STOP)
        assert isinstance(denied, AttemptDenied)
        assert denied.rule == first.kind
        assert isinstance(completed, TreatmentCompleted)
        assert (completed.result, completed.reason) == ("stopped", "staff")

    def test_a_resumption_in_time_lets_it_be_made(self) -> None:
        resume = ResumeContact(kinds=("staff",), scope="person", reason="asked", now=MORNING)
        events = life(replace(STAFF_STOP, now=EVENING), refer("call"), resume)
        assert isinstance(wake(events, MORNING)[-1], AttemptPermitted)

    def test_a_hold_that_ends_by_itself_lets_it_come_back_exactly_then(self) -> None:
        events, denied = self.denied(HELD)
        assert denied.next_allowed_at is not None
        resumed, night = wake(events, denied.denied_at)[len(events) :]
        assert isinstance(resumed, ContactResumed)
        assert resumed.reason == "time_is_over"
        assert isinstance(night, AttemptDenied)
        assert (night.rule, night.denied_at) == ("quiet_hours", denied.next_allowed_at)


class TestParkedInput:
    """A service waits for staff with an input of the person: nobody is contacted meanwhile."""

    def parked(self, service: str, now: datetime = EVENING) -> StopContact:
        return replace(STAFF_STOP, kind="parked", reason=service, recorded_by=None, now=now)

    def repaired(self, service: str, now: datetime) -> ResumeContact:
        return ResumeContact(kinds=("parked",), scope="person", reason=service, now=now)

    def test_what_was_planned_stays_and_is_denied_when_its_time_comes(self) -> None:
        events = life(refer("call"), self.parked("intake"))
        assert isinstance(events[-1], ContactStopped)
        denied = wake(events)[-1]
        assert isinstance(denied, AttemptDenied)
        assert (denied.rule, denied.next_allowed_at) == ("parked", None)

    def test_it_comes_back_when_the_input_is_repaired(self) -> None:
        events = wake(life(refer("call"), self.parked("intake")))
        at = EVENING + timedelta(days=3)
        resumed, rescheduled = life(self.repaired("intake", at), history=events)[len(events) :]
        assert isinstance(resumed, ContactResumed)
        assert isinstance(rescheduled, AttemptRescheduled)
        assert isinstance(wake([*events, resumed, rescheduled], at)[-1], AttemptPermitted)

    def test_a_repair_in_time_leaves_the_attempt_its_time(self) -> None:
        parked = life(refer("call"), self.parked("intake"))
        after = life(self.repaired("intake", EVENING), history=parked)
        assert [type(one) for one in after[len(parked) :]] == [ContactResumed]

    def test_each_service_lifts_its_own(self) -> None:
        both = life(refer("call"), self.parked("intake"), self.parked("legal"))
        given(*both).when(self.repaired("mediation", EVENING)).then_nothing_happens()
        half = life(self.repaired("intake", EVENING), history=both)
        assert [stop.reason for stop in DECIDER.fold(half).stops] == ["legal"]
        denied = wake(half)[-1]
        assert isinstance(denied, AttemptDenied)
        assert denied.rule == "parked"

    def test_told_twice_is_once(self) -> None:
        events = life(refer("call"), self.parked("intake"))
        given(*events).when(self.parked("intake", MORNING)).then_nothing_happens()

    def test_an_attempt_that_failed_meanwhile_is_tried_again_later(self) -> None:
        events, permitted = until_permit("call")
        at = permitted.permitted_at
        failed = note_outcome("no_answer", at, attempt_id=permitted.attempt_id)
        events = life(self.parked("legal", at), failed, history=events)
        assert DECIDER.fold(events).cases[CASE].treatment is not None


class TestResumeContact:
    def test_a_release_lifts_the_hold(self) -> None:
        release = ReleaseCase(case_id=CASE, reason="dispute_settled", now=MORNING)
        events = life(refer("call"), HELD, release)
        assert isinstance(events[-1], ContactResumed)
        given(*events).when(release).then_nothing_happens()

    def test_the_release_of_a_hold_for_hardship_lifts_the_shield(self) -> None:
        shield = replace(STAFF_STOP, kind="hardship", reason="hardship_reported")
        held = replace(HELD, reason="hardship")
        release = ReleaseCase(case_id=CASE, reason="hardship_over", now=MORNING)
        state = DECIDER.fold(life(refer("call"), shield, held, release))
        assert state.stops == ()
        assert state.cases[CASE].stops == ()

    def test_the_release_of_another_hold_leaves_the_shield(self) -> None:
        shield = replace(STAFF_STOP, kind="hardship", reason="hardship_reported")
        release = ReleaseCase(case_id=CASE, reason="dispute_settled", now=MORNING)
        state = DECIDER.fold(life(refer("call"), shield, HELD, release))
        assert [stop.kind for stop in state.stops] == ["hardship"]

    def test_what_is_not_stopped_cannot_be_resumed(self) -> None:
        given(*life(refer("call"))).when(replace(BREACHED, now=MORNING)).then_nothing_happens()

    def test_a_shield_ends_on_its_day_of_review(self) -> None:
        claim = claim_hardship(review_on=date(2026, 3, 10), now=MORNING)
        resumed = wake(life(refer("call"), claim), MORNING)[-1]
        assert isinstance(resumed, ContactResumed)
        assert resumed.reason == "review_due"
        assert resumed.resumed_at == datetime(2026, 3, 10, tzinfo=SHANGHAI)


class TestEndContact:
    def test_everything_open_is_over(self) -> None:
        planned = life(refer("call"))
        events = life(CLOSED, history=planned)[len(planned) :]
        assert [type(event) for event in events] == [
            AttemptDropped,
            TreatmentCompleted,
            ContactEnded,
        ]
        state = DECIDER.fold([*planned, *events])
        assert not state.cases
        assert state.closed == {CASE}

    def test_twice_is_once(self) -> None:
        given(*life(refer("call"), CLOSED)).when(CLOSED).then_nothing_happens()

    def test_a_case_we_never_had_is_none_of_our_business(self) -> None:
        given().when(CLOSED).then_nothing_happens()

    def test_a_closed_case_is_not_treated_again(self) -> None:
        again = refer("visit", referral=2)
        given(*life(refer("call"), CLOSED)).when(again).then_nothing_happens()

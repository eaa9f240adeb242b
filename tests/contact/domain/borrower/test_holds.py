"""A hold of one case stops the person on all loans where its reason lies with the person."""

from collections.abc import Sequence
from datetime import date, datetime, timedelta

import pytest
from msgspec.structs import replace

from arrears.contact.domain.borrower.commands import ReleaseCase, ResumeContact, StopContact
from arrears.contact.domain.borrower.events import (
    AttemptDenied,
    BorrowerEvent,
    ContactResumed,
    ContactStopped,
    TreatmentCompleted,
)
from arrears.contact.testing.borrower import (
    CASE,
    DECIDER,
    ELSEWHERE,
    EVENING,
    OTHER,
    SHANGHAI,
    STAFF,
    claim_hardship,
    close,
    life,
    permitted_cases,
    refer,
    stop_case,
    stop_person,
    until,
)
from arrears.shared.kernel.ids import CaseId
from arrears.shared.testing.decider_spec import DeciderSpec

given = DeciderSpec(DECIDER).given


def hold(
    reason: str, until_on: date | None = None, case_id: CaseId = CASE, now: datetime = EVENING
) -> StopContact:
    return stop_case("hold", reason, case_id, until_on=until_on, now=now)


def release(case_id: CaseId = CASE, now: datetime = EVENING) -> ReleaseCase:
    return ReleaseCase(case_id=case_id, reason="it was a mistake", now=now)


def persons_stops(events: Sequence[BorrowerEvent]) -> list[tuple[CaseId | None, str]]:
    stops = [event for event in events if isinstance(event, ContactStopped)]
    return [(one.case_id, one.reason) for one in stops if one.scope == "person"]


BOTH = tuple(life(refer("call", CASE), refer("call", OTHER)))
SOON = EVENING + timedelta(days=10)


class TestHold:
    @pytest.mark.parametrize("reason", ["death", "moratorium", "hardship"])
    def test_what_lies_with_the_person_stops_all_loans(self, reason: str) -> None:
        events = life(hold(reason), history=BOTH)
        stopped = [event for event in events if isinstance(event, ContactStopped)]
        assert [(event.scope, event.case_id) for event in stopped] == [
            ("case", CASE),
            ("person", CASE),
            ("person", OTHER),
        ]
        ended = [event.case_id for event in events if isinstance(event, TreatmentCompleted)]
        assert ended == [CASE, OTHER]
        assert permitted_cases(until(SOON, events)) == set()

    @pytest.mark.parametrize("reason", ["dispute", "complaint"])
    def test_what_lies_with_the_case_leaves_the_others_alone(self, reason: str) -> None:
        assert permitted_cases(until(SOON, life(hold(reason), history=BOTH))) == {OTHER}

    @pytest.mark.parametrize(
        ("case_id", "reason"), [(OTHER, "the_person_is_held"), (CASE, "the_case_is_held")]
    )
    def test_a_referral_that_comes_later_is_denied_and_says_why(
        self, case_id: CaseId, reason: str
    ) -> None:
        denied, _, completed = until(SOON, life(hold("death"), refer("call", case_id)))[-3:]
        assert isinstance(denied, AttemptDenied)
        assert (denied.rule, denied.reason) == ("hold", reason)
        assert isinstance(completed, TreatmentCompleted)
        assert (completed.result, completed.reason) == ("stopped", "hold")

    @pytest.mark.parametrize("reason", ["death", "dispute"])
    def test_the_same_hold_again_changes_nothing(self, reason: str) -> None:
        given(*life(hold(reason), history=BOTH)).when(hold(reason)).then_nothing_happens()

    def test_many_held_cases_are_told_of_once_each(self) -> None:
        """Hardship is held case by case; the person is told of once, not once for each of them."""
        cases = [CaseId(f"case-{number}") for number in range(9)]
        day = date(2026, 4, 1)
        events = life(
            *(refer("call", one) for one in cases), *(hold("hardship", day, one) for one in cases)
        )
        assert sum(isinstance(event, ContactStopped) for event in events) == 2 * len(cases)


class TestCaseOfAnotherStage:
    """Mediation and legal act by case: each case of the person is told, whoever has it."""

    @pytest.mark.parametrize("reason", ["death", "moratorium", "hardship"])
    def test_it_is_told_of_a_hold_of_the_person_and_of_its_end(self, reason: str) -> None:
        events = life(ELSEWHERE, hold(reason))
        assert sorted(persons_stops(events)) == [(CASE, reason), (OTHER, reason)]
        lifted = life(release(), history=events)[len(events) :]
        free = [one for one in lifted if isinstance(one, ContactResumed)]
        assert OTHER in {one.case_id for one in free if one.scope == "person"}

    @pytest.mark.parametrize("reason", ["death", "moratorium", "hardship"])
    def test_it_is_told_when_it_comes_while_the_person_is_held(self, reason: str) -> None:
        events = life(hold(reason), ELSEWHERE)
        assert persons_stops(events) == [(CASE, reason), (OTHER, reason)]
        given(*events).when(ELSEWHERE).then_nothing_happens()

    @pytest.mark.parametrize("reason", ["dispute", "complaint"])
    def test_what_lies_with_a_case_is_told_of_that_one_alone(self, reason: str) -> None:
        assert persons_stops(life(ELSEWHERE, hold(reason))) == []

    def test_staff_who_stop_contact_by_it_are_heard(self) -> None:
        halt = stop_person("staff", "he is in hospital", recorded_by=STAFF)
        assert persons_stops(life(ELSEWHERE, halt)) == [(OTHER, "he is in hospital")]


class TestSecondHold:
    """Intake says the end of all holds together, and releases the case when the last has ended."""

    DAY = date(2026, 4, 1)

    @pytest.mark.parametrize(
        "holds",
        [
            (hold("death"), hold("dispute")),
            (hold("dispute"), hold("death")),
            (hold("hardship", DAY), hold("complaint", DAY)),
            (hold("complaint", date(2026, 3, 20)), hold("hardship", DAY)),
            (hold("hardship", DAY), hold("death")),
        ],
    )
    def test_the_person_stays_stopped_until_the_release(
        self, holds: tuple[StopContact, ...]
    ) -> None:
        before = datetime(2026, 3, 30, tzinfo=SHANGHAI)
        events = until(before, life(*holds, refer("call", OTHER), refer("call", CASE)))
        assert permitted_cases(events) == set()
        freed = life(release(now=before), history=events)
        state = DECIDER.fold(freed)
        assert (state.stops, state.cases[CASE].stops) == ((), ())
        again = life(
            refer("call", OTHER, now=before, referral=2),
            refer("call", CASE, now=before, referral=2),
            history=freed,
        )
        assert permitted_cases(until(before + timedelta(days=5), again)) == {CASE, OTHER}

    def test_a_hold_that_is_over_leaves_the_one_that_is_not(self) -> None:
        events = life(
            hold("hardship", self.DAY), hold("dispute"), refer("call", OTHER), refer("call", CASE)
        )
        after = datetime(2026, 4, 10, tzinfo=SHANGHAI)
        assert permitted_cases(until(after, events)) == {OTHER}
        resumed = [event for event in until(after, events) if isinstance(event, ContactResumed)]
        assert {event.stop_reason for event in resumed} == {"hardship"}

    def test_a_longer_hold_for_the_same_reason_takes_the_place_of_the_shorter(self) -> None:
        events = life(hold("moratorium", self.DAY), hold("moratorium", date(2026, 5, 1)))
        (held,) = DECIDER.fold(events).stops
        assert held.lifts_at == datetime(2026, 5, 2, tzinfo=SHANGHAI)


class TestRelease:
    def test_the_person_is_free_when_the_last_case_is(self) -> None:
        held = life(hold("death"), hold("death", None, OTHER), history=BOTH)
        first = life(release(), history=held)
        assert [stop.reason for stop in DECIDER.fold(first).stops] == ["death"]
        assert DECIDER.fold(life(release(OTHER), history=first)).stops == ()

    def test_the_shield_goes_with_the_last_hold_for_hardship(self) -> None:
        day = date(2026, 4, 1)
        claim = claim_hardship(review_on=day)
        events = life(claim, hold("hardship", day), hold("hardship", day, OTHER), history=BOTH)
        first = life(release(), history=events)
        assert {stop.kind for stop in DECIDER.fold(first).stops} == {"hardship", "hold"}
        assert DECIDER.fold(life(release(OTHER), history=first)).stops == ()

    def test_holds_of_several_cases_end_each_in_its_time(self) -> None:
        short, long = date(2026, 3, 20), date(2026, 4, 20)
        events = life(
            hold("moratorium", long),
            hold("moratorium", short, OTHER),
            refer("call", OTHER),
            refer("call", CASE),
        )
        assert permitted_cases(until(datetime(2026, 4, 21, tzinfo=SHANGHAI), events)) == set()
        assert permitted_cases(until(datetime(2026, 4, 25, tzinfo=SHANGHAI), events)) == {
            CASE,
            OTHER,
        }

    def test_the_person_is_free_when_the_last_hold_that_is_left_ends_by_itself(self) -> None:
        day = date(2026, 3, 20)
        both = (hold("death", day), hold("death", None, OTHER))
        held = life(*both, release(OTHER), refer("call", OTHER, referral=2), history=BOTH)
        assert [stop.lifts_at for stop in DECIDER.fold(held).stops] == [None]
        after = datetime(2026, 3, 25, tzinfo=SHANGHAI)
        assert DECIDER.fold(until(after, held)).stops == ()

    def test_a_hold_written_before_reasons_told_holds_apart_is_lifted_whole(self) -> None:
        events = life(hold("dispute"), hold("complaint"), release())
        resumed = events[-1]
        assert isinstance(resumed, ContactResumed)
        old = [*life(hold("dispute")), replace(resumed, stop_reason=None)]
        assert DECIDER.fold(old).cases[CASE].stops == ()


class TestClosedWhileHeld:
    """The person outlasts the case: intake has no more word for it, so staff have."""

    CLOSED = close()
    RESUME = ResumeContact(
        kinds=("staff", "hardship", "hold"), scope="person", reason="alive", now=SOON
    )

    def test_the_person_stays_stopped_until_staff_resume(self) -> None:
        events = until(SOON, life(hold("death"), self.CLOSED, refer("call", OTHER), history=BOTH))
        assert permitted_cases(events) == set()
        state = DECIDER.fold(life(self.RESUME, history=events))
        assert state.stops == ()

    def test_staff_lift_no_hold_that_intake_may_still_release(self) -> None:
        given(*life(hold("death"), history=BOTH)).when(self.RESUME).then_nothing_happens()

    def test_a_hold_of_the_case_alone_ends_with_it(self) -> None:
        state = DECIDER.fold(life(hold("dispute"), self.CLOSED, history=BOTH))
        assert (state.stops, set(state.cases)) == ((), {OTHER})

"""A permit is asked again at the moment of sending, and what it no longer covers stays here."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from msgspec.structs import replace

from arrears.contact.adapters.policies import load_policies
from arrears.contact.domain.borrower.commands import (
    BorrowerCommand,
    EndContact,
    NoteOutcome,
    NoteReceipt,
    RecordPromise,
    StartTreatment,
    StopContact,
    WakeUp,
    WithdrawAttempt,
)
from arrears.contact.domain.borrower.decisions import make_borrower_decider, make_objection
from arrears.contact.domain.borrower.events import (
    AttemptDropped,
    AttemptPermitted,
    AttemptWithdrawn,
    BorrowerEvent,
    ContactPointsRecorded,
    TreatmentCompleted,
)
from arrears.contact.domain.permit import Denied
from arrears.contact.domain.values import ContactPoint, Said
from arrears.contact.testing.conduct import check
from arrears.shared.kernel.ids import BorrowerId, CaseId, LoanKey, StaffId
from arrears.shared.testing.decider_spec import DeciderSpec

SHANGHAI = ZoneInfo("Asia/Shanghai")
POLICIES = load_policies()
decider = make_borrower_decider(POLICIES, "Asia/Shanghai")
objection = make_objection(POLICIES, "Asia/Shanghai")
given = DeciderSpec(decider).given
EVENING = datetime(2026, 3, 2, 15, 59, tzinfo=UTC)
BORROWER = BorrowerId("borrower-1")
CASE, LOAN, STAFF = CaseId("case-1"), LoanKey("loan-1@/bank"), StaffId("collector-7")
POINTS = (ContactPoint(kind="phone", sealed="p"), ContactPoint(kind="address", sealed="a"))
PROFILE = ContactPointsRecorded(
    borrower_id=BORROWER,
    points=POINTS,
    zone="Asia/Shanghai",
    language="zh",
    origin="bank",
    recorded_at=EVENING,
)


def _refer(treatment: str, referral: int = 1) -> StartTreatment:
    return StartTreatment(
        case_id=CASE,
        loan_key=LOAN,
        borrower_id=BORROWER,
        referral=referral,
        treatment=treatment,
        overdue_minor=50_000,
        currency="CNY",
        days_past_due=6,
        product="loan",
        now=EVENING,
    )


def _stop(now: datetime) -> StopContact:
    return StopContact(
        borrower_id=BORROWER,
        kind="agreement",
        scope="case",
        reason="agreement_signed",
        said_at=now,
        now=now,
        case_id=CASE,
        loan_key=LOAN,
    )


def _after(events: Sequence[BorrowerEvent], *commands: BorrowerCommand) -> list[BorrowerEvent]:
    told = list(events)
    for command in commands:
        told.extend(decider.decide(command, decider.fold(told)))
    return told


def _permitted(treatment: str = "call") -> tuple[list[BorrowerEvent], AttemptPermitted]:
    events = _after([PROFILE], _refer(treatment))
    due = decider.due(decider.fold(events), EVENING)
    assert due is not None
    events = _after(events, WakeUp(now=due))
    permitted = events[-1]
    assert isinstance(permitted, AttemptPermitted)
    return events, permitted


def _objection(events: Sequence[BorrowerEvent], at: datetime) -> Denied | None:
    permitted = next(event for event in events if isinstance(event, AttemptPermitted))
    return objection(permitted, decider.fold(events), at)


def _denied(events: Sequence[BorrowerEvent], at: datetime) -> Denied:
    verdict = _objection(events, at)
    assert verdict is not None
    return verdict


def _withdraw(permitted: AttemptPermitted, verdict: Denied, now: datetime) -> WithdrawAttempt:
    return WithdrawAttempt(
        attempt_id=permitted.attempt_id,
        attempt_no=permitted.attempt_no,
        permitted_at=permitted.permitted_at,
        verdict=verdict,
        now=now,
    )


def _withdrawn(
    events: Sequence[BorrowerEvent], permitted: AttemptPermitted, at: datetime
) -> list[BorrowerEvent]:
    """What follows where the rules object at that moment."""
    command = _withdraw(permitted, _denied(events, at), at)
    return list(decider.decide(command, decider.fold(events)))


class TestObjection:
    @pytest.mark.parametrize("treatment", ["remind", "call", "demand", "visit"])
    def test_a_permit_just_given_holds(self, treatment: str) -> None:
        events, permitted = _permitted(treatment)
        assert _objection(events, permitted.permitted_at) is None
        assert _objection(events, permitted.valid_until - timedelta(seconds=1)) is None

    def test_the_clock_has_turned_quiet(self) -> None:
        events, permitted = _permitted()
        evening = datetime.combine(
            permitted.permitted_at.astimezone(SHANGHAI).date(), time(21), SHANGHAI
        )
        verdict = _denied(events, evening)
        assert verdict.rule == "quiet_hours"
        assert verdict.next_allowed_at == evening + timedelta(hours=11)

    def test_a_stop_was_heard(self) -> None:
        events, permitted = _permitted()
        at = permitted.permitted_at
        verdict = _denied(_after(events, _stop(at)), at)
        assert (verdict.rule, verdict.next_allowed_at) == ("agreement", None)

    def test_the_case_was_closed(self) -> None:
        events, permitted = _permitted()
        at = permitted.permitted_at
        closed = EndContact(case_id=CASE, reason="cured", said_at=at, now=at)
        assert _denied(_after(events, closed), at).rule == "case_closed"

    def test_a_promise_was_made_to_staff(self) -> None:
        events, permitted = _permitted()
        at = permitted.permitted_at
        promise = RecordPromise(
            case_id=CASE,
            amount_minor=100,
            currency="CNY",
            due_on=date(2026, 3, 10),
            recorded_by=STAFF,
            now=at,
        )
        assert _denied(_after(events, promise), at).rule == "promise_pending"

    def test_the_number_is_another_one_now(self) -> None:
        events, permitted = _permitted()
        points = (ContactPoint(kind="phone", sealed="new"),)
        moved = replace(PROFILE, points=points, recorded_at=permitted.permitted_at)
        verdict = _denied([*events, moved], permitted.permitted_at)
        assert (verdict.rule, verdict.reason) == ("contact_point", "the_contact_point_has_changed")

    def test_the_next_morning_needs_a_permit_of_its_own(self) -> None:
        events, permitted = _permitted()
        morning = permitted.permitted_at + timedelta(days=1)
        verdict = _denied(events, morning)
        assert (verdict.rule, verdict.next_allowed_at) == ("permit_ended", morning)

    def test_it_is_good_until_before_its_end(self) -> None:
        """The rules would permit a letter of the next day: at midnight it is another day."""
        events, permitted = _permitted("demand")
        verdict = _denied(events, permitted.valid_until)
        assert (verdict.rule, verdict.reason) == ("permit_ended", "the_permit_was_not_used_in_time")

    @pytest.mark.parametrize("receipted", [True, False])
    def test_what_was_made_is_not_made_again(self, receipted: bool) -> None:
        events, permitted = _permitted()
        at, attempt = permitted.permitted_at, permitted.attempt_id
        told: BorrowerCommand = NoteOutcome(
            attempt_id=attempt, outcome="no_answer", said=Said(), now=at
        )
        if receipted:
            told = NoteReceipt(attempt_id=attempt, receipt_id="r", gateway="g", now=at)
        assert _denied(_after(events, told), at).rule == "permit_ended"

    def test_it_does_not_count_against_itself(self) -> None:
        """The day's last allowed contact is this one."""
        events, permitted = _permitted()
        state = decider.fold(events)
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
        events, permitted = _permitted()
        evening = permitted.valid_until
        verdict = _denied(events, evening)
        [withdrawn] = _withdrawn(events, permitted, evening)
        assert isinstance(withdrawn, AttemptWithdrawn)
        assert (withdrawn.rule, withdrawn.next_allowed_at) == (
            "quiet_hours",
            verdict.next_allowed_at,
        )
        told = [*events, withdrawn]
        due = decider.due(decider.fold(told), evening)
        assert due is not None
        assert due == verdict.next_allowed_at
        again = _after(told, WakeUp(now=due))[-1]
        assert isinstance(again, AttemptPermitted)
        assert again.attempt_id == permitted.attempt_id
        assert objection(again, decider.fold([*told, again]), due) is None

    def test_an_ended_permit_is_followed_by_a_new_one_at_once(self) -> None:
        events, permitted = _permitted()
        morning = permitted.permitted_at + timedelta(days=1)
        withdrawn, again = _withdrawn(events, permitted, morning)
        assert isinstance(withdrawn, AttemptWithdrawn)
        assert isinstance(again, AttemptPermitted)
        assert (again.attempt_id, again.permitted_at) == (permitted.attempt_id, morning)

    def test_it_is_counted_nowhere(self) -> None:
        events, permitted = _permitted()
        told = [*events, *_withdrawn(events, permitted, permitted.valid_until)]
        state = decider.fold(told)
        assert state.contacts == ()
        treatment = state.cases[CASE].treatment
        assert treatment is not None
        assert (treatment.attempts_made, state.cases[CASE].in_flight) == (0, ())

    def test_a_stop_ends_the_treatment_as_it_ends_a_planned_attempt(self) -> None:
        events, permitted = _permitted()
        at = permitted.permitted_at
        stopped = _after(events, _stop(at))
        withdrawn, dropped, completed = _withdrawn(stopped, permitted, at)
        assert isinstance(withdrawn, AttemptWithdrawn)
        assert isinstance(dropped, AttemptDropped)
        assert isinstance(completed, TreatmentCompleted)
        assert (completed.result, completed.reason) == ("stopped", "agreement")

    def test_of_a_closed_case_nothing_is_left(self) -> None:
        events, permitted = _permitted()
        at = permitted.permitted_at
        closed = _after(events, EndContact(case_id=CASE, reason="cured", said_at=at, now=at))
        [withdrawn] = _withdrawn(closed, permitted, at)
        assert isinstance(withdrawn, AttemptWithdrawn)
        assert not decider.fold([*closed, withdrawn]).cases

    def test_an_earlier_referral_does_not_come_back(self) -> None:
        events, permitted = _permitted("demand")
        at = permitted.valid_until
        later = _after(events, replace(_refer("visit", referral=2), now=permitted.permitted_at))
        verdict = _denied(later, at)
        state = decider.fold([*later, *_withdrawn(later, permitted, at)])
        treatment = state.cases[CASE].treatment
        assert verdict.rule == "permit_ended"
        assert treatment is not None
        assert (treatment.treatment, treatment.attempts_made) == ("visit", 0)

    def test_twice_is_once_and_what_was_made_stays_made(self) -> None:
        events, permitted = _permitted()
        at = permitted.valid_until
        command = _withdraw(permitted, _denied(events, at), at)
        given(*_after(events, command)).when(command).then_nothing_happens()
        receipt = NoteReceipt(attempt_id=permitted.attempt_id, receipt_id="r", gateway="g", now=at)
        given(*_after(events, receipt)).when(command).then_nothing_happens()

    def test_it_takes_back_the_permit_it_names_and_no_later_one(self) -> None:
        events, permitted = _permitted()
        morning = permitted.permitted_at + timedelta(days=1)
        command = _withdraw(permitted, _denied(events, morning), morning)
        given(*_after(events, command)).when(command).then_nothing_happens()

    def test_the_checker_of_conduct_sees_one_permit_and_no_breach(self) -> None:
        events, permitted = _permitted()
        morning = permitted.permitted_at + timedelta(days=1)
        told = [*events, *_withdrawn(events, permitted, morning)]
        receipt = NoteReceipt(
            attempt_id=permitted.attempt_id, receipt_id="r", gateway="g", now=morning
        )
        conduct = check(_after(told, receipt), POLICIES)
        assert (conduct.permitted, conduct.denied, conduct.made) == (1, 1, 1)
        assert conduct.findings == ()

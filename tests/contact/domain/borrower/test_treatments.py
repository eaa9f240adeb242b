"""Referrals become treatments, treatments attempts, and each treatment ends once."""

from datetime import date, timedelta
from zoneinfo import ZoneInfo

import pytest
from msgspec.structs import replace

from arrears.contact.domain.borrower.commands import NoteReceipt, RecordContactPoints, WakeUp
from arrears.contact.domain.borrower.decisions import make_borrower_decider
from arrears.contact.domain.borrower.events import (
    AttemptConcluded,
    AttemptDenied,
    AttemptDropped,
    AttemptPermitted,
    AttemptReceipted,
    AttemptRequested,
    AttemptRescheduled,
    BorrowerEvent,
    ContactPointsRecorded,
    DemandDelivered,
    DemandReturned,
    TreatmentCompleted,
    TreatmentStarted,
    UnreachableReported,
)
from arrears.contact.domain.values import ContactPoint, Outcome
from arrears.contact.testing.borrower import (
    ADDRESS,
    BORROWER,
    CASE,
    DECIDER,
    EVENING,
    FIRST,
    LOAN,
    PHONE,
    POLICIES,
    PROFILE,
    SHANGHAI,
    life,
    note_outcome,
    refer,
    until_permit,
    wake,
)
from arrears.shared.kernel.ids import CaseId
from arrears.shared.testing.decider_spec import DeciderSpec

given = DeciderSpec(DECIDER).given

NEXT_DAY = date(2026, 3, 3)

sandbox_decider = make_borrower_decider(POLICIES, "Asia/Shanghai", sandbox_points=True)


class TestStartTreatment:
    @pytest.mark.parametrize(
        ("treatment", "channel"),
        [("remind", "sms"), ("call", "call"), ("demand", "letter"), ("visit", "visit")],
    )
    def test_a_referral_plans_one_attempt_in_the_allowed_hours_of_the_next_day(
        self, treatment: str, channel: str
    ) -> None:
        started, requested = life(refer(treatment))[-2:]
        assert isinstance(started, TreatmentStarted)
        assert (started.policy_id, started.policy_version) == ("cn-bank", 1)
        assert isinstance(requested, AttemptRequested)
        assert (requested.attempt_id, requested.channel) == (FIRST, channel)
        local = requested.planned_at.astimezone(SHANGHAI)
        assert local.date() == NEXT_DAY
        assert 8 <= local.hour < 21

    def test_the_same_referral_again_changes_nothing(self) -> None:
        given(*life(refer("call"))).when(refer("call")).then_nothing_happens()

    def test_a_referral_of_the_past_changes_nothing(self) -> None:
        given(*life(refer("call", referral=2))).when(refer("remind")).then_nothing_happens()

    def test_a_new_referral_ends_the_one_before(self) -> None:
        before = life(refer("remind"))
        dropped, completed, started, _ = life(refer("call", referral=2), history=before)[
            len(before) :
        ]
        assert isinstance(dropped, AttemptDropped)
        assert isinstance(completed, TreatmentCompleted)
        assert (completed.referral, completed.result) == (1, "stopped")
        assert isinstance(started, TreatmentStarted)
        assert started.referral == 2

    def test_refuses_a_treatment_that_the_policy_does_not_know(self) -> None:
        given().when(refer("serenade")).then_refused("unknown_treatment")

    def test_attempts_of_one_person_are_spread_over_days_by_the_limit(self) -> None:
        cases = [CaseId(f"case-{number}") for number in range(7)]
        events = life(*(refer("call", case_id=case_id) for case_id in cases))
        days = [
            event.planned_at.astimezone(SHANGHAI).date()
            for event in events
            if isinstance(event, AttemptRequested)
        ]
        expected = [NEXT_DAY + timedelta(days=n) for n in (0, 0, 0, 1, 1, 1, 2)]
        assert days == expected

    def test_the_plan_follows_the_borrowers_clock(self) -> None:
        abroad = replace(PROFILE, zone="America/New_York")
        requested = life(refer("call"), history=[abroad])[-1]
        assert isinstance(requested, AttemptRequested)
        local = requested.planned_at.astimezone(ZoneInfo("America/New_York"))
        assert requested.planned_at > EVENING
        assert 8 <= local.hour < 21


class TestSandboxPoints:
    def test_where_the_bank_gave_none_they_are_named_sandbox_before_anything_else(self) -> None:
        first = sandbox_decider.decide(refer("call"), sandbox_decider.initial)[0]
        assert isinstance(first, ContactPointsRecorded)
        assert first.origin == "sandbox"
        assert {point.sealed for point in first.points} == {"sandbox"}
        assert {point.kind for point in first.points} == {"phone", "address"}

    def test_what_the_bank_gave_is_never_filled_up(self) -> None:
        only_address = replace(PROFILE, points=(ADDRESS,))
        events = sandbox_decider.decide(refer("call"), sandbox_decider.fold([only_address]))
        assert not any(isinstance(event, ContactPointsRecorded) for event in events)

    def test_without_the_setting_there_are_none(self) -> None:
        events = DECIDER.decide(refer("call"), DECIDER.initial)
        assert not any(isinstance(event, ContactPointsRecorded) for event in events)

    def test_the_banks_word_replaces_them(self) -> None:
        events = list(sandbox_decider.decide(refer("call"), sandbox_decider.initial))
        state = sandbox_decider.fold([*events, PROFILE])
        assert state.points == PROFILE.points
        assert state.points_origin == "bank"


class TestPermit:
    def test_the_permit_asks_for_the_attempt_with_point_policy_and_inputs(self) -> None:
        _, permitted = until_permit("call")
        assert permitted.attempt_id == FIRST
        assert permitted.point == PHONE
        assert (permitted.policy_id, permitted.policy_version) == ("cn-bank", 1)
        assert permitted.inputs.zone == "Asia/Shanghai"
        assert permitted.inputs.connected_today == 0
        assert permitted.permitted_at < permitted.valid_until

    def test_it_is_given_once(self) -> None:
        events, permitted = until_permit("call")
        given(*events).when(WakeUp(now=permitted.permitted_at)).then_nothing_happens()

    def test_a_denied_attempt_comes_back_exactly_when_it_is_next_allowed(self) -> None:
        """The profile moves the borrower to a zone where it is night."""
        moved = RecordContactPoints(
            borrower_id=BORROWER,
            points=PROFILE.points,
            zone="America/New_York",
            language="zh",
            now=EVENING,
        )
        events = life(refer("call"), moved)
        requested = events[-2]
        assert isinstance(requested, AttemptRequested)
        events = wake(events)
        denied = events[-1]
        assert isinstance(denied, AttemptDenied)
        assert denied.rule == "quiet_hours"
        assert DECIDER.due(DECIDER.fold(events), denied.denied_at) == denied.next_allowed_at
        permitted = wake(events, denied.denied_at)[-1]
        assert isinstance(permitted, AttemptPermitted)
        assert permitted.permitted_at == denied.next_allowed_at


class TestNoPolicyInForce:
    """A version that is added after the last one has ended is found on the next day."""

    def test_the_attempt_is_asked_for_again_until_one_is(self) -> None:
        (policy,) = POLICIES
        ended = replace(policy, valid_until=date(2026, 3, 2))
        before = make_borrower_decider([ended], "Asia/Shanghai")
        events, now = life(refer("call")), EVENING
        for _ in range(3):
            due = before.due(before.fold(events), now)
            assert due is not None
            now = due
            denied = before.decide(WakeUp(now=now), before.fold(events))[-1]
            assert isinstance(denied, AttemptDenied)
            assert denied.rule == "policy_in_force"
            assert denied.next_allowed_at == now + timedelta(days=1)
            events.append(denied)
        added = replace(policy, version=2, valid_from=date(2026, 3, 6))
        after = make_borrower_decider([ended, added], "Asia/Shanghai")
        permitted = after.decide(WakeUp(now=now + timedelta(days=1)), after.fold(events))[-1]
        assert isinstance(permitted, AttemptPermitted)
        assert permitted.policy_version == 2


class TestNoContactPoint:
    WITHOUT_PHONE = replace(PROFILE, points=(ADDRESS,))

    def denied(self) -> tuple[list[BorrowerEvent], AttemptDenied]:
        events = wake(life(refer("call"), history=[self.WITHOUT_PHONE]))
        denied = events[-1]
        assert isinstance(denied, AttemptDenied)
        return events, denied

    def test_the_attempt_waits_for_one(self) -> None:
        _, denied = self.denied()
        assert (denied.rule, denied.next_allowed_at) == ("contact_point", None)
        assert denied.waits_until == denied.denied_at + timedelta(days=3)

    def test_and_comes_back_when_it_is_known(self) -> None:
        events, denied = self.denied()
        now = denied.denied_at + timedelta(hours=1)
        known = RecordContactPoints(
            borrower_id=BORROWER, points=(PHONE,), zone=None, language=None, now=now
        )
        events = life(known, history=events)
        rescheduled = events[-1]
        assert isinstance(rescheduled, AttemptRescheduled)
        permitted = wake(events, now)[-1]
        assert isinstance(permitted, AttemptPermitted)
        assert permitted.permitted_at == rescheduled.planned_at

    def test_a_point_of_another_kind_does_not_help(self) -> None:
        events, denied = self.denied()
        now = denied.denied_at + timedelta(hours=1)
        useless = ContactPoint(kind="email", sealed="sealed-mail")
        known = RecordContactPoints(
            borrower_id=BORROWER, points=(useless,), zone=None, language=None, now=now
        )
        after = life(known, history=events)
        assert [type(event) for event in after[len(events) :]] == [ContactPointsRecorded]

    def test_in_the_end_the_borrower_is_unreachable(self) -> None:
        events, denied = self.denied()
        unreachable, dropped, completed = wake(events, denied.denied_at)[-3:]
        assert isinstance(unreachable, UnreachableReported)
        assert isinstance(dropped, AttemptDropped)
        assert isinstance(completed, TreatmentCompleted)
        assert (completed.result, completed.reason) == ("unreachable", "no_contact_point")
        assert completed.completed_at == denied.waits_until


class TestOutcome:
    @pytest.mark.parametrize(
        ("treatment", "result"),
        [("remind", "delivered"), ("call", "connected"), ("demand", "delivered"), ("visit", "met")],
    )
    def test_a_success_completes_the_treatment(self, treatment: str, result: Outcome) -> None:
        events, permitted = until_permit(treatment)
        done = life(note_outcome(result, permitted.permitted_at), history=events)[len(events) :]
        assert isinstance(done[0], AttemptConcluded)
        completed = done[-1]
        assert isinstance(completed, TreatmentCompleted)
        assert (completed.result, completed.attempts_made) == ("reached", 1)

    @pytest.mark.parametrize(
        ("treatment", "failure", "tries"),
        [
            ("remind", "returned", 1),
            ("call", "no_answer", 3),
            ("demand", "returned", 2),
            ("visit", "not_home", 2),
            ("call", "unknown", 3),
        ],
    )
    def test_failures_are_tried_again_and_then_the_borrower_is_unreachable(
        self, treatment: str, failure: Outcome, tries: int
    ) -> None:
        events, now = life(refer(treatment)), EVENING
        made: list[tuple[str, int]] = []
        for _ in range(tries):
            assert not any(isinstance(event, TreatmentCompleted) for event in events)
            events = wake(events, now)
            permitted = events[-1]
            assert isinstance(permitted, AttemptPermitted)
            made.append((permitted.attempt_id, permitted.attempt_no))
            now = permitted.permitted_at + timedelta(minutes=5)
            events = life(
                note_outcome(failure, now, attempt_id=permitted.attempt_id), history=events
            )
        assert made == [(f"{CASE}/{n}", n) for n in range(1, tries + 1)]
        unreachable, completed = events[-2:]
        assert isinstance(unreachable, UnreachableReported)
        assert isinstance(completed, TreatmentCompleted)
        assert (completed.result, completed.attempts_made) == ("unreachable", tries)
        assert DECIDER.due(DECIDER.fold(events), now) is None

    def test_each_call_takes_another_part_of_the_day(self) -> None:
        events, now, clocks = life(refer("call")), EVENING, []
        for _ in range(3):
            events = wake(events, now)
            permitted = events[-1]
            assert isinstance(permitted, AttemptPermitted)
            now = permitted.permitted_at
            local = now.astimezone(SHANGHAI)
            clocks.append((local.hour * 60 + local.minute - 8 * 60) // 250)
            events = life(
                note_outcome("no_answer", now, attempt_id=permitted.attempt_id), history=events
            )
        assert sorted(clocks) == [0, 1, 2]

    def test_the_same_outcome_twice_counts_once(self) -> None:
        events, permitted = until_permit("call")
        told = note_outcome("connected", permitted.permitted_at)
        given(*life(told, history=events)).when(told).then_nothing_happens()

    def test_an_outcome_of_an_attempt_that_was_never_permitted_changes_nothing(self) -> None:
        given(*life(refer("call"))).when(note_outcome("connected", EVENING)).then_nothing_happens()

    def test_an_outcome_that_never_comes_is_given_up(self) -> None:
        events, permitted = until_permit("demand")
        concluded = wake(events, permitted.permitted_at)[len(events)]
        assert isinstance(concluded, AttemptConcluded)
        assert concluded.outcome == "unknown"
        assert concluded.concluded_at == permitted.outcome_expected_by

    def test_a_delivered_demand_is_a_fact_of_its_own_with_its_total(self) -> None:
        events, permitted = until_permit("demand")
        now = permitted.permitted_at + timedelta(days=3)
        delivered = life(note_outcome("delivered", now), history=events)[len(events) + 1]
        assert delivered == DemandDelivered(
            case_id=CASE,
            loan_key=LOAN,
            attempt_id=FIRST,
            total_minor=50_000,
            currency="CNY",
            delivered_at=now,
        )

    def test_a_returned_demand_is_told_and_sent_once_more(self) -> None:
        events, permitted = until_permit("demand")
        told = life(note_outcome("returned", permitted.permitted_at), history=events)[len(events) :]
        assert [type(event) for event in told] == [
            AttemptConcluded,
            DemandReturned,
            AttemptRequested,
        ]


class TestReceipt:
    def test_a_receipt_is_recorded_once(self) -> None:
        events, permitted = until_permit("remind")
        told = NoteReceipt(
            attempt_id=FIRST, receipt_id="r-1", gateway="sandbox", now=permitted.permitted_at
        )
        receipted = life(told, history=events)
        assert isinstance(receipted[-1], AttemptReceipted)
        given(*receipted).when(told).then_nothing_happens()

    def test_a_receipt_without_a_permit_changes_nothing(self) -> None:
        told = NoteReceipt(attempt_id=FIRST, receipt_id="r-1", gateway="sandbox", now=EVENING)
        given(*life(refer("remind"))).when(told).then_nothing_happens()

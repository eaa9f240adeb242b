"""Hardship shields the person, whichever loan it was claimed on; a refusal is told once a day."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from msgspec.structs import replace

from arrears.contact.adapters.policies import load_policies
from arrears.contact.domain.borrower.commands import (
    BorrowerCommand,
    EndContact,
    NoteOutcome,
    RecordHardship,
    RecordPromise,
    RecordRefusal,
    StartTreatment,
    StopContact,
    WakeUp,
)
from arrears.contact.domain.borrower.decisions import make_borrower_decider
from arrears.contact.domain.borrower.events import (
    AttemptConcluded,
    AttemptDropped,
    AttemptPermitted,
    BorrowerEvent,
    ContactPointsRecorded,
    ContactStopped,
    HardshipReported,
    RefusalReported,
    TreatmentCompleted,
)
from arrears.contact.domain.values import AttemptId, ContactPoint, Outcome, Said, SaidKind
from arrears.shared.kernel.ids import BorrowerId, CaseId, LoanKey, StaffId
from arrears.shared.testing.decider_spec import DeciderSpec

SHANGHAI = ZoneInfo("Asia/Shanghai")
NOON = datetime(2026, 3, 2, 12, 0, tzinfo=SHANGHAI).astimezone(UTC)
TODAY = date(2026, 3, 2)
CASE, OTHER = CaseId("case-1"), CaseId("case-2")
LOAN, OTHER_LOAN = LoanKey("loan-1@/bank"), LoanKey("loan-2@/bank")
STAFF = StaffId("collector-7")

decider = make_borrower_decider(load_policies(), "Asia/Shanghai")
given = DeciderSpec(decider).given

PROFILE = ContactPointsRecorded(
    borrower_id=BorrowerId("borrower-1"),
    points=(ContactPoint(kind="phone", sealed="p"), ContactPoint(kind="address", sealed="a")),
    zone="Asia/Shanghai",
    language="zh",
    origin="bank",
    recorded_at=NOON,
)


def refer(treatment: str, case_id: CaseId = CASE, now: datetime = NOON) -> StartTreatment:
    return StartTreatment(
        case_id=case_id,
        loan_key=LOAN if case_id == CASE else OTHER_LOAN,
        borrower_id=BorrowerId("borrower-1"),
        referral=1,
        treatment=treatment,
        overdue_minor=50_000,
        currency="CNY",
        days_past_due=16,
        product="loan",
        now=now,
    )


def life(
    *commands: BorrowerCommand, history: Sequence[BorrowerEvent] = (PROFILE,)
) -> list[BorrowerEvent]:
    events = list(history)
    for command in commands:
        events.extend(decider.decide(command, decider.fold(events)))
    return events


KNOWN = tuple(life(refer("remind")))


class TestRecordHardship:
    COMMAND = RecordHardship(case_id=CASE, review_on=date(2026, 4, 1), recorded_by=STAFF, now=NOON)

    def test_shields_the_person_and_drops_what_was_planned(self) -> None:
        events = life(self.COMMAND, history=KNOWN)[len(KNOWN) :]
        assert [type(event) for event in events] == [
            HardshipReported,
            ContactStopped,
            AttemptDropped,
            TreatmentCompleted,
        ]

    def test_stops_every_case_of_the_person(self) -> None:
        events = life(refer("demand", OTHER), self.COMMAND, history=KNOWN)
        stopped = [event.case_id for event in events if isinstance(event, ContactStopped)]
        assert stopped == [CASE, OTHER]
        results = {
            event.case_id: event.result for event in events if isinstance(event, TreatmentCompleted)
        }
        assert results == {CASE: "stopped", OTHER: "stopped"}

    def test_the_same_again_changes_nothing(self) -> None:
        given(*life(self.COMMAND, history=KNOWN)).when(self.COMMAND).then_nothing_happens()

    def test_the_policy_of_the_day_decides_and_not_the_one_to_come(self) -> None:
        (policy,) = load_policies()
        rule = replace(policy.hardship, review_days_max=7, review_days_default=7)
        valid_from = TODAY + timedelta(days=1)
        to_come = replace(policy, version=2, valid_from=valid_from, hardship=rule)
        ended = replace(policy, valid_until=TODAY)
        both = make_borrower_decider([ended, to_come], "Asia/Shanghai")
        reported = both.decide(self.COMMAND, both.fold(KNOWN))[0]
        assert isinstance(reported, HardshipReported)
        assert reported.review_on == self.COMMAND.review_on

    def test_a_later_review_prolongs_the_shield(self) -> None:
        longer = replace(self.COMMAND, review_on=date(2026, 5, 1))
        state = decider.fold(life(self.COMMAND, longer, history=KNOWN))
        (stop,) = state.stops
        assert stop.lifts_at == datetime(2026, 5, 1, tzinfo=SHANGHAI)

    @pytest.mark.parametrize("review_on", [date(2026, 3, 3), date(2026, 3, 31)])
    def test_a_claim_never_shortens_the_shield(self, review_on: date) -> None:
        shorter = replace(self.COMMAND, review_on=review_on)
        given(*life(self.COMMAND, history=KNOWN)).when(shorter).then_nothing_happens()

    def test_a_claim_without_a_day_never_shortens_it_either(self) -> None:
        """Thirty days from an answer on the telephone are fewer than what staff have agreed."""
        events = life(refer("visit", OTHER), history=KNOWN)
        due = decider.due(decider.fold(events), NOON)
        while not isinstance(events[-1], AttemptPermitted):
            assert due is not None
            events = life(WakeUp(now=due), history=events)
            due = decider.due(decider.fold(events), due)
        permitted = events[-1]
        long = replace(self.COMMAND, review_on=date(2026, 6, 1), now=permitted.permitted_at)
        claimed = NoteOutcome(
            attempt_id=permitted.attempt_id,
            outcome="met",
            said=Said(kind="hardship"),
            now=permitted.permitted_at,
        )
        (shield,) = decider.fold(life(long, claimed, history=events)).stops
        assert shield.lifts_at == datetime(2026, 6, 1, tzinfo=SHANGHAI)

    @pytest.mark.parametrize(
        ("review_on", "reason"),
        [
            (TODAY, "review_not_in_the_future"),
            (date(2027, 1, 1), "review_too_far_ahead"),
        ],
    )
    def test_refuses_a_review_that_cannot_hold(self, review_on: date, reason: str) -> None:
        command = replace(self.COMMAND, review_on=review_on)
        given(*KNOWN).when(command).then_refused(reason)


class TestToldOfAClosedCase:
    """The case was closed while its call was under way; the person has other loans."""

    def told(self, said: Said, outcome: Outcome = "connected") -> list[BorrowerEvent]:
        events = life(refer("call"))
        due = decider.due(decider.fold(events), NOON)
        assert due is not None
        events = life(WakeUp(now=due), refer("call", OTHER, due), history=events)
        closed = EndContact(case_id=CASE, reason="cured", said_at=due, now=due)
        answer = NoteOutcome(attempt_id=AttemptId("case-1/1"), outcome=outcome, said=said, now=due)
        before = life(closed, history=events)
        return life(answer, history=before)[len(before) :]

    def test_hardship_shields_the_person(self) -> None:
        events = self.told(Said(kind="hardship", review_on=date(2026, 4, 1)))
        assert [type(event) for event in events] == [
            AttemptConcluded,
            HardshipReported,
            ContactStopped,
            AttemptDropped,
            TreatmentCompleted,
        ]
        reported = events[1]
        assert isinstance(reported, HardshipReported)
        assert (reported.case_id, reported.attempt_id) == (OTHER, AttemptId("case-1/1"))

    @pytest.mark.parametrize(
        ("kind", "outcome"),
        [("promise", "connected"), ("refusal", "connected"), ("hardship", "no_answer")],
    )
    def test_nothing_else_follows(self, kind: SaidKind, outcome: Outcome) -> None:
        said = Said(kind=kind, amount_minor=1, due_on=date(2026, 3, 10))
        assert [type(event) for event in self.told(said, outcome)] == [AttemptConcluded]

    def test_it_holds_for_a_loan_that_falls_into_arrears_later(self) -> None:
        events = life(refer("call"))
        due = decider.due(decider.fold(events), NOON)
        assert due is not None
        closed = EndContact(case_id=CASE, reason="cured", said_at=due, now=due)
        answer = NoteOutcome(
            attempt_id=AttemptId("case-1/1"),
            outcome="connected",
            said=Said(kind="hardship"),
            now=due,
        )
        later = refer("call", OTHER, due + timedelta(days=2))
        events = life(WakeUp(now=due), closed, answer, later, history=events)
        reported = events[-1]
        assert isinstance(reported, HardshipReported)
        assert reported.case_id == OTHER


class TestTwoLoans:
    """The others act by case, so each open case of the person is reported."""

    CLAIM = RecordHardship(case_id=CASE, review_on=date(2026, 4, 1), recorded_by=STAFF, now=NOON)
    LATER = NOON + timedelta(days=2)

    def reported(self, events: Sequence[BorrowerEvent]) -> list[tuple[CaseId, LoanKey, date]]:
        return [
            (event.case_id, event.loan_key, event.review_on)
            for event in events
            if isinstance(event, HardshipReported)
        ]

    def test_a_claim_is_told_of_every_open_case(self) -> None:
        events = life(refer("demand", OTHER), self.CLAIM, history=KNOWN)
        assert self.reported(events) == [
            (CASE, LOAN, date(2026, 4, 1)),
            (OTHER, OTHER_LOAN, date(2026, 4, 1)),
        ]

    def test_a_closed_case_is_not_told_of(self) -> None:
        closed = EndContact(case_id=OTHER, reason="cured", said_at=NOON, now=NOON)
        events = life(refer("demand", OTHER), closed, self.CLAIM, history=KNOWN)
        assert [case_id for case_id, *_ in self.reported(events)] == [CASE]

    def test_nor_one_whose_promise_is_not_judged_yet(self) -> None:
        promise = RecordPromise(
            case_id=OTHER,
            amount_minor=10_000,
            currency="CNY",
            due_on=date(2026, 3, 9),
            recorded_by=STAFF,
            now=NOON,
        )
        closed = EndContact(case_id=OTHER, reason="written_off", said_at=NOON, now=NOON)
        events = life(refer("demand", OTHER), promise, closed, history=KNOWN)
        assert OTHER in decider.fold(events).cases
        told = life(self.CLAIM, history=events)[len(events) :]
        assert [case_id for case_id, *_ in self.reported(told)] == [CASE]
        assert [one.case_id for one in told if isinstance(one, ContactStopped)] == [CASE]

    def test_a_case_that_comes_while_the_shield_stands_is_told_of_too(self) -> None:
        events = life(self.CLAIM, refer("call", OTHER, self.LATER), history=KNOWN)
        assert self.reported(events) == [
            (CASE, LOAN, date(2026, 4, 1)),
            (OTHER, OTHER_LOAN, date(2026, 4, 1)),
        ]
        assert isinstance(events[-1], HardshipReported)
        assert (events[-1].attempt_id, events[-1].recorded_by) == (None, None)

    def test_a_case_that_comes_after_the_review_is_not(self) -> None:
        late = refer("call", OTHER, datetime(2026, 4, 1, tzinfo=SHANGHAI))
        events = life(self.CLAIM, late, history=KNOWN)
        assert [case_id for case_id, *_ in self.reported(events)] == [CASE]

    def test_a_case_is_told_of_once_for_each_shield(self) -> None:
        again = replace(refer("call", OTHER, self.LATER), referral=2)
        events = life(refer("demand", OTHER), self.CLAIM, again, history=KNOWN)
        assert len(self.reported(events)) == 2
        longer = replace(self.CLAIM, review_on=date(2026, 5, 1), now=self.LATER)
        assert len(self.reported(life(longer, history=events))) == 4

    def test_a_case_that_is_known_by_its_agreement_is_told_of_with_the_next_claim(self) -> None:
        agreed = StopContact(
            borrower_id=BorrowerId("borrower-1"),
            kind="agreement",
            scope="case",
            case_id=OTHER,
            loan_key=OTHER_LOAN,
            reason="agreement_signed",
            said_at=NOON,
            now=NOON,
        )
        events = life(self.CLAIM, agreed, replace(self.CLAIM, case_id=OTHER), history=KNOWN)
        assert [case_id for case_id, *_ in self.reported(events)] == [CASE, OTHER]


class TestRecordRefusal:
    COMMAND = RecordRefusal(case_id=CASE, recorded_by=STAFF, now=NOON)

    def test_is_told_once_a_day(self) -> None:
        events = life(self.COMMAND, history=KNOWN)
        assert isinstance(events[-1], RefusalReported)
        later = replace(self.COMMAND, now=NOON + timedelta(hours=3))
        given(*events).when(later).then_nothing_happens()
        tomorrow = replace(self.COMMAND, now=NOON - timedelta(hours=11) + timedelta(days=1))
        first = decider.decide(tomorrow, decider.fold(events))[0]
        assert isinstance(first, RefusalReported)

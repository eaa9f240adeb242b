"""Hardship shields the person, whichever loan it was claimed on; a refusal is told once a day."""

from collections.abc import Sequence
from datetime import date, datetime, timedelta

import pytest
from msgspec.structs import replace

from arrears.contact.adapters.policies import load_policies
from arrears.contact.domain.borrower.commands import RecordRefusal, WakeUp
from arrears.contact.domain.borrower.decisions import make_borrower_decider
from arrears.contact.domain.borrower.events import (
    AttemptConcluded,
    AttemptDropped,
    AttemptPermitted,
    BorrowerEvent,
    ContactStopped,
    HardshipReported,
    RefusalReported,
    TreatmentCompleted,
)
from arrears.contact.domain.values import Outcome, Said, SaidKind
from arrears.contact.testing.borrower import (
    CASE,
    DECIDER,
    EVENING,
    FIRST,
    LOAN,
    OTHER,
    OTHER_LOAN,
    SHANGHAI,
    STAFF,
    TODAY,
    claim_hardship,
    close,
    life,
    note_outcome,
    promise,
    refer,
    stop_case,
    until_permit,
)
from arrears.shared.kernel.ids import CaseId, LoanKey
from arrears.shared.testing.decider_spec import DeciderSpec

given = DeciderSpec(DECIDER).given

KNOWN = tuple(life(refer("remind")))


class TestRecordHardship:
    COMMAND = claim_hardship()

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
        state = DECIDER.fold(life(self.COMMAND, longer, history=KNOWN))
        (stop,) = state.stops
        assert stop.lifts_at == datetime(2026, 5, 1, tzinfo=SHANGHAI)

    @pytest.mark.parametrize("review_on", [date(2026, 3, 3), date(2026, 3, 31)])
    def test_a_claim_never_shortens_the_shield(self, review_on: date) -> None:
        shorter = replace(self.COMMAND, review_on=review_on)
        given(*life(self.COMMAND, history=KNOWN)).when(shorter).then_nothing_happens()

    def test_a_claim_without_a_day_never_shortens_it_either(self) -> None:
        """Thirty days from an answer on the telephone are fewer than what staff have agreed."""
        events = life(refer("visit", OTHER), history=KNOWN)
        due = DECIDER.due(DECIDER.fold(events), EVENING)
        while not isinstance(events[-1], AttemptPermitted):
            assert due is not None
            events = life(WakeUp(now=due), history=events)
            due = DECIDER.due(DECIDER.fold(events), due)
        permitted = events[-1]
        long = replace(self.COMMAND, review_on=date(2026, 6, 1), now=permitted.permitted_at)
        claimed = note_outcome(
            "met", permitted.permitted_at, Said(kind="hardship"), attempt_id=permitted.attempt_id
        )
        (shield,) = DECIDER.fold(life(long, claimed, history=events)).stops
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
        events, permitted = until_permit("call")
        due = permitted.permitted_at
        events = life(refer("call", OTHER, now=due), history=events)
        closed = close(now=due)
        answer = note_outcome(outcome, due, said)
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
        assert (reported.case_id, reported.attempt_id) == (OTHER, FIRST)

    @pytest.mark.parametrize(
        ("kind", "outcome"),
        [("promise", "connected"), ("refusal", "connected"), ("hardship", "no_answer")],
    )
    def test_nothing_else_follows(self, kind: SaidKind, outcome: Outcome) -> None:
        said = Said(kind=kind, amount_minor=1, due_on=date(2026, 3, 10))
        assert [type(event) for event in self.told(said, outcome)] == [AttemptConcluded]

    def test_it_holds_for_a_loan_that_falls_into_arrears_later(self) -> None:
        events, permitted = until_permit("call")
        due = permitted.permitted_at
        closed = close(now=due)
        answer = note_outcome("connected", due, Said(kind="hardship"))
        later = refer("call", OTHER, now=due + timedelta(days=2))
        events = life(closed, answer, later, history=events)
        reported = events[-1]
        assert isinstance(reported, HardshipReported)
        assert reported.case_id == OTHER


class TestTwoLoans:
    """The others act by case, so each open case of the person is reported."""

    CLAIM = claim_hardship()
    LATER = EVENING + timedelta(days=2)

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
        closed = close(case_id=OTHER)
        events = life(refer("demand", OTHER), closed, self.CLAIM, history=KNOWN)
        assert [case_id for case_id, *_ in self.reported(events)] == [CASE]

    def test_nor_one_whose_promise_is_not_judged_yet(self) -> None:
        closed = close(case_id=OTHER, reason="written_off")
        events = life(refer("demand", OTHER), promise(case_id=OTHER), closed, history=KNOWN)
        assert OTHER in DECIDER.fold(events).cases
        told = life(self.CLAIM, history=events)[len(events) :]
        assert [case_id for case_id, *_ in self.reported(told)] == [CASE]
        assert [one.case_id for one in told if isinstance(one, ContactStopped)] == [CASE]

    def test_a_case_that_comes_while_the_shield_stands_is_told_of_too(self) -> None:
        events = life(self.CLAIM, refer("call", OTHER, now=self.LATER), history=KNOWN)
        assert self.reported(events) == [
            (CASE, LOAN, date(2026, 4, 1)),
            (OTHER, OTHER_LOAN, date(2026, 4, 1)),
        ]
        assert isinstance(events[-1], HardshipReported)
        assert (events[-1].attempt_id, events[-1].recorded_by) == (None, None)

    def test_a_case_that_comes_after_the_review_is_not(self) -> None:
        late = refer("call", OTHER, now=datetime(2026, 4, 1, tzinfo=SHANGHAI))
        events = life(self.CLAIM, late, history=KNOWN)
        assert [case_id for case_id, *_ in self.reported(events)] == [CASE]

    def test_a_case_is_told_of_once_for_each_shield(self) -> None:
        again = refer("call", OTHER, referral=2, now=self.LATER)
        events = life(refer("demand", OTHER), self.CLAIM, again, history=KNOWN)
        assert len(self.reported(events)) == 2
        longer = replace(self.CLAIM, review_on=date(2026, 5, 1), now=self.LATER)
        assert len(self.reported(life(longer, history=events))) == 4

    def test_a_case_that_is_known_by_its_agreement_is_told_of_with_the_next_claim(self) -> None:
        agreed = stop_case("agreement", "agreement_signed", OTHER)
        events = life(self.CLAIM, agreed, replace(self.CLAIM, case_id=OTHER), history=KNOWN)
        assert [case_id for case_id, *_ in self.reported(events)] == [CASE, OTHER]


class TestRecordRefusal:
    COMMAND = RecordRefusal(case_id=CASE, recorded_by=STAFF, now=EVENING)

    def test_is_told_once_a_day(self) -> None:
        events = life(self.COMMAND, history=KNOWN)
        assert isinstance(events[-1], RefusalReported)
        later = replace(self.COMMAND, now=EVENING + timedelta(seconds=59))
        given(*events).when(later).then_nothing_happens()
        tomorrow = replace(self.COMMAND, now=EVENING + timedelta(minutes=1))
        first = DECIDER.decide(tomorrow, DECIDER.fold(events))[0]
        assert isinstance(first, RefusalReported)

"""An attempt that was given up as unknown: what is told of it later is recorded, once."""

from datetime import date, datetime, timedelta

import pytest

from arrears.contact.domain.borrower.commands import NoteReceipt, WakeUp
from arrears.contact.domain.borrower.events import (
    AttemptAnsweredLate,
    AttemptDropped,
    AttemptReceipted,
    BorrowerEvent,
    DemandDelivered,
    DemandReturned,
    TreatmentCompleted,
)
from arrears.contact.domain.borrower.promise_events import PromiseMade
from arrears.contact.domain.values import Outcome, Said
from arrears.contact.testing.borrower import (
    CASE,
    DECIDER,
    EVENING,
    FIRST,
    close,
    life,
    note_outcome,
    refer,
    until_permit,
)
from arrears.shared.testing.decider_spec import DeciderSpec

given = DeciderSpec(DECIDER).given


def given_up(treatment: str) -> tuple[list[BorrowerEvent], datetime]:
    """The first attempt is made and nobody says what came of it; when it was given up."""
    events, now = life(refer(treatment)), EVENING
    while not (file := DECIDER.fold(events).cases.get(CASE)) or not any(
        sent.attempt_id == FIRST for sent in file.unheard
    ):
        due = DECIDER.due(DECIDER.fold(events), now)
        assert due is not None
        now = due
        events = life(WakeUp(now=now), history=events)
    return events, now


class TestLetter:
    def test_the_proof_of_delivery_is_kept_and_said(self) -> None:
        events, now = given_up("demand")
        at = now + timedelta(hours=1)
        receipt = NoteReceipt(attempt_id=FIRST, receipt_id="R", gateway="post", now=at)
        late = life(receipt, note_outcome("delivered", at), history=events)[len(events) :]
        receipted, answered, delivered, dropped, completed = late
        assert isinstance(receipted, AttemptReceipted)
        assert isinstance(answered, AttemptAnsweredLate)
        assert (answered.outcome, answered.answered_at) == ("delivered", at)
        assert isinstance(delivered, DemandDelivered)
        assert (delivered.total_minor, delivered.delivered_at) == (50_000, at)
        assert isinstance(dropped, AttemptDropped)
        assert isinstance(completed, TreatmentCompleted)
        assert (completed.result, completed.attempts_made) == ("reached", 1)

    def test_it_is_said_once(self) -> None:
        events, now = given_up("demand")
        receipt = NoteReceipt(attempt_id=FIRST, receipt_id="R", gateway="post", now=now)
        events = life(receipt, history=events)
        given(*events).when(receipt).then_nothing_happens()
        events = life(note_outcome("delivered", now), history=events)
        given(*events).when(note_outcome("delivered", now)).then_nothing_happens()
        given(*events).when(note_outcome("returned", now)).then_nothing_happens()
        given(*events).when(receipt).then_nothing_happens()

    def test_that_nobody_knows_is_no_news(self) -> None:
        events, now = given_up("demand")
        assert not any(isinstance(event, DemandDelivered | DemandReturned) for event in events)
        given(*events).when(note_outcome("unknown", now)).then_nothing_happens()

    def test_one_that_came_back_is_told_and_the_next_goes_on(self) -> None:
        events, now = given_up("demand")
        answered, returned = life(note_outcome("returned", now), history=events)[len(events) :]
        assert isinstance(answered, AttemptAnsweredLate)
        assert isinstance(returned, DemandReturned)

    def test_after_the_referral_was_answered_it_is_told_and_nothing_else(self) -> None:
        events, now = given_up("demand")
        while not any(isinstance(event, TreatmentCompleted) for event in events):
            due = DECIDER.due(DECIDER.fold(events), now)
            assert due is not None
            now = due
            events = life(WakeUp(now=now), history=events)
        answered, delivered = life(note_outcome("delivered", now), history=events)[len(events) :]
        assert isinstance(answered, AttemptAnsweredLate)
        assert isinstance(delivered, DemandDelivered)

    def test_of_a_closed_case_nothing_is_asked_any_more(self) -> None:
        events, now = given_up("demand")
        closed = close(now=now)
        events = life(closed, history=events)
        assert not DECIDER.fold(events).cases
        given(*events).when(note_outcome("delivered", now)).then_nothing_happens()


class TestCall:
    def test_what_the_borrower_said_still_counts(self) -> None:
        events, now = given_up("call")
        said = Said(kind="promise", amount_minor=20_000, due_on=date(2026, 3, 20))
        answered, made, *_ = life(note_outcome("connected", now, said), history=events)[
            len(events) :
        ]
        assert isinstance(answered, AttemptAnsweredLate)
        assert isinstance(made, PromiseMade)

    @pytest.mark.parametrize("outcome", ["no_answer", "connected"])
    def test_the_limits_count_it_as_before(self, outcome: Outcome) -> None:
        """Staff may say at once that nobody knows, and the gateway the truth on the same day."""
        events, permitted = until_permit("call")
        due = permitted.permitted_at
        events = life(note_outcome("unknown", due), note_outcome(outcome, due), history=events)
        assert any(isinstance(event, AttemptAnsweredLate) for event in events)
        assert [contact.outcome for contact in DECIDER.fold(events).contacts] == ["unknown"]

"""An attempt that was given up as unknown: what is told of it later is recorded, once."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from arrears.contact.adapters.policies import load_policies
from arrears.contact.domain.borrower.commands import (
    BorrowerCommand,
    EndContact,
    NoteOutcome,
    NoteReceipt,
    StartTreatment,
    WakeUp,
)
from arrears.contact.domain.borrower.decisions import make_borrower_decider
from arrears.contact.domain.borrower.events import (
    AttemptAnsweredLate,
    AttemptDropped,
    AttemptPermitted,
    AttemptReceipted,
    BorrowerEvent,
    ContactPointsRecorded,
    DemandDelivered,
    DemandReturned,
    TreatmentCompleted,
)
from arrears.contact.domain.borrower.promise_events import PromiseMade
from arrears.contact.domain.values import AttemptId, ContactPoint, Outcome, Said
from arrears.shared.kernel.ids import BorrowerId, CaseId, LoanKey
from arrears.shared.testing.decider_spec import DeciderSpec

EVENING = datetime(2026, 3, 2, 23, 59, tzinfo=ZoneInfo("Asia/Shanghai")).astimezone(UTC)
BORROWER = BorrowerId("borrower-1")
CASE = CaseId("case-1")
LOAN = LoanKey("loan-1@/bank")
FIRST = AttemptId("case-1/1")

decider = make_borrower_decider(load_policies(), "Asia/Shanghai")
given = DeciderSpec(decider).given

PROFILE = ContactPointsRecorded(
    borrower_id=BORROWER,
    points=(ContactPoint(kind="phone", sealed="p"), ContactPoint(kind="address", sealed="a")),
    zone="Asia/Shanghai",
    language="zh",
    origin="bank",
    recorded_at=EVENING,
)


def refer(treatment: str) -> StartTreatment:
    return StartTreatment(
        case_id=CASE,
        loan_key=LOAN,
        borrower_id=BORROWER,
        referral=1,
        treatment=treatment,
        overdue_minor=50_000,
        currency="CNY",
        days_past_due=31,
        product="loan",
        now=EVENING,
    )


def life(*commands: BorrowerCommand, history: Sequence[BorrowerEvent]) -> list[BorrowerEvent]:
    events = list(history)
    for command in commands:
        events.extend(decider.decide(command, decider.fold(events)))
    return events


def given_up(treatment: str) -> tuple[list[BorrowerEvent], datetime]:
    """The first attempt is made and nobody says what came of it; when it was given up."""
    events, now = life(refer(treatment), history=[PROFILE]), EVENING
    while not (file := decider.fold(events).cases.get(CASE)) or not any(
        sent.attempt_id == FIRST for sent in file.unheard
    ):
        due = decider.due(decider.fold(events), now)
        assert due is not None
        now = due
        events = life(WakeUp(now=now), history=events)
    return events, now


def told(outcome: Outcome, at: datetime, said: Said | None = None) -> NoteOutcome:
    return NoteOutcome(attempt_id=FIRST, outcome=outcome, said=said or Said(), now=at)


class TestLetter:
    def test_the_proof_of_delivery_is_kept_and_said(self) -> None:
        events, now = given_up("demand")
        at = now + timedelta(hours=1)
        receipt = NoteReceipt(attempt_id=FIRST, receipt_id="R", gateway="post", now=at)
        late = life(receipt, told("delivered", at), history=events)[len(events) :]
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
        events = life(told("delivered", now), history=events)
        given(*events).when(told("delivered", now)).then_nothing_happens()
        given(*events).when(told("returned", now)).then_nothing_happens()
        given(*events).when(receipt).then_nothing_happens()

    def test_that_nobody_knows_is_no_news(self) -> None:
        events, now = given_up("demand")
        assert not any(isinstance(event, DemandDelivered | DemandReturned) for event in events)
        given(*events).when(told("unknown", now)).then_nothing_happens()

    def test_one_that_came_back_is_told_and_the_next_goes_on(self) -> None:
        events, now = given_up("demand")
        answered, returned = life(told("returned", now), history=events)[len(events) :]
        assert isinstance(answered, AttemptAnsweredLate)
        assert isinstance(returned, DemandReturned)

    def test_after_the_referral_was_answered_it_is_told_and_nothing_else(self) -> None:
        events, now = given_up("demand")
        while not any(isinstance(event, TreatmentCompleted) for event in events):
            due = decider.due(decider.fold(events), now)
            assert due is not None
            now = due
            events = life(WakeUp(now=now), history=events)
        answered, delivered = life(told("delivered", now), history=events)[len(events) :]
        assert isinstance(answered, AttemptAnsweredLate)
        assert isinstance(delivered, DemandDelivered)

    def test_of_a_closed_case_nothing_is_asked_any_more(self) -> None:
        events, now = given_up("demand")
        closed = EndContact(case_id=CASE, reason="cured", said_at=now, now=now)
        events = life(closed, history=events)
        assert not decider.fold(events).cases
        given(*events).when(told("delivered", now)).then_nothing_happens()


class TestCall:
    def test_what_the_borrower_said_still_counts(self) -> None:
        events, now = given_up("call")
        said = Said(kind="promise", amount_minor=20_000, due_on=date(2026, 3, 20))
        answered, made, *_ = life(told("connected", now, said), history=events)[len(events) :]
        assert isinstance(answered, AttemptAnsweredLate)
        assert isinstance(made, PromiseMade)

    @pytest.mark.parametrize("outcome", ["no_answer", "connected"])
    def test_the_limits_count_it_as_before(self, outcome: Outcome) -> None:
        """Staff may say at once that nobody knows, and the gateway the truth on the same day."""
        events = life(refer("call"), history=[PROFILE])
        due = decider.due(decider.fold(events), EVENING)
        assert due is not None
        events = life(WakeUp(now=due), history=events)
        assert isinstance(events[-1], AttemptPermitted)
        events = life(told("unknown", due), told(outcome, due), history=events)
        assert any(isinstance(event, AttemptAnsweredLate) for event in events)
        assert [contact.outcome for contact in decider.fold(events).contacts] == ["unknown"]

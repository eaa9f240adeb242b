"""The collector's row follows the case."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from functools import reduce

from msgspec.structs import replace

from arrears.contact.adapters.policies import load_policies
from arrears.contact.application import handlers
from arrears.contact.application.projections.case_list import Row, evolve, key_of
from arrears.contact.domain.borrower.commands import (
    BorrowerCommand,
    CountRepayment,
    EndContact,
    NameDebtor,
    NoteOutcome,
    RecordContactPoints,
    ReleaseCase,
    ResumeContact,
    StartTreatment,
    StopContact,
    WakeUp,
    WithdrawAttempt,
)
from arrears.contact.domain.borrower.decisions import make_borrower_decider, make_objection
from arrears.contact.domain.borrower.events import (
    AttemptPermitted,
    AttemptRequested,
    BorrowerEvent,
    ContactStopped,
)
from arrears.contact.domain.values import AttemptId, ContactPoint, Outcome, Said
from arrears.shared.kernel.ids import BorrowerId, CaseId, LoanKey, StaffId
from arrears.shared.kernel.reaction import Issue

EVENING = datetime(2026, 3, 2, 15, 59, tzinfo=UTC)
CASE = CaseId("case-1")
LOAN = LoanKey("loan-1@/bank")
BORROWER = BorrowerId("borrower-1")
STAFF = StaffId("collector-7")
decider = make_borrower_decider(load_policies(), "Asia/Shanghai")
objection = make_objection(load_policies(), "Asia/Shanghai")
PROFILE = RecordContactPoints(
    borrower_id=BORROWER,
    points=(ContactPoint(kind="phone", sealed="p"), ContactPoint(kind="address", sealed="a")),
    zone=None,
    language=None,
    now=EVENING,
)
CALL = StartTreatment(
    case_id=CASE,
    loan_key=LOAN,
    borrower_id=BORROWER,
    referral=2,
    treatment="call",
    overdue_minor=50_000,
    currency="CNY",
    days_past_due=16,
    product="loan",
    now=EVENING,
)
EMPTY: Row | None = None


def life(*commands: BorrowerCommand, history: Sequence[BorrowerEvent] = ()) -> list[BorrowerEvent]:
    events = list(history)
    for command in commands:
        events.extend(decider.decide(command, decider.fold(events)))
    return events


def row_of(events: Sequence[BorrowerEvent]) -> Row:
    row = reduce(evolve, (event for event in events if key_of(event) == CASE), EMPTY)
    assert row is not None
    return row


def attempted(outcome: Outcome, said: Said | None = None) -> list[BorrowerEvent]:
    events = life(PROFILE, CALL)
    due = decider.due(decider.fold(events), EVENING)
    assert due is not None
    note = NoteOutcome(
        attempt_id=AttemptId("case-1/1"), outcome=outcome, said=said or Said(), now=due
    )
    return life(WakeUp(now=due), note, history=events)


def test_a_referral_opens_the_row_with_the_next_attempt() -> None:
    events = life(PROFILE, CALL)
    requested = events[-1]
    assert isinstance(requested, AttemptRequested)
    assert row_of(events) == Row(
        case_id=CASE,
        loan_key=LOAN,
        borrower_id=BORROWER,
        referral=2,
        treatment="call",
        treatment_open=True,
        overdue_minor=50_000,
        currency="CNY",
        days_past_due=16,
        next_channel="call",
        next_attempt_at=requested.planned_at,
    )


def test_attempts_made_and_connected_are_counted() -> None:
    row = row_of(attempted("no_answer"))
    assert (row.attempts_made, row.connected, row.last_outcome) == (1, 0, "no_answer")
    assert row.treatment_open
    row = row_of(attempted("connected"))
    assert (row.attempts_made, row.connected, row.result) == (1, 1, "reached")


def test_an_answer_that_comes_late_is_shown_and_counted_once() -> None:
    unknown = attempted("unknown")
    due = decider.due(decider.fold(unknown), EVENING)
    assert due is not None
    late = NoteOutcome(attempt_id=AttemptId("case-1/1"), outcome="connected", said=Said(), now=due)
    row = row_of(life(late, history=unknown))
    assert (row.attempts_made, row.connected, row.last_outcome) == (1, 1, "connected")
    assert (row.treatment_open, row.next_attempt_at) == (False, None)


def test_a_denial_shows_its_rule_and_when_the_attempt_comes_back() -> None:
    events = life(CALL)
    due = decider.due(decider.fold(events), EVENING)
    assert due is not None
    row = row_of(life(WakeUp(now=due), history=events))
    assert (row.attempts_denied, row.denied_by, row.next_attempt_at) == (1, "contact_point", None)


def test_a_withdrawal_takes_the_attempt_back_and_shows_its_rule() -> None:
    events = life(PROFILE, CALL)
    due = decider.due(decider.fold(events), EVENING)
    assert due is not None
    events = life(WakeUp(now=due), history=events)
    permitted = events[-1]
    assert isinstance(permitted, AttemptPermitted)
    at = permitted.valid_until
    verdict = objection(permitted, decider.fold(events), at)
    assert verdict is not None
    withdraw = WithdrawAttempt(
        attempt_id=permitted.attempt_id,
        attempt_no=1,
        permitted_at=permitted.permitted_at,
        verdict=verdict,
        now=at,
    )
    row = row_of(life(withdraw, history=events))
    assert (row.attempts_made, row.attempts_denied, row.denied_by) == (0, 1, "quiet_hours")
    assert (row.next_channel, row.next_attempt_at) == ("call", verdict.next_allowed_at)


def _promised() -> list[BorrowerEvent]:
    events = life(PROFILE, CALL)
    issue = handlers.record_promise(
        row_of(events),
        amount_minor=20_000,
        currency="CNY",
        due_on=date(2026, 3, 6),
        staff_id=STAFF,
        now=EVENING,
    )
    return _issued(issue, events)


def _issued(issue: Issue, events: Sequence[BorrowerEvent]) -> list[BorrowerEvent]:
    assert (issue.category, issue.key) == ("contact.borrower", BORROWER)
    return [*events, *decider.decide(issue.command, decider.fold(events))]  # type: ignore[arg-type]


def test_a_stop_of_the_person_that_is_older_than_the_case_is_in_its_row() -> None:
    stop = StopContact(
        borrower_id=BORROWER,
        kind="staff",
        scope="person",
        reason="a lawyer represents",
        said_at=EVENING,
        now=EVENING,
        recorded_by=STAFF,
    )
    dispute = replace(
        stop, kind="hold", scope="case", reason="dispute", case_id=CASE, loan_key=LOAN
    )
    changed = NameDebtor(
        borrower_id=BORROWER,
        debtor_id=BorrowerId("borrower-2"),
        loan_key=LOAN,
        case_id=CASE,
        said_at=EVENING,
        now=EVENING,
    )
    assert row_of(life(PROFILE, stop, CALL)).stopped == ("staff",)
    assert row_of(life(PROFILE, stop, dispute)).stopped == ("staff", "hold_for_dispute")
    events = life(PROFILE, stop, changed, CALL)
    assert row_of(events).stopped == ("staff", "borrower_changed")
    resume = ResumeContact(kinds=("staff",), scope="person", reason="no more", now=EVENING)
    assert row_of(life(resume, history=events)).stopped == ("borrower_changed",)
    again = life(replace(CALL, referral=3), history=events)
    assert sum(isinstance(event, ContactStopped) for event in again[len(events) :]) == 0


def test_a_promise_and_its_money() -> None:
    events = _promised()
    row = row_of(events)
    assert (row.promise_status, row.promise_minor, row.promise_due_on) == (
        "pending",
        20_000,
        date(2026, 3, 6),
    )
    paid = CountRepayment(
        loan_key=LOAN,
        repayment_id="r",
        amount_minor=5_000,
        currency="CNY",
        value_on=date(2026, 3, 3),
        now=EVENING + timedelta(days=1),
    )
    events = life(paid, history=events)
    assert row_of(events).promise_paid_minor == 5_000
    judged = life(WakeUp(now=EVENING + timedelta(days=9)), history=events)
    assert row_of(judged).promise_status == "partly_kept"
    broken = life(WakeUp(now=EVENING + timedelta(days=9)), history=_promised())
    assert row_of(broken).promise_status == "broken"


def test_what_people_do_reaches_the_row() -> None:
    events = life(PROFILE, CALL)
    row = row_of(events)
    refused = _issued(handlers.record_refusal(row, staff_id=STAFF, now=EVENING), events)
    assert row_of(refused).refused
    shielded = _issued(
        handlers.record_hardship(row, review_on=date(2026, 4, 1), staff_id=STAFF, now=EVENING),
        events,
    )
    assert row_of(shielded).stopped == ("hardship",)
    assert row_of(shielded).hardship_review_on == date(2026, 4, 1)
    stopped = _issued(
        handlers.stop_borrower(
            BORROWER, reason="lawyer", until_on=None, staff_id=STAFF, now=EVENING
        ),
        shielded,
    )
    assert row_of(stopped).stopped == ("hardship", "staff")
    resumed = _issued(
        handlers.resume_borrower(BORROWER, reason="over", staff_id=STAFF, now=EVENING), stopped
    )
    assert row_of(resumed).stopped == ()


def test_a_parked_input_stops_the_person_until_it_is_repaired() -> None:
    events = life(PROFILE, CALL)
    parked = life(_parked("intake"), _parked("legal"), history=events)
    assert row_of(parked).stopped == ("parked_in_intake", "parked_in_legal")
    half = life(_repaired("intake"), history=parked)
    assert row_of(half).stopped == ("parked_in_legal",)
    assert row_of(life(_repaired("legal"), history=half)).stopped == ()


def _parked(service: str) -> StopContact:
    return StopContact(
        borrower_id=BORROWER,
        kind="parked",
        scope="person",
        reason=service,
        said_at=EVENING,
        now=EVENING,
    )


def _repaired(service: str) -> ResumeContact:
    return ResumeContact(kinds=("parked",), scope="person", reason=service, now=EVENING)


def test_money_that_came_in_lowers_the_figure_to_ask_for() -> None:
    payment = CountRepayment(
        loan_key=LOAN,
        repayment_id="r-1",
        amount_minor=20_000,
        currency="CNY",
        value_on=date(2026, 3, 2),
        now=EVENING,
    )
    assert row_of(life(PROFILE, CALL, payment)).overdue_minor == 30_000


def test_a_hold_of_the_person_shows_with_every_case_until_it_is_released() -> None:
    other = CaseId("case-2")
    hold = StopContact(
        borrower_id=BORROWER,
        kind="hold",
        scope="case",
        case_id=other,
        loan_key=LoanKey("loan-2@/bank"),
        reason="death",
        said_at=EVENING,
        now=EVENING,
    )
    held = life(hold, replace(hold, reason="dispute"), history=life(PROFILE, CALL))
    assert row_of(held).stopped == ("hold_of_the_person_for_death",)
    free = life(ReleaseCase(case_id=other, reason="over", now=EVENING), history=held)
    assert row_of(free).stopped == ()


def test_a_stop_may_come_before_the_first_treatment() -> None:
    stop = StopContact(
        borrower_id=BORROWER,
        kind="hold",
        scope="case",
        case_id=CASE,
        loan_key=LOAN,
        reason="dispute",
        said_at=EVENING,
        now=EVENING,
    )
    assert row_of(life(stop)).stopped == ("hold_for_dispute",)


def test_a_closed_case_keeps_its_figures() -> None:
    events = life(
        EndContact(case_id=CASE, reason="cured", said_at=EVENING, now=EVENING),
        history=attempted("no_answer"),
    )
    row = row_of(events)
    assert (row.closed, row.attempts_made, row.next_attempt_at) == ("cured", 1, None)
    assert row.result == "stopped"

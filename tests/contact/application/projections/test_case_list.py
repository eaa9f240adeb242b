"""The collector's row follows the case."""

from collections.abc import Sequence
from datetime import date, timedelta
from functools import reduce

from msgspec.structs import replace

from arrears.contact.application import handlers
from arrears.contact.application.projections.case_list import Row, evolve, key_of
from arrears.contact.domain.borrower.commands import ReleaseCase, ResumeContact, StopContact, WakeUp
from arrears.contact.domain.borrower.events import AttemptRequested, BorrowerEvent, ContactStopped
from arrears.contact.domain.values import Outcome, Said
from arrears.contact.testing.borrower import (
    BORROWER,
    CASE,
    DECIDER,
    EVENING,
    LOAN,
    OTHER,
    STAFF,
    close,
    life,
    name_debtor,
    note_outcome,
    objection,
    paid,
    permit_in,
    refer,
    stop_case,
    stop_person,
    wake,
    withdraw,
)
from arrears.shared.kernel.reaction import Issue

CALL = refer(referral=2)
EMPTY: Row | None = None


def row_of(events: Sequence[BorrowerEvent]) -> Row:
    row = reduce(evolve, (event for event in events if key_of(event) == CASE), EMPTY)
    assert row is not None
    return row


def attempted(outcome: Outcome, said: Said | None = None) -> list[BorrowerEvent]:
    events = wake(life(CALL))
    note = note_outcome(outcome, permit_in(events).permitted_at, said)
    return life(note, history=events)


def test_a_referral_opens_the_row_with_the_next_attempt() -> None:
    events = life(CALL)
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
    due = DECIDER.due(DECIDER.fold(unknown), EVENING)
    assert due is not None
    late = note_outcome("connected", due)
    row = row_of(life(late, history=unknown))
    assert (row.attempts_made, row.connected, row.last_outcome) == (1, 1, "connected")
    assert (row.treatment_open, row.next_attempt_at) == (False, None)


def test_a_denial_shows_its_rule_and_when_the_attempt_comes_back() -> None:
    row = row_of(wake(life(CALL, history=())))
    assert (row.attempts_denied, row.denied_by, row.next_attempt_at) == (1, "contact_point", None)


def test_a_withdrawal_takes_the_attempt_back_and_shows_its_rule() -> None:
    events = wake(life(CALL))
    permitted = permit_in(events)
    at = permitted.valid_until
    verdict = objection(permitted, DECIDER.fold(events), at)
    assert verdict is not None
    row = row_of(life(withdraw(permitted, verdict, at), history=events))
    assert (row.attempts_made, row.attempts_denied, row.denied_by) == (0, 1, "quiet_hours")
    assert (row.next_channel, row.next_attempt_at) == ("call", verdict.next_allowed_at)


def _promised() -> list[BorrowerEvent]:
    events = life(CALL)
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
    return [*events, *DECIDER.decide(issue.command, DECIDER.fold(events))]  # type: ignore[arg-type]


def test_a_stop_of_the_person_that_is_older_than_the_case_is_in_its_row() -> None:
    stop = stop_person("staff", "a lawyer represents", recorded_by=STAFF)
    dispute = stop_case("hold", "dispute")
    changed = name_debtor()
    assert row_of(life(stop, CALL)).stopped == ("staff",)
    assert row_of(life(stop, dispute)).stopped == ("staff", "hold_for_dispute")
    events = life(stop, changed, CALL)
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
    payment = paid(5_000, date(2026, 3, 3), repayment_id="r", now=EVENING + timedelta(days=1))
    events = life(payment, history=events)
    assert row_of(events).promise_paid_minor == 5_000
    judged = life(WakeUp(now=EVENING + timedelta(days=9)), history=events)
    assert row_of(judged).promise_status == "partly_kept"
    broken = life(WakeUp(now=EVENING + timedelta(days=9)), history=_promised())
    assert row_of(broken).promise_status == "broken"


def test_what_people_do_reaches_the_row() -> None:
    events = life(CALL)
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
    events = life(CALL)
    parked = life(_parked("intake"), _parked("legal"), history=events)
    assert row_of(parked).stopped == ("parked_in_intake", "parked_in_legal")
    half = life(_repaired("intake"), history=parked)
    assert row_of(half).stopped == ("parked_in_legal",)
    assert row_of(life(_repaired("legal"), history=half)).stopped == ()


def _parked(service: str) -> StopContact:
    return stop_person("parked", service)


def _repaired(service: str) -> ResumeContact:
    return ResumeContact(kinds=("parked",), scope="person", reason=service, now=EVENING)


def test_money_that_came_in_lowers_the_figure_to_ask_for() -> None:
    payment = paid(20_000)
    assert row_of(life(CALL, payment)).overdue_minor == 30_000


def test_a_hold_of_the_person_shows_with_every_case_until_it_is_released() -> None:
    hold = stop_case("hold", "death", OTHER)
    held = life(hold, replace(hold, reason="dispute"), history=life(CALL))
    assert row_of(held).stopped == ("hold_of_the_person_for_death",)
    free = life(ReleaseCase(case_id=OTHER, reason="over", now=EVENING), history=held)
    assert row_of(free).stopped == ()


def test_a_stop_may_come_before_the_first_treatment() -> None:
    stop = stop_case("hold", "dispute")
    assert row_of(life(stop)).stopped == ("hold_for_dispute",)


def test_a_closed_case_keeps_its_figures() -> None:
    events = life(close(), history=attempted("no_answer"))
    row = row_of(events)
    assert (row.closed, row.attempts_made, row.next_attempt_at) == ("cured", 1, None)
    assert row.result == "stopped"

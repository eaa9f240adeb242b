"""Promises are judged by the money that came. What a call brings back is told."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta

import pytest

from arrears.contact.domain.borrower.commands import CountRepayment, WakeUp
from arrears.contact.domain.borrower.events import (
    AttemptDenied,
    AttemptDropped,
    BorrowerEvent,
    ContactStopped,
    HardshipReported,
    RefusalReported,
    TreatmentCompleted,
)
from arrears.contact.domain.borrower.promise_events import (
    PromiseBroken,
    PromiseKept,
    PromiseLapsed,
    PromiseMade,
    PromisePartlyKept,
    PromisePaymentCounted,
)
from arrears.contact.domain.values import Outcome, PromiseId, Said
from arrears.contact.testing.borrower import (
    CASE,
    DECIDER,
    DUE_ON,
    EVENING,
    FIRST,
    LOAN,
    OTHER_LOAN,
    SHANGHAI,
    STAFF,
    TODAY,
    close,
    life,
    note_outcome,
    paid,
    permit_in,
    promise,
    refer,
    stop_case,
    until_permit,
    wake,
)
from arrears.shared.kernel.ids import CaseId
from arrears.shared.testing.decider_spec import DeciderSpec

given = DeciderSpec(DECIDER).given

JUDGED_AT = datetime(2026, 3, 12, 0, 0, tzinfo=SHANGHAI).astimezone(UTC)
PROMISE = PromiseId("case-1/promise-1")


def called(said: Said, outcome: Outcome = "connected") -> list[BorrowerEvent]:
    """A call is referred, permitted, and somebody answers it."""
    events, permitted = until_permit("call")
    due = permitted.permitted_at
    told = note_outcome(outcome, due, said)
    return life(told, history=events)


KNOWN = tuple(life(refer("remind")))
MADE = tuple(life(promise(), history=KNOWN))


class TestRecordPromise:
    def test_says_when_it_will_be_judged(self) -> None:
        given(*KNOWN).when(promise()).then(
            PromiseMade(
                case_id=CASE,
                loan_key=LOAN,
                promise_id=PROMISE,
                amount_minor=30_000,
                currency="CNY",
                due_on=DUE_ON,
                attempt_id=None,
                recorded_by=STAFF,
                made_on=TODAY,
                made_at=EVENING,
                judgement_at=JUDGED_AT,
            )
        )

    def test_the_same_promise_again_changes_nothing(self) -> None:
        given(*MADE).when(promise()).then_nothing_happens()

    @pytest.mark.parametrize(
        ("changes", "reason"),
        [
            ({"amount_minor": 0}, "amount_out_of_range"),
            ({"amount_minor": -1}, "amount_out_of_range"),
            ({"amount_minor": 10**15 + 1}, "amount_out_of_range"),
            ({"due_on": date(2026, 3, 1)}, "due_in_the_past"),
            ({"due_on": date(2026, 5, 2)}, "due_too_far_ahead"),
            ({"currency": "USD"}, "currency_differs_from_the_loan"),
            ({"case_id": CaseId("nobody")}, "case_unknown"),
        ],
    )
    def test_refuses_what_cannot_hold(self, changes: dict[str, object], reason: str) -> None:
        given(*KNOWN).when(promise(**changes)).then_refused(reason)

    @pytest.mark.parametrize("due_on", [TODAY, date(2026, 5, 1)])
    def test_today_and_the_last_day_of_the_policy_can_hold(self, due_on: date) -> None:
        (made,) = DECIDER.decide(promise(due_on=due_on), DECIDER.fold(KNOWN))
        assert isinstance(made, PromiseMade)

    def test_refuses_a_second_one_while_one_is_pending(self) -> None:
        given(*MADE).when(promise(amount_minor=1)).then_refused("promise_already_pending")

    def test_the_same_amount_of_another_currency_is_no_repetition(self) -> None:
        given(*MADE).when(promise(currency="USD")).then_refused("currency_differs_from_the_loan")

    def test_refuses_while_nobody_has_told_us_what_is_owed(self) -> None:
        held = stop_case("hold", "dispute")
        given(*life(held)).when(promise()).then_refused("figure_unknown")

    def test_refuses_on_a_closed_case(self) -> None:
        ended = life(close(), history=KNOWN)
        given(*ended).when(promise()).then_refused("case_closed")

    @pytest.mark.parametrize("treatment", ["call", "visit"])
    def test_a_planned_call_or_visit_of_the_case_is_dropped_as_reached(
        self, treatment: str
    ) -> None:
        history = life(refer(treatment))
        dropped, completed = life(promise(), history=history)[-2:]
        assert isinstance(dropped, AttemptDropped)
        assert isinstance(completed, TreatmentCompleted)
        assert (completed.result, completed.reason) == ("reached", "promise_made")

    @pytest.mark.parametrize("treatment", ["remind", "demand"])
    def test_reminders_and_letters_go_on(self, treatment: str) -> None:
        history = life(refer(treatment))
        assert isinstance(life(promise(), history=history)[-1], PromiseMade)

    def test_a_call_referred_while_it_is_pending_waits_for_its_judgement(self) -> None:
        denied = wake(life(refer("call", referral=2), history=MADE))[-1]
        assert isinstance(denied, AttemptDenied)
        assert (denied.rule, denied.next_allowed_at) == ("promise_pending", JUDGED_AT)


class TestMoney:
    def test_the_sum_keeps_it_at_once(self) -> None:
        now = EVENING + timedelta(hours=1)
        counted, kept = life(paid(30_000, now=now), history=MADE)[-2:]
        assert isinstance(counted, PromisePaymentCounted)
        assert counted.paid_minor == 30_000
        assert kept == PromiseKept(
            case_id=CASE,
            loan_key=LOAN,
            promise_id=PROMISE,
            paid_minor=30_000,
            judged_at=now,
        )

    def test_several_payments_add_up(self) -> None:
        events = life(paid(20_000, DUE_ON), paid(15_000, repayment_id="r-2"), history=MADE)
        kept = events[-1]
        assert isinstance(kept, PromiseKept)
        assert kept.paid_minor == 35_000

    def test_the_same_payment_twice_counts_once(self) -> None:
        given(*life(paid(20_000), history=MADE)).when(paid(20_000)).then_nothing_happens()

    @pytest.mark.parametrize(
        "payment",
        [
            paid(30_000, date(2026, 3, 1)),  # Before the promise.
            paid(30_000, date(2026, 3, 10)),  # After its due day.
            paid(30_000, currency="USD"),
            paid(30_000, loan_key=OTHER_LOAN),
            paid(0),
            paid(-30_000),
        ],
    )
    def test_money_of_another_time_loan_or_currency_does_not_count(
        self, payment: CountRepayment
    ) -> None:
        events = life(payment, history=MADE)
        assert not any(isinstance(event, PromisePaymentCounted) for event in events)

    @pytest.mark.parametrize("value_on", [TODAY, DUE_ON])
    def test_the_days_of_the_promise_and_of_its_due_count(self, value_on: date) -> None:
        assert isinstance(life(paid(30_000, value_on), history=MADE)[-1], PromiseKept)


class TestJudgement:
    def last_of(self, history: Sequence[BorrowerEvent], at: datetime) -> BorrowerEvent:
        return life(WakeUp(now=at), history=history)[-1]

    def test_it_is_due_two_days_to_book_after_the_day_at_midnight_of_the_bank(self) -> None:
        assert DECIDER.due(DECIDER.fold(MADE), JUDGED_AT - timedelta(seconds=1)) is not None
        promised = DECIDER.fold(MADE).cases[CASE].promise
        assert promised is not None
        assert promised.judgement_at == JUDGED_AT

    def test_nothing_paid_is_broken(self) -> None:
        assert self.last_of(self._only_promise(), JUDGED_AT) == PromiseBroken(
            case_id=CASE, loan_key=LOAN, promise_id=PROMISE, judged_at=JUDGED_AT
        )

    def test_a_part_is_partly_kept(self) -> None:
        history = life(paid(29_999), history=self._only_promise())
        judged = self.last_of(history, JUDGED_AT)
        assert isinstance(judged, PromisePartlyKept)
        assert judged.paid_minor == 29_999

    def test_not_a_moment_before(self) -> None:
        before = JUDGED_AT - timedelta(microseconds=1)
        given(*self._only_promise()).when(WakeUp(now=before)).then_nothing_happens()

    def test_once(self) -> None:
        history = life(WakeUp(now=JUDGED_AT), history=self._only_promise())
        given(*history).when(WakeUp(now=JUDGED_AT)).then_nothing_happens()

    def test_a_cured_case_leaves_nothing_to_keep(self) -> None:
        closed = close()
        history = life(closed, history=self._only_promise())
        assert isinstance(self.last_of(history, JUDGED_AT), PromiseLapsed)

    def test_a_case_given_up_leaves_it_broken(self) -> None:
        closed = close(reason="uncollectible")
        history = life(closed, history=self._only_promise())
        assert isinstance(self.last_of(history, JUDGED_AT), PromiseBroken)

    def test_money_still_counts_when_the_case_is_closed(self) -> None:
        closed = close()
        history = life(closed, paid(30_000), history=self._only_promise())
        assert isinstance(history[-1], PromiseKept)
        assert CASE not in DECIDER.fold(history).cases

    def _only_promise(self) -> list[BorrowerEvent]:
        """The reminder has been delivered, so that the promise is all that is waited for."""
        events = wake(KNOWN)
        told = note_outcome("delivered", permit_in(events).permitted_at)
        events = life(told, history=events)
        made = MADE[-1]
        return [*events, made]


class TestWhatACallBringsBack:
    def test_a_promise(self) -> None:
        said = Said(kind="promise", amount_minor=20_000, due_on=date(2026, 3, 8))
        made, completed = called(said)[-2:]
        assert isinstance(made, PromiseMade)
        assert (made.amount_minor, made.due_on) == (20_000, date(2026, 3, 8))
        assert made.attempt_id == FIRST
        assert isinstance(completed, TreatmentCompleted)
        assert completed.result == "reached"

    def test_a_promise_without_an_amount_means_all_that_is_overdue(self) -> None:
        made = called(Said(kind="promise", due_on=date(2026, 3, 8)))[-2]
        assert isinstance(made, PromiseMade)
        assert made.amount_minor == 50_000

    @pytest.mark.parametrize(
        "said",
        [
            Said(kind="promise", amount_minor=20_000),
            Said(kind="promise", amount_minor=20_000, due_on=date(2026, 3, 1)),
            Said(kind="promise", amount_minor=20_000, due_on=date(2026, 9, 1)),
            Said(kind="promise", amount_minor=0, due_on=date(2026, 3, 8)),
        ],
    )
    def test_a_promise_that_cannot_hold_is_not_made(self, said: Said) -> None:
        events = called(said)
        assert not any(isinstance(event, PromiseMade) for event in events)
        assert isinstance(events[-1], TreatmentCompleted)

    def test_who_was_not_reached_has_said_nothing(self) -> None:
        said = Said(kind="promise", amount_minor=20_000, due_on=date(2026, 3, 8))
        events = called(said, outcome="no_answer")
        assert not any(isinstance(event, PromiseMade) for event in events)

    def test_a_promise_that_comes_while_it_rings_is_enough(self) -> None:
        """The borrower called the hotline; our own call found nobody, and is not repeated."""
        events, permitted = until_permit("call")
        due = permitted.permitted_at
        events = life(promise(now=due), history=events)
        assert isinstance(events[-1], PromiseMade)
        note = note_outcome("no_answer", due)
        completed = life(note, history=events)[-1]
        assert isinstance(completed, TreatmentCompleted)
        assert (completed.result, completed.reason) == ("reached", "promise_made")

    def test_a_refusal(self) -> None:
        refused, completed = called(Said(kind="refusal"))[-2:]
        assert isinstance(refused, RefusalReported)
        assert isinstance(completed, TreatmentCompleted)

    def test_hardship(self) -> None:
        reported, stopped, completed = called(Said(kind="hardship", review_on=date(2026, 4, 1)))[
            -3:
        ]
        assert isinstance(reported, HardshipReported)
        assert reported.review_on == date(2026, 4, 1)
        assert isinstance(stopped, ContactStopped)
        assert isinstance(completed, TreatmentCompleted)
        assert completed.result == "reached"

    @pytest.mark.parametrize(
        ("review_on", "held_to"),
        [
            (None, date(2026, 4, 2)),
            (date(2026, 3, 1), date(2026, 4, 2)),
            (date(2027, 3, 1), date(2026, 8, 30)),
        ],
    )
    def test_a_day_of_review_that_cannot_hold_gives_way_to_the_policys(
        self, review_on: date | None, held_to: date
    ) -> None:
        events = called(Said(kind="hardship", review_on=review_on))
        reported = next(event for event in events if isinstance(event, HardshipReported))
        assert reported.review_on == held_to

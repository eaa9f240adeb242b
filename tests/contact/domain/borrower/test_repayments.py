"""What is asked for is the referral's figure less the money that came in since."""

from collections.abc import Sequence
from datetime import timedelta

import pytest

from arrears.contact.domain.borrower.commands import CountRepayment, WithdrawAttempt
from arrears.contact.domain.borrower.events import (
    AttemptDenied,
    AttemptDropped,
    AttemptPermitted,
    AttemptWithdrawn,
    BorrowerEvent,
    DemandDelivered,
    RepaymentCounted,
    TreatmentCompleted,
)
from arrears.contact.domain.permit import Denied
from arrears.contact.testing.borrower import (
    DECIDER,
    OTHER_LOAN,
    PROFILE,
    close,
    life,
    note_outcome,
    objection,
    paid,
    permit_in,
    refer,
    until_permit,
    wake,
    withdraw,
)
from arrears.shared.testing.decider_spec import DeciderSpec

given = DeciderSpec(DECIDER).given


def delivered(permitted: AttemptPermitted, history: Sequence[BorrowerEvent]) -> DemandDelivered:
    now = permitted.permitted_at + timedelta(days=3)
    note = note_outcome("delivered", now, attempt_id=permitted.attempt_id)
    (demand,) = [e for e in life(note, history=history) if isinstance(e, DemandDelivered)]
    return demand


class TestPartPayment:
    @pytest.mark.parametrize("treatment", ["remind", "call", "demand", "visit"])
    def test_an_attempt_asks_for_what_is_left(self, treatment: str) -> None:
        events = wake(life(refer(treatment), paid(20_000), paid(5_000, repayment_id="r-2")))
        permitted = permit_in(events)
        assert (permitted.overdue_minor, permitted.inputs.owed_minor) == (25_000, 25_000)

    def test_the_demand_is_over_what_it_asks_for(self) -> None:
        events = wake(life(refer("demand"), paid(20_000)))
        assert delivered(permit_in(events), events).total_minor == 30_000

    def test_a_letter_on_its_way_bears_the_figure_that_it_left_with(self) -> None:
        events, permitted = until_permit("demand")
        later = life(paid(20_000, now=permitted.permitted_at), history=events)
        assert delivered(permitted, later).total_minor == 50_000

    def test_it_is_told_what_is_left(self) -> None:
        counted = life(refer("call"), paid(20_000))[-1]
        assert isinstance(counted, RepaymentCounted)
        assert (counted.amount_minor, counted.owed_minor) == (20_000, 30_000)

    def test_the_same_payment_twice_counts_once(self) -> None:
        given(*life(refer("call"), paid(20_000))).when(paid(20_000)).then_nothing_happens()
        several = life(refer("call"), paid(20_000), paid(5_000, repayment_id="r-2"))
        given(*several).when(paid(20_000)).then_nothing_happens()

    @pytest.mark.parametrize(
        "payment",
        [paid(1, loan_key=OTHER_LOAN), paid(1, currency="USD"), paid(0), paid(-1)],
    )
    def test_money_of_another_loan_or_currency_is_not_ours(self, payment: CountRepayment) -> None:
        given(*life(refer("call"))).when(payment).then_nothing_happens()

    def test_money_that_came_before_the_referral_is_in_its_figure(self) -> None:
        given(PROFILE).when(paid(20_000)).then_nothing_happens()
        events = wake(
            life(refer("call"), paid(20_000), refer("visit", referral=2, overdue_minor=45_000))
        )
        assert permit_in(events).overdue_minor == 45_000


class TestNothingLeft:
    def denied(self, treatment: str = "call") -> tuple[list[BorrowerEvent], AttemptDenied]:
        events = wake(life(refer(treatment), paid(60_000)))
        denied = events[-1]
        assert isinstance(denied, AttemptDenied)
        return events, denied

    def test_the_figure_never_falls_below_nothing(self) -> None:
        counted = life(refer("call"), paid(60_000))[-1]
        assert isinstance(counted, RepaymentCounted)
        assert counted.owed_minor == 0
        given(*life(refer("call"), paid(60_000))).when(
            paid(1, repayment_id="r-2")
        ).then_nothing_happens()

    @pytest.mark.parametrize(("treatment", "days"), [("call", 3), ("demand", 30)])
    def test_no_attempt_is_made_and_the_banks_next_word_is_waited_for(
        self, treatment: str, days: int
    ) -> None:
        _, denied = self.denied(treatment)
        assert (denied.rule, denied.next_allowed_at) == ("nothing_owed", None)
        assert denied.waits_until == denied.denied_at + timedelta(days=days)
        assert denied.inputs.owed_minor == 0

    def test_without_a_word_the_treatment_ends(self) -> None:
        events, denied = self.denied()
        dropped, completed = wake(events, denied.denied_at)[len(events) :]
        assert isinstance(dropped, AttemptDropped)
        assert isinstance(completed, TreatmentCompleted)
        assert (completed.result, completed.reason) == ("stopped", "nothing_owed")

    def test_the_bank_says_that_it_is_cured(self) -> None:
        events, denied = self.denied()
        cured = close(now=denied.denied_at)
        state = DECIDER.fold(life(cured, history=events))
        assert not state.cases

    def test_the_bank_says_that_more_is_owed(self) -> None:
        events, denied = self.denied()
        again = refer("visit", referral=2, overdue_minor=10_000, now=denied.denied_at)
        permitted = permit_in(wake(life(again, history=events), denied.denied_at))
        assert permitted.overdue_minor == 10_000

    def test_a_referral_over_nothing_asks_for_nothing(self) -> None:
        denied = wake(life(refer("call", overdue_minor=0)))[-1]
        assert isinstance(denied, AttemptDenied)
        assert denied.rule == "nothing_owed"


class TestNotSentYet:
    """Under the live clock money may come between the permit and the sending."""

    def objected(self, amount_minor: int) -> tuple[list[BorrowerEvent], Denied, WithdrawAttempt]:
        events, permitted = until_permit("call")
        now = permitted.permitted_at + timedelta(minutes=1)
        events = life(paid(amount_minor, now=now), history=events)
        verdict = objection(permitted, DECIDER.fold(events), now)
        assert verdict is not None
        return events, verdict, withdraw(permitted, verdict, now)

    def test_it_comes_back_with_the_new_figure(self) -> None:
        events, verdict, command = self.objected(20_000)
        assert (verdict.rule, verdict.reason) == ("permit_ended", "the_figure_has_changed")
        withdrawn, permitted = life(command, history=events)[len(events) :]
        assert isinstance(withdrawn, AttemptWithdrawn)
        assert isinstance(permitted, AttemptPermitted)
        assert permitted.overdue_minor == 30_000

    def test_where_nothing_is_left_it_stays(self) -> None:
        events, verdict, command = self.objected(50_000)
        assert verdict.rule == "nothing_owed"
        withdrawn, denied = life(command, history=events)[len(events) :]
        assert isinstance(withdrawn, AttemptWithdrawn)
        assert isinstance(denied, AttemptDenied)
        assert denied.waits_until is not None

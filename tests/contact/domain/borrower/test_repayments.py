"""What is asked for is the referral's figure less the money that came in since."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from msgspec.structs import replace

from arrears.contact.adapters.policies import load_policies
from arrears.contact.domain.borrower.commands import (
    BorrowerCommand,
    CountRepayment,
    EndContact,
    NoteOutcome,
    StartTreatment,
    WakeUp,
    WithdrawAttempt,
)
from arrears.contact.domain.borrower.decisions import make_borrower_decider, make_objection
from arrears.contact.domain.borrower.events import (
    AttemptDenied,
    AttemptDropped,
    AttemptPermitted,
    AttemptWithdrawn,
    BorrowerEvent,
    ContactPointsRecorded,
    DemandDelivered,
    RepaymentCounted,
    TreatmentCompleted,
)
from arrears.contact.domain.permit import Denied
from arrears.contact.domain.values import ContactPoint, Said
from arrears.contact.testing.conduct import check
from arrears.shared.kernel.ids import BorrowerId, CaseId, LoanKey
from arrears.shared.testing.decider_spec import DeciderSpec

SHANGHAI = ZoneInfo("Asia/Shanghai")
EVENING = datetime(2026, 3, 2, 23, 59, tzinfo=SHANGHAI).astimezone(UTC)
TODAY = date(2026, 3, 2)
BORROWER = BorrowerId("borrower-1")
CASE, LOAN = CaseId("case-1"), LoanKey("loan-1@/bank")
POLICIES = load_policies()

decider = make_borrower_decider(POLICIES, "Asia/Shanghai")
objection = make_objection(POLICIES, "Asia/Shanghai")
given = DeciderSpec(decider).given

PROFILE = ContactPointsRecorded(
    borrower_id=BORROWER,
    points=(ContactPoint(kind="phone", sealed="p"), ContactPoint(kind="address", sealed="a")),
    zone="Asia/Shanghai",
    language="zh",
    origin="bank",
    recorded_at=EVENING,
)


def refer(treatment: str, referral: int = 1, overdue_minor: int = 50_000) -> StartTreatment:
    return StartTreatment(
        case_id=CASE,
        loan_key=LOAN,
        borrower_id=BORROWER,
        referral=referral,
        treatment=treatment,
        overdue_minor=overdue_minor,
        currency="CNY",
        days_past_due=31,
        product="loan",
        now=EVENING,
    )


def paid(amount_minor: int, repayment_id: str = "r-1", **changes: object) -> CountRepayment:
    command = CountRepayment(
        loan_key=LOAN,
        repayment_id=repayment_id,
        amount_minor=amount_minor,
        currency="CNY",
        value_on=TODAY,
        now=EVENING,
    )
    return replace(command, **changes)


def life(
    *commands: BorrowerCommand, history: Sequence[BorrowerEvent] = (PROFILE,)
) -> list[BorrowerEvent]:
    events = list(history)
    for command in commands:
        events.extend(decider.decide(command, decider.fold(events)))
    return events


def wake(events: Sequence[BorrowerEvent], after: datetime = EVENING) -> list[BorrowerEvent]:
    """The history, and what the next timer brings."""
    due = decider.due(decider.fold(events), after)
    assert due is not None
    lived = life(WakeUp(now=due), history=events)
    assert check(lived, POLICIES).findings == ()
    return lived


def permitted_in(events: Sequence[BorrowerEvent]) -> AttemptPermitted:
    assert isinstance(events[-1], AttemptPermitted)
    return events[-1]


def delivered(permitted: AttemptPermitted, history: Sequence[BorrowerEvent]) -> DemandDelivered:
    now = permitted.permitted_at + timedelta(days=3)
    note = NoteOutcome(attempt_id=permitted.attempt_id, outcome="delivered", said=Said(), now=now)
    (demand,) = [e for e in life(note, history=history) if isinstance(e, DemandDelivered)]
    return demand


class TestPartPayment:
    @pytest.mark.parametrize("treatment", ["remind", "call", "demand", "visit"])
    def test_an_attempt_asks_for_what_is_left(self, treatment: str) -> None:
        events = wake(life(refer(treatment), paid(20_000), paid(5_000, "r-2")))
        permitted = permitted_in(events)
        assert (permitted.overdue_minor, permitted.inputs.owed_minor) == (25_000, 25_000)

    def test_the_demand_is_over_what_it_asks_for(self) -> None:
        events = wake(life(refer("demand"), paid(20_000)))
        assert delivered(permitted_in(events), events).total_minor == 30_000

    def test_a_letter_on_its_way_bears_the_figure_that_it_left_with(self) -> None:
        events = wake(life(refer("demand")))
        permitted = permitted_in(events)
        later = life(paid(20_000, now=permitted.permitted_at), history=events)
        assert delivered(permitted, later).total_minor == 50_000

    def test_it_is_told_what_is_left(self) -> None:
        counted = life(refer("call"), paid(20_000))[-1]
        assert isinstance(counted, RepaymentCounted)
        assert (counted.amount_minor, counted.owed_minor) == (20_000, 30_000)

    def test_the_same_payment_twice_counts_once(self) -> None:
        given(*life(refer("call"), paid(20_000))).when(paid(20_000)).then_nothing_happens()
        several = life(refer("call"), paid(20_000), paid(5_000, "r-2"))
        given(*several).when(paid(20_000)).then_nothing_happens()

    @pytest.mark.parametrize(
        "payment",
        [paid(1, loan_key=LoanKey("loan-2@/bank")), paid(1, currency="USD"), paid(0), paid(-1)],
    )
    def test_money_of_another_loan_or_currency_is_not_ours(self, payment: CountRepayment) -> None:
        given(*life(refer("call"))).when(payment).then_nothing_happens()

    def test_money_that_came_before_the_referral_is_in_its_figure(self) -> None:
        given(PROFILE).when(paid(20_000)).then_nothing_happens()
        events = wake(life(refer("call"), paid(20_000), refer("visit", 2, 45_000)))
        assert permitted_in(events).overdue_minor == 45_000


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
        given(*life(refer("call"), paid(60_000))).when(paid(1, "r-2")).then_nothing_happens()

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
        cured = EndContact(
            case_id=CASE, reason="cured", said_at=denied.denied_at, now=denied.denied_at
        )
        state = decider.fold(life(cured, history=events))
        assert not state.cases

    def test_the_bank_says_that_more_is_owed(self) -> None:
        events, denied = self.denied()
        again = replace(refer("visit", 2, 10_000), now=denied.denied_at)
        permitted = permitted_in(wake(life(again, history=events), denied.denied_at))
        assert permitted.overdue_minor == 10_000

    def test_a_referral_over_nothing_asks_for_nothing(self) -> None:
        denied = wake(life(refer("call", overdue_minor=0)))[-1]
        assert isinstance(denied, AttemptDenied)
        assert denied.rule == "nothing_owed"


class TestNotSentYet:
    """Under the live clock money may come between the permit and the sending."""

    def objected(self, amount_minor: int) -> tuple[list[BorrowerEvent], Denied, WithdrawAttempt]:
        events = wake(life(refer("call")))
        permitted = permitted_in(events)
        now = permitted.permitted_at + timedelta(minutes=1)
        events = life(paid(amount_minor, now=now), history=events)
        verdict = objection(permitted, decider.fold(events), now)
        assert verdict is not None
        withdraw = WithdrawAttempt(
            attempt_id=permitted.attempt_id,
            attempt_no=permitted.attempt_no,
            permitted_at=permitted.permitted_at,
            verdict=verdict,
            now=now,
        )
        return events, verdict, withdraw

    def test_it_comes_back_with_the_new_figure(self) -> None:
        events, verdict, withdraw = self.objected(20_000)
        assert (verdict.rule, verdict.reason) == ("permit_ended", "the_figure_has_changed")
        withdrawn, permitted = life(withdraw, history=events)[len(events) :]
        assert isinstance(withdrawn, AttemptWithdrawn)
        assert isinstance(permitted, AttemptPermitted)
        assert permitted.overdue_minor == 30_000

    def test_where_nothing_is_left_it_stays(self) -> None:
        events, verdict, withdraw = self.objected(50_000)
        assert verdict.rule == "nothing_owed"
        withdrawn, denied = life(withdraw, history=events)[len(events) :]
        assert isinstance(withdrawn, AttemptWithdrawn)
        assert isinstance(denied, AttemptDenied)
        assert denied.waits_until is not None

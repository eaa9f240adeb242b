"""A promise is judged by the value days of the money, and the bank has its days to book it."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given as forall
from hypothesis import settings
from hypothesis import strategies as st
from msgspec import Struct
from msgspec.structs import replace

from arrears.contact.adapters.policies import load_policies
from arrears.contact.domain.borrower.commands import (
    BorrowerCommand,
    CountRepayment,
    RecordPromise,
    StartTreatment,
    WakeUp,
)
from arrears.contact.domain.borrower.decisions import make_borrower_decider
from arrears.contact.domain.borrower.events import BorrowerEvent
from arrears.contact.domain.borrower.promise_events import (
    PromiseBroken,
    PromiseKept,
    PromiseMade,
    PromisePartlyKept,
)
from arrears.shared.kernel.ids import BorrowerId, CaseId, LoanKey, StaffId

SHANGHAI = ZoneInfo("Asia/Shanghai")
NOON = datetime(2026, 3, 2, 12, 0, tzinfo=SHANGHAI).astimezone(UTC)
DUE_ON = date(2026, 3, 10)
CASE, LOAN = CaseId("case-1"), LoanKey("loan-1@/bank")
(POLICY,) = load_policies()
VERDICTS = (PromiseKept, PromisePartlyKept, PromiseBroken)


def midnight(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=SHANGHAI).astimezone(UTC)


class Payment(Struct, frozen=True):
    """Paid with this value day, and booked by the bank so many hours after that day began."""

    amount_minor: int
    value_on: date
    hours: int

    @property
    def booked_at(self) -> datetime:
        return midnight(self.value_on) + timedelta(hours=self.hours)


def lived(payments: list[Payment], booking_days_max: int) -> list[BorrowerEvent]:
    """A promise of 5,000.00 until DUE_ON, and what the bank books, in order of time."""
    rule = replace(POLICY.promise, booking_days_max=booking_days_max)
    decider = make_borrower_decider([replace(POLICY, promise=rule)], "Asia/Shanghai")
    refer = StartTreatment(
        case_id=CASE,
        loan_key=LOAN,
        borrower_id=BorrowerId("borrower-1"),
        referral=1,
        treatment="call",
        overdue_minor=1_000_000,
        currency="CNY",
        days_past_due=16,
        product="loan",
        now=NOON,
    )
    promise = RecordPromise(
        case_id=CASE,
        amount_minor=500_000,
        currency="CNY",
        due_on=DUE_ON,
        recorded_by=StaffId("s"),
        now=NOON,
    )
    counts = [
        CountRepayment(
            loan_key=LOAN,
            repayment_id=f"r-{number}",
            amount_minor=payment.amount_minor,
            currency="CNY",
            value_on=payment.value_on,
            now=max(payment.booked_at, NOON),
        )
        for number, payment in enumerate(payments)
    ]
    events: list[BorrowerEvent] = []
    state = decider.initial
    later = midnight(DUE_ON + timedelta(days=60))
    booked = sorted(counts, key=lambda count: count.now)
    commands: list[BorrowerCommand] = [refer, promise, *booked, WakeUp(now=later)]
    for command in commands:
        while (due := decider.due(state, NOON)) is not None and due <= command.now:
            for event in decider.decide(WakeUp(now=due), state):
                state = decider.evolve(state, event)
                events.append(event)
        for event in decider.decide(command, state):
            state = decider.evolve(state, event)
            events.append(event)
    return events


def verdict_of(events: list[BorrowerEvent]) -> type[BorrowerEvent]:
    (verdict,) = [event for event in events if isinstance(event, VERDICTS)]
    return type(verdict)


@pytest.mark.parametrize(
    ("hours", "verdict"), [(20, PromiseKept), (33, PromiseKept), (71, PromiseKept), (72, None)]
)
def test_what_was_paid_on_the_day_may_be_booked_two_days_later(
    hours: int, verdict: type[PromiseKept] | None
) -> None:
    days = POLICY.promise.booking_days_max
    events = lived([Payment(500_000, DUE_ON, hours)], days)
    assert verdict_of(events) is (verdict or PromiseBroken)


def test_what_was_paid_after_the_day_does_not_keep_it() -> None:
    late = Payment(500_000, DUE_ON + timedelta(days=1), 1)
    assert verdict_of(lived([late], 2)) is PromiseBroken


@settings(max_examples=200, deadline=None)
@forall(
    payments=st.lists(
        st.builds(
            Payment,
            st.integers(1, 600_000),
            st.integers(-3, 12).map(lambda days: date(2026, 3, 2) + timedelta(days=days)),
            st.integers(0, 24 * 12),
        ),
        max_size=5,
    ),
    booking_days_max=st.integers(0, 7),
)
def test_the_verdict_is_what_the_money_says_by_its_value_days(
    payments: list[Payment], booking_days_max: int
) -> None:
    """Counted here by the days alone: in time by value, and booked before the verdict."""
    events = lived(payments, booking_days_max)
    (made,) = [event for event in events if isinstance(event, PromiseMade)]
    judged_at = midnight(DUE_ON + timedelta(days=1 + booking_days_max))
    assert made.judgement_at == judged_at
    paid = sum(
        payment.amount_minor
        for payment in payments
        if made.made_on <= payment.value_on <= DUE_ON and payment.booked_at < judged_at
    )
    wanted = PromiseKept if paid >= 500_000 else PromisePartlyKept if paid else PromiseBroken
    assert verdict_of(events) is wanted

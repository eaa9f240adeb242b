"""A promise is judged by the value days of the money, and the bank has its days to book it."""

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given as forall
from hypothesis import settings
from hypothesis import strategies as st
from msgspec import Struct
from msgspec.structs import replace

from arrears.contact.domain.borrower.commands import (
    BorrowerCommand,
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
from arrears.contact.domain.borrower.state import Borrower
from arrears.contact.main import make_stage
from arrears.contact.testing.borrower import POLICIES, SHANGHAI, paid, promise, refer
from arrears.shared.kernel.bad_setting import BadSetting
from arrears.shared.kernel.business_day import is_weekday
from arrears.shared.kernel.decider import Decider
from arrears.shared.keyring.memory import MemoryKeyStore
from arrears.shared.service.settings import Ground
from arrears.shared.service.workdays import workdays_of

NOON = datetime(2026, 3, 2, 12, 0, tzinfo=SHANGHAI).astimezone(UTC)
FEBRUARY = NOON - timedelta(days=24)
DUE_ON = date(2026, 3, 10)
(POLICY,) = POLICIES
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


def asked(due_on: date, now: datetime = NOON) -> tuple[StartTreatment, RecordPromise]:
    """A case that is referred, and a promise of 5,000.00."""
    return refer("call", overdue_minor=1_000_000, now=now), promise(
        amount_minor=500_000, due_on=due_on, now=now
    )


def under(booking_days_max: int) -> Decider[Borrower, BorrowerCommand, BorrowerEvent]:
    rule = replace(POLICY.promise, booking_days_max=booking_days_max)
    policies = [replace(POLICY, promise=rule)]
    return make_borrower_decider(policies, "Asia/Shanghai", is_workday=workdays_of("CN"))


def judged_at(decider: Decider[Borrower, BorrowerCommand, BorrowerEvent], due_on: date) -> datetime:
    referred, promised = asked(due_on, FEBRUARY)
    made, *_ = decider.decide(promised, decider.fold(decider.decide(referred, decider.initial)))
    assert isinstance(made, PromiseMade)
    return made.judgement_at


def lived(
    payments: list[Payment], booking_days_max: int, due_on: date = DUE_ON
) -> list[BorrowerEvent]:
    """The promise, and what the bank books, in order of time."""
    decider = under(booking_days_max)
    referred, promised = asked(due_on)
    counts = [
        paid(
            payment.amount_minor,
            payment.value_on,
            repayment_id=f"r-{number}",
            now=max(payment.booked_at, NOON),
        )
        for number, payment in enumerate(payments)
    ]
    events: list[BorrowerEvent] = []
    state = decider.initial
    later = midnight(due_on + timedelta(days=60))
    booked = sorted(counts, key=lambda count: count.now)
    commands: list[BorrowerCommand] = [referred, promised, *booked, WakeUp(now=later)]
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


@pytest.mark.parametrize(
    ("due_on", "days", "last_on"),
    [
        (date(2026, 3, 10), 0, date(2026, 3, 10)),
        (date(2026, 3, 6), 0, date(2026, 3, 6)),
        (date(2026, 3, 10), 2, date(2026, 3, 12)),
        (date(2026, 3, 6), 1, date(2026, 3, 9)),  # A Friday.
        (date(2026, 3, 6), 2, date(2026, 3, 10)),
        (date(2026, 3, 7), 2, date(2026, 3, 10)),
        (date(2026, 2, 13), 2, date(2026, 2, 24)),  # Work on Saturday 14, rest from 15 to 23.
        (date(2026, 2, 20), 2, date(2026, 2, 25)),
        (date(2026, 2, 27), 2, date(2026, 3, 2)),  # Saturday 28 is worked for the holidays.
    ],
)
def test_the_days_to_book_are_the_banks_workdays(due_on: date, days: int, last_on: date) -> None:
    assert judged_at(under(days), due_on) == midnight(last_on + timedelta(days=1))


def test_what_was_paid_on_friday_and_booked_on_monday_keeps_it() -> None:
    friday = date(2026, 3, 6)
    paid = Payment(500_000, friday, 3 * 24 + 10)
    assert verdict_of(lived([paid], POLICY.promise.booking_days_max, friday)) is PromiseKept


def test_without_a_country_the_bank_rests_at_weekends() -> None:
    assert [is_weekday(date(2026, 3, day)) for day in range(6, 10)] == [True, False, False, True]


def test_a_calendar_without_a_workday_gives_no_days() -> None:
    decider = make_borrower_decider([POLICY], "Asia/Shanghai", is_workday=lambda _day: False)
    assert judged_at(decider, DUE_ON) == midnight(DUE_ON + timedelta(days=1))


def test_contact_runs_by_the_workdays_of_its_country() -> None:
    ring = MemoryKeyStore().keyring("contact")
    days = {}
    for country in ("CN", "US"):
        (decider,) = make_stage(Ground(country=country), ring).deciders.values()
        days[country] = judged_at(decider, date(2026, 2, 13))
    assert days == {"CN": midnight(date(2026, 2, 25)), "US": midnight(date(2026, 2, 19))}


def test_a_country_without_known_holidays_is_refused() -> None:
    with pytest.raises(BadSetting, match="'XX'"):
        make_stage(Ground(country="XX"), MemoryKeyStore().keyring("contact"))


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
    workdays = [day for day in range(11, 31) if date(2026, 3, day).weekday() < 5]
    last = 10 if booking_days_max == 0 else workdays[booking_days_max - 1]
    judged_at = midnight(date(2026, 3, last + 1))
    assert made.judgement_at == judged_at
    paid = sum(
        payment.amount_minor
        for payment in payments
        if made.made_on <= payment.value_on <= DUE_ON and payment.booked_at < judged_at
    )
    wanted = PromiseKept if paid >= 500_000 else PromisePartlyKept if paid else PromiseBroken
    assert verdict_of(events) is wanted

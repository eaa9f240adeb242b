"""What is owed between two facts of the bank: its newest figures, less what came in since."""

import random
from collections.abc import Sequence
from datetime import date, datetime, timedelta
from functools import reduce
from typing import Any

import pytest
from hypothesis import given as forall
from hypothesis import strategies as st
from msgspec.structs import replace

from arrears.intake.domain.facts import CuredFact
from arrears.intake.domain.loan.commands import (
    LoanCommand,
    RecordCured,
    RecordRepayment,
    ReferCase,
    ReportStage,
)
from arrears.intake.domain.loan.events import CaseAssessed, CaseReferred, RepaymentRecorded
from arrears.intake.domain.loan.owed import SUMS_MAX, may_count, minor_of
from arrears.intake.domain.loan.state import Loan
from arrears.intake.testing.loan import (
    CALENDAR,
    CASE,
    DECIDER,
    LOAN,
    ONE_DAY,
    Recording,
    command,
    follow,
    overdue,
    repayment,
    wake,
)
from arrears.shared.kernel.decider import Refused
from arrears.shared.kernel.ids import StaffId, case_id

MARCH_1, MARCH_3, MARCH_5 = date(2026, 3, 1), date(2026, 3, 3), date(2026, 3, 5)
MORNING, EVENING = timedelta(hours=9), timedelta(hours=18)


def at(day: date, time: timedelta = EVENING) -> datetime:
    return CALENDAR.start_of(day) + time


def says_overdue(day: date = MARCH_1, minor: int = 1_000_000, **other: Any) -> Recording:
    fact = overdue(
        day,
        120,
        fact_id=f"overdue-{day}-{minor}",
        overdue_minor=minor,
        principal_minor=minor,
        interest_minor=0,
        fees_minor=0,
        balance_minor=3_000_000,
    )
    return command(replace(fact, **other))


def paid(
    day: date = MARCH_3, minor: int = 400_000, time: timedelta = MORNING, **other: Any
) -> RecordRepayment:
    fact = repayment(
        day,
        minor,
        fact_id=f"fact-{day}-{minor}",
        stated_at=at(day, time),
        repayment_id=f"pay-{day}-{minor}",
    )
    fact = replace(fact, **other)
    return RecordRepayment(fact=fact, now=fact.stated_at)


def refer(stage: str, treatment: str) -> ReferCase:
    return ReferCase(
        case_id=CASE,
        stage=stage,
        treatment=treatment,
        reason="asked for",
        staff_id=StaffId("wei"),
        now=at(MARCH_5),
    )


SUE = refer("legal", "sue")
ALL_PAID = paid(minor=1_000_000)


def lived(*commands: LoanCommand, loan: Loan = DECIDER.initial) -> Loan:
    return follow(loan, *commands)


def referred(loan: Loan, asked: LoanCommand = SUE) -> CaseReferred:
    (event,) = DECIDER.decide(asked, loan)
    assert isinstance(event, CaseReferred)
    return event


class TestReferral:
    @pytest.mark.parametrize(
        ("stage", "treatment"),
        [("contact", "demand"), ("mediation", "mediate"), ("legal", "sue")],
    )
    def test_asks_for_the_banks_figures_less_what_came_in_since(
        self, stage: str, treatment: str
    ) -> None:
        sent = referred(lived(says_overdue(), paid()), refer(stage, treatment))
        assert (sent.overdue_minor, sent.balance_minor) == (600_000, 2_600_000)
        assert (sent.as_of_on, sent.paid_since_minor) == (MARCH_1, 400_000)

    def test_of_the_strategy_does_the_same(self) -> None:
        sent = referred(lived(says_overdue(), paid()), wake(MARCH_5))
        assert (sent.rule, sent.overdue_minor) == ("remind", 600_000)

    def test_adds_up_several_repayments(self) -> None:
        sent = referred(lived(says_overdue(), paid(), paid(MARCH_5, 1)))
        assert (sent.overdue_minor, sent.paid_since_minor) == (599_999, 400_001)

    def test_never_asks_for_less_than_nothing(self) -> None:
        loan = lived(says_overdue(balance_minor=1_000_000), paid(minor=999_999))
        assert referred(loan).overdue_minor == 1
        with pytest.raises(Refused, match="nothing_overdue"):
            referred(lived(paid(MARCH_5, 5_000_000), loan=loan))

    def test_takes_nothing_off_a_newer_figure(self) -> None:
        sent = referred(lived(says_overdue(), paid(), says_overdue(MARCH_5, 600_000)))
        assert (sent.overdue_minor, sent.paid_since_minor) == (600_000, 0)

    def test_takes_off_a_newer_figure_of_a_day_before_the_money(self) -> None:
        """A bank that states today how things stood last night."""
        last_night = says_overdue(MARCH_3 - ONE_DAY, stated_at=at(MARCH_3))
        sent = referred(lived(says_overdue(), paid(), last_night))
        assert (sent.overdue_minor, sent.paid_since_minor) == (600_000, 400_000)

    def test_an_outdated_fact_leaves_the_sum(self) -> None:
        outdated = says_overdue(MARCH_1 - ONE_DAY)
        assert referred(lived(says_overdue(), paid(), outdated)).overdue_minor == 600_000

    @pytest.mark.parametrize(
        ("told_at", "is_its_money"),
        [
            (at(MARCH_1 - ONE_DAY), False),
            (at(MARCH_1), False),
            (at(MARCH_1) + timedelta(seconds=1), True),
            (at(MARCH_3), True),
        ],
    )
    def test_money_from_before_the_case_is_its_money_where_the_figure_cannot_have_counted_it(
        self, told_at: datetime, is_its_money: bool
    ) -> None:
        loan = lived(says_overdue())
        (recorded,) = DECIDER.decide(paid(MARCH_1 - ONE_DAY, stated_at=told_at), loan)
        assert isinstance(recorded, RepaymentRecorded)
        assert recorded.case_id == (CASE if is_its_money else None)
        assert recorded.in_suspense_minor == (0 if is_its_money else 400_000)
        sent = referred(DECIDER.evolve(loan, recorded))
        assert sent.overdue_minor == (600_000 if is_its_money else 1_000_000)
        assert sent.paid_since_minor == (400_000 if is_its_money else 0)

    def test_money_from_before_the_case_is_not_its_money_where_a_newer_figure_may_have_it(
        self,
    ) -> None:
        newer = says_overdue(MARCH_5, 600_000)
        before = paid(MARCH_1 - ONE_DAY, stated_at=at(MARCH_3))
        assert referred(lived(says_overdue(), newer, before)).overdue_minor == 600_000
        assert referred(lived(says_overdue(), before, newer)).overdue_minor == 600_000


class TestSeveralSums:
    """Each repayment is judged by itself, as long as there are few of them."""

    def test_a_newer_figure_takes_those_that_it_may_have_counted(self) -> None:
        loan = lived(says_overdue(), paid(MARCH_3), paid(MARCH_5, 1))
        sent = referred(lived(says_overdue(MARCH_3, 600_000, stated_at=at(MARCH_5)), loan=loan))
        assert (sent.overdue_minor, sent.paid_since_minor) == (599_999, 1)

    def test_the_oldest_of_many_are_one_sum_that_is_asked_for_rather_than_forgiven(self) -> None:
        days = [MARCH_1 + number * ONE_DAY for number in range(1, SUMS_MAX + 3)]
        loan = lived(says_overdue(), *(paid(day, 1) for day in days))
        assert len(loan.paid_since) == SUMS_MAX
        assert minor_of(loan.paid_since) == len(days)
        last_night = says_overdue(days[0], 999_999, stated_at=at(days[-1]))
        assert referred(lived(last_night, loan=loan)).paid_since_minor == SUMS_MAX - 1


class TestMoneyBeforeAFigure:
    """What was heard while no case was running is of no case, and is not asked for either."""

    LAST_NIGHT = says_overdue(MARCH_3 - ONE_DAY, stated_at=at(MARCH_3))

    def test_is_taken_off_a_first_figure_that_cannot_have_counted_it(self) -> None:
        sent = referred(lived(paid(), self.LAST_NIGHT))
        assert (sent.overdue_minor, sent.balance_minor) == (600_000, 2_600_000)
        assert sent.paid_since_minor == 400_000

    def test_is_left_to_a_first_figure_that_may_have_counted_it(self) -> None:
        assert referred(lived(paid(), says_overdue(MARCH_3))).paid_since_minor == 0

    def test_of_long_ago_hides_none_of_today(self) -> None:
        months = [paid(MARCH_1 - 30 * number * ONE_DAY, 1) for number in range(30, 0, -1)]
        sent = referred(lived(*months, paid(), self.LAST_NIGHT))
        assert sent.paid_since_minor == 400_000

    def test_is_not_taken_off_where_it_is_of_another_currency(self) -> None:
        assert referred(lived(paid(currency="USD"), self.LAST_NIGHT)).paid_since_minor == 0

    def test_counts_for_the_risk_as_well(self) -> None:
        *_, assessed = DECIDER.decide(self.LAST_NIGHT, lived(paid()))
        assert isinstance(assessed, CaseAssessed)
        assert assessed.inputs.overdue_minor == 600_000

    def test_after_a_cure_is_taken_off_the_next_episodes_figure(self) -> None:
        cured = RecordCured(
            fact=CuredFact(
                source="/bank",
                fact_id="cured",
                loan_key=LOAN,
                borrower_id=None,
                stated_at=at(MARCH_1 + ONE_DAY, MORNING),
                as_of_on=MARCH_1,
                days_past_due=0,
                currency="CNY",
                reason="paid_up",
            ),
            now=at(MARCH_1 + ONE_DAY, MORNING),
        )
        sue = replace(SUE, case_id=case_id("bank", LOAN, 2))
        for facts in ((cured, paid()), (paid(), cured)):
            sent = referred(lived(says_overdue(), *facts, self.LAST_NIGHT), sue)
            assert sent.paid_since_minor == 400_000


class TestFullyPaid:
    """Nobody is asked for nothing: the bank's next fact says how things stand."""

    LOAN = lived(says_overdue(), ALL_PAID)

    def test_waits_for_the_banks_word(self) -> None:
        assert DECIDER.due(self.LOAN, at(MARCH_5)) is None
        assert not DECIDER.decide(wake(MARCH_5), self.LOAN)

    def test_goes_on_where_the_bank_still_tells_of_arrears(self) -> None:
        loan = lived(says_overdue(MARCH_5, 20_000), loan=self.LOAN)
        assert DECIDER.due(loan, at(MARCH_5)) == CALENDAR.last_minute_of(MARCH_5)

    @pytest.mark.parametrize("asked", [SUE, refer("mediation", "mediate")])
    def test_is_not_referred_by_hand(self, asked: ReferCase) -> None:
        with pytest.raises(Refused, match="nothing_overdue"):
            DECIDER.decide(asked, self.LOAN)


def test_the_risk_is_judged_by_what_is_left() -> None:
    few_days = says_overdue(minor=5_000_000, days_past_due=10, due_on=MARCH_1 - 10 * ONE_DAY)
    loan = lived(few_days, paid())
    told = ReportStage(
        case_id=CASE, stage="contact", report="refusal_reported", report_id="r", now=at(MARCH_5)
    )
    (assessed,) = (e for e in DECIDER.decide(told, loan) if isinstance(e, CaseAssessed))
    assert "large_amount" not in assessed.reasons
    assert assessed.inputs.overdue_minor == 4_600_000


# --- What the newest figure may have counted already

COUNTED: list[tuple[str, RecordRepayment, bool]] = [
    ("of the figure's morning", paid(MARCH_1), True),
    ("of the figure's instant: repayments come first", paid(MARCH_1, time=EVENING), True),
    ("of the figure's night", paid(MARCH_1, time=EVENING + timedelta(seconds=1)), False),
    ("of the next day", paid(MARCH_1 + ONE_DAY), False),
    (
        "told before, of the next day",
        paid(MARCH_1 + ONE_DAY, stated_at=at(MARCH_1, MORNING)),
        False,
    ),
    ("told later, of that day", paid(MARCH_1, stated_at=at(MARCH_3)), False),
]


@pytest.mark.parametrize(("_name", "said", "counted"), COUNTED, ids=[r[0] for r in COUNTED])
def test_money_is_allocated_and_taken_off_unless_the_figure_may_have_counted_it(
    _name: str, said: RecordRepayment, counted: bool
) -> None:
    loan = lived(says_overdue())
    (recorded,) = DECIDER.decide(said, loan)
    assert isinstance(recorded, RepaymentRecorded)
    assert recorded.in_suspense_minor == (400_000 if counted else 0)
    after = DECIDER.evolve(loan, recorded)
    assert referred(after).overdue_minor == (1_000_000 if counted else 600_000)
    assert after.left is not None
    assert after.left.principal_minor == referred(after).overdue_minor


OWED_AT_FIRST = 1_000_000


def banks_life(seed: int) -> Sequence[Recording]:
    """Facts of a bank that counts in a figure what was valued and booked by then, and so all that
    the figure before has counted."""
    chance = random.Random(seed)
    payments = []
    for number in range(chance.randint(1, 5)):
        booked_at = at(MARCH_1) + timedelta(hours=chance.randint(1, 120))
        value_on = CALENDAR.day_of(booked_at) + chance.choice([-9, -1, 0, 0, 1]) * ONE_DAY
        payments.append(
            paid(
                minor=chance.randint(1, 150_000),
                repayment_id=f"pay-{number}",
                stated_at=booked_at,
                value_on=value_on,
            )
        )
    as_of_on = MARCH_1
    figures = [says_overdue(as_of_on, OWED_AT_FIRST)]
    for number in range(1, chance.randint(2, 6)):
        stated_at = at(MARCH_1) + timedelta(hours=24 * number + chance.randint(0, 20))
        as_of_on = max(as_of_on, CALENDAR.day_of(stated_at) - chance.choice([0, 1]) * ONE_DAY)
        counted = sum(
            one.fact.amount_minor
            for one in payments
            if one.fact.value_on <= as_of_on and one.fact.stated_at <= stated_at
        )
        figures.append(says_overdue(as_of_on, OWED_AT_FIRST - counted, stated_at=stated_at))
    facts: list[Recording] = [*figures, *payments]
    if chance.random() < 0.5:
        facts.sort(key=lambda one: one.fact.stated_at)
    else:
        chance.shuffle(facts)
    return facts


@forall(seed=st.integers(0, 100_000))
def test_money_is_never_taken_off_or_allocated_twice_nor_forgotten(seed: int) -> None:
    loan = DECIDER.initial
    heard: list[RepaymentRecorded] = []
    allocated = 0
    for said in banks_life(seed):
        newest = loan.latest
        events = DECIDER.decide(said, loan)
        loan = reduce(DECIDER.evolve, events, loan)
        if loan.latest is not newest:
            allocated = 0
        for event in events:
            if isinstance(event, RepaymentRecorded):
                allocated += event.amount_minor - event.in_suspense_minor
                heard.append(event)
        if loan.latest is None:
            continue
        uncounted = [
            one.amount_minor
            for one in heard
            if not may_count(loan.latest, one.value_on, one.stated_at)
        ]
        assert minor_of(loan.paid_since) == sum(uncounted)
        assert allocated <= sum(uncounted)

"""Whether an agreement is kept, by the money that came: the test names are the rule book."""

from datetime import date, timedelta

from hypothesis import given as forall
from hypothesis import strategies as st
from msgspec.structs import replace

from arrears.mediation.domain.mediation.commands import MediationCommand
from arrears.mediation.domain.mediation.events import (
    AgreementFulfilled,
    InstalmentMissed,
    InstalmentPaid,
)
from arrears.mediation.domain.mediation.state import InForce, Over
from arrears.mediation.domain.plan import Instalment
from arrears.mediation.testing.case import (
    ACCEPT,
    APRIL,
    APRIL_MISSED,
    BANK_SIGNS,
    BORROWER_SIGNS,
    CASE,
    DECIDER,
    IN_FORCE,
    LOAN,
    SIGNED_AT,
    TAKE,
    TODAY,
    end_of,
    lived,
    pay,
    wake_after,
)
from arrears.mediation.testing.said import POLICY, VERSION, breached, fulfilled, noted, part
from arrears.shared.testing.decider_spec import DeciderSpec

given = DeciderSpec(DECIDER).given


class TestRecordRepayment:
    def test_fills_an_instalment(self) -> None:
        given(*lived(*IN_FORCE)).when(pay(60_000, date(2026, 3, 30), "p1")).then(
            part(0, "p1", 60_000, 60_000, complete=True)
        )

    def test_a_part_of_an_instalment_is_remembered(self) -> None:
        history = lived(*IN_FORCE, pay(25_000, date(2026, 3, 29), "p1"))
        given(*history).when(pay(35_000, date(2026, 3, 30), "p2")).then(
            part(0, "p2", 35_000, 60_000, complete=True)
        )

    def test_what_is_over_flows_to_the_next_instalment(self) -> None:
        given(*lived(*IN_FORCE)).when(pay(70_000, date(2026, 3, 30), "p1")).then(
            part(0, "p1", 60_000, 60_000, complete=True),
            part(1, "p1", 10_000, 10_000, complete=False),
        )

    def test_the_last_instalment_fulfils_the_agreement_and_the_rest_is_surplus(self) -> None:
        given(*lived(*IN_FORCE)).when(pay(100_500, date(2026, 3, 30), "p1")).then(
            part(0, "p1", 60_000, 60_000, complete=True),
            part(1, "p1", 40_000, 40_000, complete=True),
            fulfilled(500),
        )

    def test_the_same_repayment_twice_counts_once(self) -> None:
        paid = pay(25_000, date(2026, 3, 30))
        other = pay(1_000, date(2026, 3, 31))
        given(*lived(*IN_FORCE, paid, other)).when(paid).then_nothing_happens()

    def test_before_an_agreement_it_is_only_noted(self) -> None:
        given(*lived(TAKE)).when(pay(25_000, TODAY, "p1")).then(noted("p1", 25_000, TODAY))

    def test_other_currencies_and_cases_without_mediation_change_nothing(self) -> None:
        given().when(pay(25_000, TODAY)).then_nothing_happens()
        dollars = replace(pay(25_000, TODAY), currency="USD")
        given(*lived(TAKE)).when(dollars).then_nothing_happens()


class TestGraceAndCure:
    def test_an_instalment_is_missed_only_when_its_grace_has_ended(self) -> None:
        assert given(*lived(*IN_FORCE)).is_due(SIGNED_AT) == end_of(date(2026, 4, 6))
        given(*lived(*IN_FORCE)).when(wake_after(date(2026, 4, 5))).then_nothing_happens()
        given(*lived(*IN_FORCE)).when(wake_after(date(2026, 4, 6))).then(
            InstalmentMissed(
                case_id=CASE,
                loan_key=LOAN,
                round=1,
                instalment_index=0,
                due_on=APRIL.due_on,
                unpaid_minor=60_000,
                currency="CNY",
                cure_by_on=date(2026, 4, 16),
                policy_id=POLICY,
                policy_version=VERSION,
            )
        )

    def test_a_missed_instalment_that_is_paid_in_time_breaches_nothing(self) -> None:
        cured = lived(*APRIL_MISSED, pay(60_000, date(2026, 4, 16)))
        given(*cured).when(wake_after(date(2026, 4, 16))).then_nothing_happens()
        assert given(*cured).is_due(end_of(date(2026, 4, 16))) == end_of(date(2026, 5, 6))

    def test_missed_and_unpaid_at_the_end_of_the_cure_period_is_a_breach(self) -> None:
        history = lived(*APRIL_MISSED, pay(59_999, date(2026, 4, 16)))
        assert given(*history).is_due(end_of(date(2026, 4, 6))) == end_of(date(2026, 4, 16))
        given(*history).when(wake_after(date(2026, 4, 15))).then_nothing_happens()
        given(*history).when(wake_after(date(2026, 4, 16))).then(breached(59_999, 40_001))


@forall(
    amounts=st.lists(st.integers(1, 60_000), max_size=8),
    shares=st.lists(st.integers(1, 50_000), min_size=1, max_size=6),
    early=st.integers(0, 30_000),
)
def test_money_paid_in_is_allocated_to_instalments_or_is_surplus(
    amounts: list[int], shares: list[int], early: int
) -> None:
    plan = tuple(
        Instalment(due_on=date(2026, 4, 1) + timedelta(days=30 * n), amount_minor=share)
        for n, share in enumerate(shares)
    )
    take = replace(TAKE, overdue_minor=sum(shares))
    commands: list[MediationCommand] = [take]
    if early:
        commands.append(pay(early, TODAY, "early"))
    commands += [replace(ACCEPT, instalments=plan), BORROWER_SIGNS, BANK_SIGNS]
    history = lived(*commands)
    paid_in = early
    for number, amount in enumerate(amounts):
        if isinstance(DECIDER.fold(history), Over):
            break
        paid_in += amount
        payment = pay(amount, date(2026, 3, 10), f"p{number}")
        history = (*history, *DECIDER.decide(payment, DECIDER.fold(history)))
    parts = [event for event in history if isinstance(event, InstalmentPaid)]
    allocated = sum(event.amount_minor for event in parts)
    surplus = sum(e.surplus_minor for e in history if isinstance(e, AgreementFulfilled))
    assert paid_in == allocated + surplus
    for index, instalment in enumerate(plan):
        of_it = [event for event in parts if event.instalment_index == index]
        total = sum(event.amount_minor for event in of_it)
        assert total <= instalment.amount_minor
        assert any(event.complete for event in of_it) == (total == instalment.amount_minor)
    state = DECIDER.fold(history)
    assert isinstance(state, InForce if paid_in < sum(shares) else Over)

"""Money that is heard after a breach, and what a mediator makes of a breach that was none."""

from collections import Counter
from datetime import date, timedelta

import pytest
from hypothesis import given as forall
from hypothesis import settings
from hypothesis import strategies as st
from msgspec.structs import replace

from arrears.mediation.domain.mediation.commands import (
    CloseMediation,
    HoldMediation,
    MediationCommand,
    RecordDecline,
    RecordRepayment,
    SignForBank,
    SignForBorrower,
    TakeBackMediation,
    WakeUp,
)
from arrears.mediation.domain.mediation.events import (
    AgreementFulfilled,
    AgreementProposed,
    AgreementSigned,
    BreachContradicted,
    InstalmentPaid,
    LatePaymentNoted,
    MediationTaken,
    PaymentNoted,
)
from arrears.mediation.domain.mediation.state import Breached, InForce, LatePayment
from arrears.mediation.domain.plan import Instalment
from arrears.mediation.testing.case import (
    APRIL,
    BREACHED,
    CONTRADICTED,
    CURE_ENDS,
    DAY_AFTER,
    DECIDER,
    IN_TIME,
    JUNE,
    MAY,
    MEDIATOR,
    RENEW,
    TAKE,
    agreed,
    at,
    lived,
    pay,
    wake_after,
)
from arrears.mediation.testing.said import closing, contradicted, fulfilled, late
from arrears.shared.kernel.ids import StaffId
from arrears.shared.testing.decider_spec import DeciderSpec

ZHANG = StaffId("zhang.min")

given = DeciderSpec(DECIDER).given


def paid(amount_minor: int, value_on: date, heard_on: date, name: str = "p1") -> RecordRepayment:
    return pay(amount_minor, value_on, name, at(heard_on))


def nights(last: date) -> tuple[MediationCommand, ...]:
    """Every night up to the end of `last`."""
    return tuple(
        wake_after(date(2026, 4, 1) + timedelta(days=n))
        for n in range((last - date(2026, 4, 1)).days + 1)
    )


class TestMoneyAfterABreach:
    def test_that_came_in_time_contradicts_the_breach(self) -> None:
        given(*lived(*BREACHED)).when(IN_TIME).then(
            late("p1", 60_000, CURE_ENDS, 60_000), contradicted(40_000)
        )

    def test_that_came_too_late_is_noted_and_changes_nothing(self) -> None:
        given(*lived(*BREACHED)).when(paid(60_000, DAY_AFTER, DAY_AFTER)).then(
            late("p1", 60_000, DAY_AFTER, 60_000)
        )

    def test_in_parts_is_counted_together_with_what_came_before(self) -> None:
        before = paid(10_000, date(2026, 3, 30), date(2026, 3, 30), "p0")
        history = (*agreed(APRIL, MAY), before, *nights(CURE_ENDS))
        short = paid(49_999, CURE_ENDS, DAY_AFTER, "p1")
        rest = paid(1, date(2026, 4, 14), date(2026, 4, 20), "p2")
        given(*lived(*history)).when(short).then(late("p1", 49_999, CURE_ENDS, 49_999))
        given(*lived(*history, short)).when(rest).then(
            late("p2", 1, rest.value_on, 50_000), contradicted(40_000)
        )

    def test_of_a_later_instalment_does_not_make_good_for_an_earlier_one(self) -> None:
        given(*lived(*BREACHED)).when(paid(100_000, date(2026, 5, 1), date(2026, 5, 1))).then(
            late("p1", 100_000, date(2026, 5, 1), 100_000)
        )

    def test_heard_when_the_next_instalment_was_not_paid_either_contradicts_nothing(self) -> None:
        very_late = paid(60_000, CURE_ENDS, date(2026, 5, 17))
        given(*lived(*BREACHED)).when(very_late).then(late("p1", 60_000, CURE_ENDS, 60_000))

    def test_that_fills_the_whole_agreement_in_time_fulfils_it_after_all(self) -> None:
        given(*lived(*BREACHED)).when(paid(100_500, CURE_ENDS, DAY_AFTER)).then(
            late("p1", 100_500, CURE_ENDS, 100_500), contradicted(0), fulfilled(500)
        )
        rest = paid(40_000, date(2026, 5, 1), date(2026, 5, 1), "p2")
        given(*lived(*CONTRADICTED)).when(rest).then(
            late("p2", 40_000, rest.value_on, 100_000), fulfilled(0)
        )

    def test_twice_counts_once(self) -> None:
        given(*lived(*CONTRADICTED)).when(IN_TIME).then_nothing_happens()
        before = paid(10_000, date(2026, 3, 30), date(2026, 3, 30), "p0")
        history = (*agreed(APRIL, MAY), before, *nights(CURE_ENDS))
        given(*lived(*history)).when(before).then_nothing_happens()

    def test_concerns_nobody_once_the_case_is_closed_or_referred_again(self) -> None:
        closed = CloseMediation(reason="cured", now=at(DAY_AFTER))
        given(*lived(*BREACHED)).when(closed).then(closing("cured"))
        given(*lived(*BREACHED, closed)).when(IN_TIME).then_nothing_happens()
        again = DECIDER.decide(
            replace(TAKE, referral=5, now=at(DAY_AFTER)), DECIDER.fold(lived(*CONTRADICTED))
        )
        assert isinstance(again[0], MediationTaken)
        assert again[0].round == 2

    def test_a_breach_waits_for_nothing_and_its_echo_changes_nothing(self) -> None:
        for history in (lived(*BREACHED), lived(*CONTRADICTED)):
            assert given(*history).is_due(at(DAY_AFTER)) is None
            given(*history).when(TakeBackMediation(now=at(DAY_AFTER))).then_nothing_happens()


RENEWED = (*CONTRADICTED, RENEW)
NOT_SIGNED = WakeUp(now=at(date(2026, 5, 1)))
SIGN_ANEW = (
    SignForBorrower(round=1, offer=2, now=at(date(2026, 4, 21))),
    SignForBank(staff_id=ZHANG, now=at(date(2026, 4, 22))),
)


class TestRenewing:
    def test_a_mediator_offers_the_rest_and_both_sign_it_anew(self) -> None:
        (proposed,) = DECIDER.decide(RENEW, DECIDER.fold(lived(*CONTRADICTED)))
        assert isinstance(proposed, AgreementProposed)
        assert (proposed.round, proposed.offer, proposed.settlement_minor) == (1, 2, 40_000)
        assert (proposed.inputs.owed_minor, proposed.inputs.discount_percent_max) == (40_000, 0)
        history = lived(*RENEWED, *SIGN_ANEW)
        signed = history[-1]
        assert isinstance(signed, AgreementSigned)
        assert signed.signed_at == at(date(2026, 4, 22))
        rest = paid(40_000, JUNE.due_on, JUNE.due_on, "p2")
        assert fulfilled(0, paid_minor=40_000) in DECIDER.decide(rest, DECIDER.fold(history))

    @pytest.mark.parametrize("settlement_minor", [39_999, 40_001, 100_000])
    def test_neither_more_nor_less_than_the_rest(self, settlement_minor: int) -> None:
        other = replace(RENEW, settlement_minor=settlement_minor)
        given(*lived(*CONTRADICTED)).when(other).then_refused("not_what_is_left")

    def test_not_after_a_breach_that_stands(self) -> None:
        given(*lived(*BREACHED)).when(RENEW).then_refused("mediation_over")
        too_late = paid(60_000, DAY_AFTER, DAY_AFTER)
        given(*lived(*BREACHED, too_late)).when(RENEW).then_refused("mediation_over")

    def test_four_eyes_hold(self) -> None:
        given(*lived(*RENEWED, SIGN_ANEW[0])).when(
            SignForBank(staff_id=MEDIATOR, now=SIGN_ANEW[1].now)
        ).then_refused("same_person")

    def test_money_meanwhile_counts_towards_the_rest(self) -> None:
        meanwhile = paid(15_000, date(2026, 4, 21), date(2026, 4, 21), "p2")
        state = DECIDER.fold(lived(*RENEWED, meanwhile, *SIGN_ANEW))
        assert isinstance(state, InForce)
        assert (state.paid_minor, state.open_paid_minor) == (15_000, 15_000)
        less = replace(
            RENEW, settlement_minor=25_000, instalments=(replace(JUNE, amount_minor=25_000),)
        )
        history = lived(*RENEWED, meanwhile)
        given(*history).when(
            replace(RENEW, instalments=(JUNE,), settlement_minor=25_000)
        ).then_refused("instalments_do_not_add_up")
        assert len(DECIDER.decide(less, DECIDER.fold(history))) == 1

    @pytest.mark.parametrize(
        "ending",
        [
            WakeUp(now=at(date(2026, 5, 1))),
            RecordDecline(staff_id=MEDIATOR, now=at(date(2026, 4, 21))),
            SignForBank(staff_id=ZHANG, now=at(date(2026, 5, 2))),
        ],
        ids=["time is over", "declined", "signed too late"],
    )
    def test_what_is_not_signed_is_no_failure_of_talks(self, ending: MediationCommand) -> None:
        given(*lived(*RENEWED)).when(ending).then(closing("not_renewed"))
        other_day = replace(RENEW, instalments=(replace(JUNE, due_on=date(2026, 6, 3)),))
        given(*lived(*RENEWED, other_day)).when(ending).then(closing("not_renewed"))

    @pytest.mark.parametrize(
        ("while_offered", "left_minor"),
        [((), 40_000), ((15_000,), 25_000), ((15_000, 20_000), 5_000)],
    )
    def test_what_is_not_signed_leaves_the_agreement_as_it_was(
        self, while_offered: tuple[int, ...], left_minor: int
    ) -> None:
        heard_on = date(2026, 4, 21)
        meanwhile = [paid(amount, heard_on, heard_on, f"m{amount}") for amount in while_offered]
        history = lived(*RENEWED, *meanwhile, NOT_SIGNED)
        rest = paid(left_minor, MAY.due_on, MAY.due_on, "p2")
        given(*history).when(rest).then(late("p2", left_minor, MAY.due_on, 100_000), fulfilled(0))
        for one in meanwhile:
            given(*history).when(one).then_nothing_happens()

    def test_the_rest_that_comes_while_it_is_on_offer_fulfils_the_agreement(self) -> None:
        rest = paid(40_500, MAY.due_on, date(2026, 4, 29), "p2")
        for history in (lived(*RENEWED), lived(*RENEWED, SIGN_ANEW[0])):
            noted, ended = DECIDER.decide(rest, DECIDER.fold(history))
            assert isinstance(noted, PaymentNoted)
            assert (noted.value_on, ended) == (MAY.due_on, fulfilled(500))
        short = replace(rest, amount_minor=39_999)
        assert len(DECIDER.decide(short, DECIDER.fold(lived(*RENEWED)))) == 1

    def test_the_rest_that_comes_too_late_does_not(self) -> None:
        long_offer = replace(RENEW, now=at(date(2026, 5, 15)))
        history = lived(*CONTRADICTED, long_offer)
        too_late = paid(40_000, date(2026, 5, 17), date(2026, 5, 18), "p2")
        (noted,) = DECIDER.decide(too_late, DECIDER.fold(history))
        assert isinstance(noted, PaymentNoted)
        unsigned = lived(*CONTRADICTED, long_offer, too_late, WakeUp(now=at(date(2026, 6, 2))))
        state = DECIDER.fold(unsigned)
        assert isinstance(state, Breached)
        assert state.late[-1].value_on == too_late.value_on

    def test_money_of_an_unknown_value_day_counts_from_the_day_of_the_offer(self) -> None:
        meanwhile = paid(15_000, date(2026, 4, 22), date(2026, 4, 22), "p2")
        (noted,) = DECIDER.decide(meanwhile, DECIDER.fold(lived(*RENEWED)))
        assert isinstance(noted, PaymentNoted)
        unknown = (*lived(*RENEWED), replace(noted, value_on=None))
        closed = DECIDER.decide(NOT_SIGNED, DECIDER.fold(unknown))
        state = DECIDER.fold((*unknown, *closed))
        assert isinstance(state, Breached)
        assert state.late[-1] == LatePayment(value_on=date(2026, 4, 20), amount_minor=15_000)

    def test_the_rest_may_be_offered_again_and_an_old_signature_is_not_taken_for_it(self) -> None:
        again = replace(RENEW, now=at(date(2026, 5, 2)))
        history = lived(*RENEWED, NOT_SIGNED, again)
        proposed = history[-1]
        assert isinstance(proposed, AgreementProposed)
        assert (proposed.offer, proposed.settlement_minor) == (3, 40_000)
        given(*history).when(SIGN_ANEW[0]).then_nothing_happens()

    def test_no_hold_and_no_echo_ends_it_but_the_closing_and_a_new_referral_do(self) -> None:
        history = lived(*RENEWED)
        given(*history).when(TakeBackMediation(now=RENEW.now)).then_nothing_happens()
        held = lived(*RENEWED, HoldMediation(now=RENEW.now), *SIGN_ANEW)
        assert isinstance(DECIDER.fold(held), InForce)
        given(*history).when(CloseMediation(reason="cured", now=RENEW.now)).then(closing("cured"))
        taken = DECIDER.decide(replace(TAKE, referral=5, now=RENEW.now), DECIDER.fold(history))[0]
        assert isinstance(taken, MediationTaken)
        assert (taken.round, taken.overdue_minor) == (2, 100_000)


DAYS = st.dates(date(2026, 3, 20), date(2026, 6, 20))


@settings(max_examples=300)
@forall(
    money=st.lists(st.tuples(DAYS, st.integers(0, 40), st.integers(1, 70_000)), max_size=7),
    again=st.lists(st.integers(0, 6), max_size=3),
    shares=st.lists(st.integers(1, 50_000), min_size=1, max_size=3),
)
def test_no_money_is_dropped_or_counted_twice_however_late_it_is_heard(
    money: list[tuple[date, int, int]], again: list[int], shares: list[int]
) -> None:
    plan = [
        Instalment(due_on=date(2026, 4, 1) + timedelta(days=30 * n), amount_minor=share)
        for n, share in enumerate(shares)
    ]
    came = [
        paid(amount, day, day + timedelta(days=days), f"p{number}")
        for number, (day, days, amount) in enumerate(money)
    ]
    twice = [
        replace(came[one], now=came[one].now + timedelta(days=3))
        for one in again
        if one < len(came)
    ]
    history, heard = lived(*agreed(*plan)), dict[str, RecordRepayment]()
    for command in sorted((*came, *twice, *nights(date(2026, 7, 31))), key=lambda one: one.now):
        state = DECIDER.fold(history)
        if isinstance(command, RecordRepayment) and isinstance(state, InForce | Breached):
            heard.setdefault(command.repayment_id, command)
        history = (*history, *DECIDER.decide(command, state))
    counted: Counter[str | None] = Counter()
    for event in history:
        if isinstance(event, InstalmentPaid | LatePaymentNoted):
            counted[event.repayment_id] += event.amount_minor
        elif isinstance(event, AgreementFulfilled) and counted.total() <= sum(shares):
            counted[list(heard)[-1]] += event.surplus_minor
    assert counted == {name: one.amount_minor for name, one in heard.items()}
    for event in history:
        if isinstance(event, BreachContradicted):
            in_time = [one for one in heard.values() if one.value_on <= event.cure_by_on]
            due_minor = sum(shares[: event.instalment_index + 1])
            assert sum(one.amount_minor for one in in_time) >= due_minor
        elif isinstance(event, AgreementFulfilled):
            assert event.paid_minor == sum(shares)
            assert event.surplus_minor == counted.total() - sum(shares)

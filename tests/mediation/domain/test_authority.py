"""How much a mediator may let go, and that two persons bind the bank."""

from datetime import timedelta

import pytest
from msgspec.structs import replace

from arrears.mediation.domain.mediation.commands import (
    HoldMediation,
    MediationCommand,
    ResumeMediation,
    SignForBank,
    SignForBorrower,
)
from arrears.mediation.domain.mediation.decisions import make_mediation_decider
from arrears.mediation.domain.mediation.events import AgreementProposed
from arrears.mediation.domain.policy import OfferRule, PolicyBook
from arrears.mediation.testing.case import (
    ACCEPT,
    ANSWERED_AT,
    BOOK,
    CALENDAR,
    DECIDER,
    NOW,
    TAKE,
    TODAY,
    both_sign,
    lived,
    offer,
    pay,
)
from arrears.shared.kernel.ids import StaffId
from arrears.shared.testing.decider_spec import DeciderSpec

LI, ZHANG = StaffId("li.wei"), StaffId("zhang.min")

given = DeciderSpec(DECIDER).given


HELD = (HoldMediation(now=NOW + timedelta(days=1)), ResumeMediation(now=ANSWERED_AT))


class TestTheDiscountOfTheBanksOffer:
    @pytest.mark.parametrize(
        ("before", "owed_minor"),
        [
            ((), 100_000),
            ((pay(20_000),), 80_000),
            ((pay(20_000), offer(75_000)), 80_000),
            ((pay(33_333),), 66_667),
            ((pay(20_000), *HELD), 80_000),
            ((pay(99_999),), 1),
        ],
    )
    def test_is_at_most_30_percent_of_what_is_still_owed(
        self, before: tuple[MediationCommand, ...], owed_minor: int
    ) -> None:
        history = lived(TAKE, *before)
        least_minor = -(-owed_minor * 70 // 100)
        (proposed,) = DECIDER.decide(offer(least_minor), DECIDER.fold(history))
        assert isinstance(proposed, AgreementProposed)
        assert (proposed.inputs.owed_minor, proposed.inputs.discount_percent_max) == (
            owed_minor,
            30,
        )
        if least_minor > 1:
            given(*history).when(offer(least_minor - 1)).then_refused("over_authority")

    @pytest.mark.parametrize(
        ("percent", "least_minor"), [(0, 100_000), (1, 99_000), (50, 50_000), (90, 10_000)]
    )
    def test_is_the_policys(self, percent: int, least_minor: int) -> None:
        rule = OfferRule(settle_within_days=15, discount_percent_max=percent)
        bank = make_mediation_decider(PolicyBook([replace(BOOK.on(TODAY), offer=rule)]), CALENDAR)
        spec = DeciderSpec(bank).given(*lived(TAKE))
        assert len(bank.decide(offer(least_minor), bank.fold(lived(TAKE)))) == 1
        spec.when(offer(least_minor - 1)).then_refused("over_authority")

    @pytest.mark.parametrize(
        ("before", "owed_minor"),
        [
            ((), 100_000),
            ((pay(20_000),), 80_000),
            ((pay(20_000), offer(75_000)), 80_000),
            ((pay(20_000), *HELD), 80_000),
            ((pay(100_000),), 0),
            ((pay(120_000),), 0),
        ],
    )
    def test_the_bank_asks_for_all_that_is_owed_and_for_no_more(
        self, before: tuple[MediationCommand, ...], owed_minor: int
    ) -> None:
        history = lived(TAKE, *before)
        if owed_minor:
            assert len(DECIDER.decide(offer(owed_minor), DECIDER.fold(history))) == 1
        given(*history).when(offer(owed_minor + 1)).then_refused("more_than_owed")


GATEWAY_FOR_BORROWER, GATEWAY_FOR_BANK = both_sign(ANSWERED_AT)


def borrower(recorded_by: StaffId) -> SignForBorrower:
    return SignForBorrower(staff_id=recorded_by, now=ANSWERED_AT)


def bank(by: StaffId) -> SignForBank:
    return SignForBank(staff_id=by, now=ANSWERED_AT)


class TestFourEyes:
    @pytest.mark.parametrize(
        ("before", "signature"),
        [
            ((offer(100_000, LI),), bank(LI)),
            ((offer(100_000, LI), borrower(ZHANG)), bank(LI)),
            ((offer(100_000, LI), borrower(ZHANG)), bank(ZHANG)),
            ((offer(100_000, LI), GATEWAY_FOR_BORROWER), bank(LI)),
            ((ACCEPT, borrower(LI)), bank(LI)),
            ((ACCEPT, bank(LI)), borrower(LI)),
            ((offer(100_000, LI), bank(ZHANG)), borrower(ZHANG)),
        ],
    )
    def test_one_person_does_not_bind_the_bank(
        self, before: tuple[MediationCommand, ...], signature: MediationCommand
    ) -> None:
        given(*lived(TAKE, *before)).when(signature).then_refused("same_person")

    @pytest.mark.parametrize(
        ("before", "signature"),
        [
            ((offer(100_000, LI), borrower(LI)), bank(ZHANG)),
            ((offer(100_000, LI), bank(ZHANG)), borrower(LI)),
            ((ACCEPT, borrower(LI)), bank(ZHANG)),
            ((ACCEPT,), bank(LI)),
            ((offer(100_000, LI), borrower(LI)), GATEWAY_FOR_BANK),
            ((offer(100_000, LI), GATEWAY_FOR_BANK), borrower(LI)),
            ((ACCEPT, GATEWAY_FOR_BORROWER), bank(LI)),
            ((offer(100_000, LI), borrower(ZHANG), offer(90_000, LI)), bank(ZHANG)),
        ],
    )
    def test_two_do_and_a_gateway_is_nobody(
        self, before: tuple[MediationCommand, ...], signature: MediationCommand
    ) -> None:
        assert DECIDER.decide(signature, DECIDER.fold(lived(TAKE, *before)))

    def test_a_signature_that_stands_is_not_refused_the_second_time(self) -> None:
        history = lived(TAKE, offer(100_000, LI), borrower(LI), bank(ZHANG))
        given(*history).when(borrower(ZHANG)).then_nothing_happens()

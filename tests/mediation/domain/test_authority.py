"""How much a mediator may let go, and that two persons bind the bank."""

from datetime import UTC, date, datetime, timedelta

import pytest
from msgspec.structs import replace

from arrears.mediation.adapters.policies import load_policies
from arrears.mediation.domain.mediation.commands import (
    AnswerInvitation,
    HoldMediation,
    MediationCommand,
    RecordOffer,
    RecordRepayment,
    ResumeMediation,
    SignForBank,
    SignForBorrower,
    TakeMediation,
)
from arrears.mediation.domain.mediation.decisions import make_mediation_decider
from arrears.mediation.domain.mediation.events import AgreementProposed, MediationEvent
from arrears.mediation.domain.plan import Instalment
from arrears.mediation.domain.policy import OfferRule, PolicyBook
from arrears.shared.kernel.business_day import BankCalendar
from arrears.shared.kernel.ids import BorrowerId, CaseId, LoanKey, StaffId
from arrears.shared.testing.decider_spec import DeciderSpec

CALENDAR = BankCalendar("Asia/Shanghai")
TODAY = date(2026, 3, 2)
NOW = datetime(2026, 3, 2, 1, 30, tzinfo=UTC)
LATER = NOW + timedelta(days=2)
FIRST_ON = date(2026, 4, 1)
LI, ZHANG = StaffId("li.wei"), StaffId("zhang.min")
TAKE = TakeMediation(
    case_id=CaseId("case-1"),
    loan_key=LoanKey("loan-1@/core-banking/test"),
    borrower_id=BorrowerId("borrower-1"),
    referral=4,
    overdue_minor=100_000,
    currency="CNY",
    now=NOW,
)
BOOK = load_policies()

decider = make_mediation_decider(BOOK, CALENDAR)
given = DeciderSpec(decider).given


def lived(*commands: MediationCommand) -> tuple[MediationEvent, ...]:
    """The history that these commands leave behind."""
    events: tuple[MediationEvent, ...] = ()
    for command in commands:
        events = (*events, *decider.decide(command, decider.fold(events)))
    return events


def offer(settlement_minor: int, by: StaffId = LI) -> RecordOffer:
    return RecordOffer(
        settlement_minor=settlement_minor,
        currency="CNY",
        instalments=(Instalment(due_on=FIRST_ON, amount_minor=settlement_minor),),
        staff_id=by,
        now=LATER,
    )


def pay(amount_minor: int) -> RecordRepayment:
    return RecordRepayment(
        repayment_id=f"p{amount_minor}",
        amount_minor=amount_minor,
        currency="CNY",
        value_on=TODAY,
        now=NOW + timedelta(hours=1),
    )


HELD = (HoldMediation(now=NOW + timedelta(hours=2)), ResumeMediation(now=LATER))


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
        (proposed,) = decider.decide(offer(least_minor), decider.fold(history))
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
            assert len(decider.decide(offer(owed_minor), decider.fold(history))) == 1
        given(*history).when(offer(owed_minor + 1)).then_refused("more_than_owed")


BORROWERS_OFFER = AnswerInvitation(
    round=1,
    accepted=True,
    instalments=(Instalment(due_on=FIRST_ON, amount_minor=100_000),),
    now=LATER,
)
GATEWAY_FOR_BORROWER = SignForBorrower(round=1, offer=1, now=LATER)
GATEWAY_FOR_BANK = SignForBank(round=1, offer=1, now=LATER)


def borrower(recorded_by: StaffId) -> SignForBorrower:
    return SignForBorrower(staff_id=recorded_by, now=LATER)


def bank(by: StaffId) -> SignForBank:
    return SignForBank(staff_id=by, now=LATER)


class TestFourEyes:
    @pytest.mark.parametrize(
        ("before", "signature"),
        [
            ((offer(100_000, LI),), bank(LI)),
            ((offer(100_000, LI), borrower(ZHANG)), bank(LI)),
            ((offer(100_000, LI), borrower(ZHANG)), bank(ZHANG)),
            ((offer(100_000, LI), GATEWAY_FOR_BORROWER), bank(LI)),
            ((BORROWERS_OFFER, borrower(LI)), bank(LI)),
            ((BORROWERS_OFFER, bank(LI)), borrower(LI)),
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
            ((BORROWERS_OFFER, borrower(LI)), bank(ZHANG)),
            ((BORROWERS_OFFER,), bank(LI)),
            ((offer(100_000, LI), borrower(LI)), GATEWAY_FOR_BANK),
            ((offer(100_000, LI), GATEWAY_FOR_BANK), borrower(LI)),
            ((BORROWERS_OFFER, GATEWAY_FOR_BORROWER), bank(LI)),
            ((offer(100_000, LI), borrower(ZHANG), offer(90_000, LI)), bank(ZHANG)),
        ],
    )
    def test_two_do_and_a_gateway_is_nobody(
        self, before: tuple[MediationCommand, ...], signature: MediationCommand
    ) -> None:
        assert decider.decide(signature, decider.fold(lived(TAKE, *before)))

    def test_a_signature_that_stands_is_not_refused_the_second_time(self) -> None:
        history = lived(TAKE, offer(100_000, LI), borrower(LI), bank(ZHANG))
        given(*history).when(borrower(ZHANG)).then_nothing_happens()

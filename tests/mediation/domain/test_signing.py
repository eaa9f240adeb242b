"""The rules of signing a plan: the test names are the rule book."""

from datetime import date

import pytest
from msgspec.structs import replace

from arrears.mediation.domain.mediation.commands import (
    MediationCommand,
    SignForBank,
    SignForBorrower,
)
from arrears.mediation.domain.mediation.events import (
    AgreementProposed,
    AgreementSigned,
    BankSigned,
    BorrowerSigned,
    InstalmentPaid,
)
from arrears.mediation.testing.case import (
    ACCEPT,
    APRIL,
    BANK_SIGNS,
    BORROWER_SIGNS,
    CALENDAR,
    CASE,
    DECIDER,
    DECLINE,
    LOAN,
    MAY,
    MEDIATOR,
    NOW,
    OFFER,
    SIGNED_AT,
    TAKE,
    end_of,
    lived,
    pay,
    wake_after,
)
from arrears.mediation.testing.said import failure, signed
from arrears.shared.testing.decider_spec import DeciderSpec

given = DeciderSpec(DECIDER).given


class TestSign:
    def test_one_signature_puts_nothing_in_force(self) -> None:
        given(*lived(TAKE, ACCEPT)).when(BORROWER_SIGNS).then(
            BorrowerSigned(
                case_id=CASE,
                loan_key=LOAN,
                round=1,
                offer=1,
                signed_at=SIGNED_AT,
                recorded_by=None,
            )
        )

    @pytest.mark.parametrize(
        ("first", "second"), [(BORROWER_SIGNS, BANK_SIGNS), (BANK_SIGNS, BORROWER_SIGNS)]
    )
    def test_the_second_signature_does_whoever_gives_it(
        self, first: MediationCommand, second: MediationCommand
    ) -> None:
        events = DECIDER.decide(second, DECIDER.fold(lived(TAKE, ACCEPT, first)))
        assert events[-1] == signed(SIGNED_AT)

    def test_a_signature_before_staff_names_who_recorded_it(self) -> None:
        by_hand = SignForBank(staff_id=MEDIATOR, now=SIGNED_AT)
        given(*lived(TAKE, ACCEPT)).when(by_hand).then(
            BankSigned(
                case_id=CASE,
                loan_key=LOAN,
                round=1,
                offer=1,
                signed_at=SIGNED_AT,
                recorded_by=MEDIATOR,
            )
        )

    def test_the_same_signature_twice_counts_once(self) -> None:
        given(*lived(TAKE, ACCEPT, BANK_SIGNS)).when(BANK_SIGNS).then_nothing_happens()

    def test_staff_are_refused_where_there_is_nothing_to_sign(self) -> None:
        by_hand = SignForBorrower(staff_id=MEDIATOR, now=NOW)
        given(*lived(TAKE)).when(by_hand).then_refused("nothing_to_sign")
        given(*lived(TAKE, DECLINE)).when(by_hand).then_refused("mediation_over")

    def test_on_the_last_day_it_still_counts(self) -> None:
        last = CALENDAR.last_minute_of(date(2026, 3, 14))
        history = lived(TAKE, ACCEPT, BORROWER_SIGNS)
        events = DECIDER.decide(replace(BANK_SIGNS, now=last), DECIDER.fold(history))
        assert events[-1] == signed(last)

    def test_after_the_last_day_it_is_too_late(self) -> None:
        late = replace(BANK_SIGNS, now=end_of(date(2026, 3, 14)))
        given(*lived(TAKE, ACCEPT, BORROWER_SIGNS)).when(late).then(
            failure("not_signed", "missing: bank")
        )

    def test_must_be_given_before_the_first_instalment_falls_due(self) -> None:
        soon = (replace(APRIL, due_on=date(2026, 3, 6)), MAY)
        (proposed,) = DECIDER.decide(replace(OFFER, instalments=soon), DECIDER.fold(lived(TAKE)))
        assert isinstance(proposed, AgreementProposed)
        assert proposed.sign_by_on == date(2026, 3, 6)

    def test_allocates_what_came_since_the_referral(self) -> None:
        early = pay(70_000, date(2026, 3, 3))
        history = lived(TAKE, early, ACCEPT, BORROWER_SIGNS)
        events = DECIDER.decide(BANK_SIGNS, DECIDER.fold(history))
        assert [event.amount_minor for event in events if isinstance(event, InstalmentPaid)] == [
            60_000,
            10_000,
        ]

    def test_a_settlement_of_the_bank_is_reckoned_after_what_came_before_it(self) -> None:
        early = pay(40_000, date(2026, 3, 3))
        rest = replace(OFFER, settlement_minor=60_000, instalments=(APRIL,))
        events = lived(TAKE, early, rest, BORROWER_SIGNS, BANK_SIGNS)
        assert isinstance(events[-1], AgreementSigned)

    def test_not_signed_in_10_days_fails_the_mediation(self) -> None:
        history = lived(TAKE, ACCEPT, BANK_SIGNS)
        assert given(*history).is_due(SIGNED_AT) == end_of(date(2026, 3, 14))
        given(*history).when(wake_after(date(2026, 3, 14))).then(
            failure("not_signed", "missing: borrower")
        )

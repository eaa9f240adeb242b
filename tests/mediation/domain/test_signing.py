"""The rules of signing a plan: the test names are the rule book."""

from datetime import UTC, date, datetime, timedelta

import pytest
from msgspec.structs import replace

from arrears.mediation.adapters.policies import load_policies
from arrears.mediation.domain.mediation.commands import (
    AnswerInvitation,
    MediationCommand,
    RecordOffer,
    RecordRepayment,
    SignForBank,
    SignForBorrower,
    TakeMediation,
    WakeUp,
)
from arrears.mediation.domain.mediation.decisions import make_mediation_decider
from arrears.mediation.domain.mediation.events import (
    AgreementProposed,
    AgreementSigned,
    BankSigned,
    BorrowerSigned,
    InstalmentPaid,
    MediationEvent,
    MediationFailed,
)
from arrears.mediation.domain.plan import Instalment
from arrears.shared.kernel.business_day import BankCalendar
from arrears.shared.kernel.ids import BorrowerId, CaseId, LoanKey, StaffId
from arrears.shared.testing.decider_spec import DeciderSpec

CALENDAR = BankCalendar("Asia/Shanghai")
CASE = CaseId("case-1")
LOAN = LoanKey("loan-1@/core-banking/test")
BORROWER = BorrowerId("borrower-1")
MEDIATOR = StaffId("mediator-7")
TODAY = date(2026, 3, 2)
NOW = datetime(2026, 3, 2, 1, 30, tzinfo=UTC)
ANSWERED_AT = NOW + timedelta(days=2)
SIGNED_AT = NOW + timedelta(days=4)
APRIL = Instalment(due_on=date(2026, 4, 1), amount_minor=60_000)
MAY = Instalment(due_on=date(2026, 5, 1), amount_minor=40_000)
PLAN = (APRIL, MAY)
POLICY, VERSION = "cn-mediation", 1

TAKE = TakeMediation(
    case_id=CASE,
    loan_key=LOAN,
    borrower_id=BORROWER,
    referral=4,
    overdue_minor=100_000,
    currency="CNY",
    now=NOW,
)
ACCEPT = AnswerInvitation(round=1, accepted=True, instalments=PLAN, now=ANSWERED_AT)
WILLING = AnswerInvitation(round=1, accepted=True, now=ANSWERED_AT)
DECLINE = AnswerInvitation(round=1, accepted=False, now=ANSWERED_AT)
OFFER = RecordOffer(
    settlement_minor=100_000,
    currency="CNY",
    instalments=PLAN,
    staff_id=MEDIATOR,
    now=ANSWERED_AT,
)
BORROWER_SIGNS = SignForBorrower(round=1, offer=1, now=SIGNED_AT)
BANK_SIGNS = SignForBank(round=1, offer=1, now=SIGNED_AT)

decider = make_mediation_decider(load_policies(), CALENDAR)
given = DeciderSpec(decider).given


def lived(*commands: MediationCommand) -> tuple[MediationEvent, ...]:
    """The history that these commands leave behind."""
    events: tuple[MediationEvent, ...] = ()
    for command in commands:
        events = (*events, *decider.decide(command, decider.fold(events)))
    return events


def pay(amount_minor: int, on: date, repayment_id: str = "") -> RecordRepayment:
    return RecordRepayment(
        repayment_id=repayment_id or f"pay-{on}",
        amount_minor=amount_minor,
        currency="CNY",
        value_on=on,
        now=CALENDAR.start_of(on) + timedelta(hours=12),
    )


def end_of(day: date) -> datetime:
    return CALENDAR.start_of(day + timedelta(days=1))


def wake_after(day: date) -> WakeUp:
    return WakeUp(now=end_of(day))


IN_FORCE = (TAKE, ACCEPT, BORROWER_SIGNS, BANK_SIGNS)
APRIL_MISSED = (*IN_FORCE, wake_after(date(2026, 4, 6)))


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
        events = decider.decide(second, decider.fold(lived(TAKE, ACCEPT, first)))
        assert events[-1] == AgreementSigned(
            case_id=CASE,
            loan_key=LOAN,
            round=1,
            settlement_minor=100_000,
            instalments=PLAN,
            currency="CNY",
            signed_at=SIGNED_AT,
        )

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

    def test_after_the_last_day_it_is_too_late(self) -> None:
        late = replace(BANK_SIGNS, now=end_of(date(2026, 3, 14)))
        given(*lived(TAKE, ACCEPT, BORROWER_SIGNS)).when(late).then(
            failure("not_signed", "missing: bank")
        )

    def test_must_be_given_before_the_first_instalment_falls_due(self) -> None:
        soon = (replace(APRIL, due_on=date(2026, 3, 6)), MAY)
        (proposed,) = decider.decide(replace(OFFER, instalments=soon), decider.fold(lived(TAKE)))
        assert isinstance(proposed, AgreementProposed)
        assert proposed.sign_by_on == date(2026, 3, 6)

    def test_allocates_what_came_since_the_referral(self) -> None:
        early = pay(70_000, date(2026, 3, 3))
        history = lived(TAKE, early, ACCEPT, BORROWER_SIGNS)
        events = decider.decide(BANK_SIGNS, decider.fold(history))
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


# --- Short words for long events.


def failure(reason: str, detail: str | None = None) -> MediationFailed:
    return MediationFailed(
        case_id=CASE,
        loan_key=LOAN,
        round=1,
        reason=reason,
        detail=detail,
        policy_id=POLICY,
        policy_version=VERSION,
        referral=4,
    )

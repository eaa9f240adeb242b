"""Short words for the long events of the case: of its first round, unless told otherwise."""

from datetime import date, datetime
from typing import Any

from msgspec.structs import replace

from arrears.mediation.domain.mediation.events import (
    AgreementBreached,
    AgreementFulfilled,
    AgreementProposed,
    AgreementSigned,
    BorrowerInvited,
    BreachContradicted,
    InstalmentPaid,
    LatePaymentNoted,
    MediationClosed,
    MediationFailed,
    MediationTaken,
    OfferInputs,
    PaymentNoted,
)
from arrears.mediation.testing.case import APRIL, BORROWER, CASE, CURE_ENDS, LOAN, MAY, PLAN, TODAY

POLICY, VERSION = "cn-mediation", 1


# --- Talks


def taken(answer_by_on: date, **other: Any) -> MediationTaken:
    event = MediationTaken(
        case_id=CASE,
        loan_key=LOAN,
        borrower_id=BORROWER,
        round=1,
        referral=4,
        overdue_minor=100_000,
        currency="CNY",
        taken_on=TODAY,
        answer_by_on=answer_by_on,
        policy_id=POLICY,
        policy_version=VERSION,
    )
    return replace(event, **other)


def invited(answer_by_on: date) -> BorrowerInvited:
    return BorrowerInvited(
        case_id=CASE,
        loan_key=LOAN,
        round=1,
        overdue_minor=100_000,
        currency="CNY",
        answer_by_on=answer_by_on,
        policy_id=POLICY,
        policy_version=VERSION,
    )


def proposed(by: str, sign_by_on: date) -> AgreementProposed:
    """The plan, over all that is owed. Nobody of the bank's staff is named."""
    return AgreementProposed(
        case_id=CASE,
        loan_key=LOAN,
        round=1,
        offer=1,
        proposed_by=by,
        staff_id=None,
        settlement_minor=100_000,
        credited_minor=0,
        counts_from_on=TODAY,
        currency="CNY",
        instalments=PLAN,
        sign_by_on=sign_by_on,
        grace_days=5,
        cure_days=10,
        inputs=OfferInputs(
            settlement_minor=100_000,
            instalment_count=2,
            total_minor=100_000,
            first_due_on=APRIL.due_on,
            last_due_on=MAY.due_on,
            term_months_max=60,
        ),
        policy_id=POLICY,
        policy_version=VERSION,
    )


def signed(signed_at: datetime) -> AgreementSigned:
    """By both."""
    return AgreementSigned(
        case_id=CASE,
        loan_key=LOAN,
        round=1,
        settlement_minor=100_000,
        instalments=PLAN,
        currency="CNY",
        signed_at=signed_at,
    )


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


def closing(reason: str) -> MediationClosed:
    return MediationClosed(case_id=CASE, loan_key=LOAN, round=1, reason=reason, referral=4)


# --- Money


def noted(repayment_id: str, amount_minor: int, value_on: date | None) -> PaymentNoted:
    """The first that came before an agreement."""
    return PaymentNoted(
        case_id=CASE,
        loan_key=LOAN,
        round=1,
        repayment_id=repayment_id,
        amount_minor=amount_minor,
        currency="CNY",
        noted_minor=amount_minor,
        value_on=value_on,
    )


def part(
    index: int, repayment_id: str | None, amount_minor: int, so_far_minor: int, *, complete: bool
) -> InstalmentPaid:
    return InstalmentPaid(
        case_id=CASE,
        loan_key=LOAN,
        round=1,
        instalment_index=index,
        repayment_id=repayment_id,
        amount_minor=amount_minor,
        instalment_paid_minor=so_far_minor,
        currency="CNY",
        complete=complete,
    )


def fulfilled(surplus_minor: int, paid_minor: int = 100_000) -> AgreementFulfilled:
    return AgreementFulfilled(
        case_id=CASE,
        loan_key=LOAN,
        round=1,
        paid_minor=paid_minor,
        surplus_minor=surplus_minor,
        currency="CNY",
    )


def breached(paid_minor: int, unpaid_minor: int) -> AgreementBreached:
    """By the first instalment."""
    return AgreementBreached(
        case_id=CASE,
        loan_key=LOAN,
        round=1,
        instalment_index=0,
        paid_minor=paid_minor,
        unpaid_minor=unpaid_minor,
        currency="CNY",
        policy_id=POLICY,
        policy_version=VERSION,
    )


def late(
    repayment_id: str, amount_minor: int, value_on: date, noted_minor: int
) -> LatePaymentNoted:
    return LatePaymentNoted(
        case_id=CASE,
        loan_key=LOAN,
        round=1,
        repayment_id=repayment_id,
        amount_minor=amount_minor,
        currency="CNY",
        value_on=value_on,
        in_time=value_on <= CURE_ENDS,
        noted_minor=noted_minor,
    )


def contradicted(left_minor: int) -> BreachContradicted:
    return BreachContradicted(
        case_id=CASE,
        loan_key=LOAN,
        round=1,
        instalment_index=0,
        cure_by_on=CURE_ENDS,
        left_minor=left_minor,
        currency="CNY",
        reason="paid_in_time_heard_late",
    )

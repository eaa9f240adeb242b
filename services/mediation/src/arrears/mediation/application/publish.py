"""The wire name of each of our facts: all are published, whole. A name is never changed."""

from typing import Final

from arrears.mediation.domain.mediation.events import (
    AgreementBreached,
    AgreementFulfilled,
    AgreementHeld,
    AgreementProposed,
    AgreementReleased,
    AgreementSigned,
    BankSigned,
    BorrowerInvited,
    BorrowerSigned,
    BreachContradicted,
    HoldEnded,
    HoldNoted,
    InstalmentMissed,
    InstalmentPaid,
    InvitationAnswered,
    InvitationReceipted,
    InvitationWithdrawn,
    LatePaymentNoted,
    MediationClosed,
    MediationEvent,
    MediationFailed,
    MediationTaken,
    OfferRefused,
    PaymentNoted,
)

WIRE_NAMES: Final[dict[type, str]] = {
    MediationTaken: "arrears.mediation.mediation_taken.v1",
    BorrowerInvited: "arrears.mediation.borrower_invited.v1",
    InvitationWithdrawn: "arrears.mediation.invitation_withdrawn.v1",
    InvitationReceipted: "arrears.mediation.invitation_receipted.v1",
    InvitationAnswered: "arrears.mediation.invitation_answered.v1",
    OfferRefused: "arrears.mediation.offer_refused.v1",
    AgreementProposed: "arrears.mediation.agreement_proposed.v1",
    BorrowerSigned: "arrears.mediation.borrower_signed.v1",
    BankSigned: "arrears.mediation.bank_signed.v1",
    AgreementSigned: "arrears.mediation.agreement_signed.v1",
    PaymentNoted: "arrears.mediation.payment_noted.v1",
    InstalmentPaid: "arrears.mediation.instalment_paid.v1",
    InstalmentMissed: "arrears.mediation.instalment_missed.v1",
    AgreementBreached: "arrears.mediation.agreement_breached.v1",
    HoldNoted: "arrears.mediation.hold_noted.v1",
    HoldEnded: "arrears.mediation.hold_ended.v1",
    AgreementHeld: "arrears.mediation.agreement_held.v1",
    AgreementReleased: "arrears.mediation.agreement_released.v1",
    LatePaymentNoted: "arrears.mediation.late_payment_noted.v1",
    BreachContradicted: "arrears.mediation.breach_contradicted.v1",
    AgreementFulfilled: "arrears.mediation.agreement_fulfilled.v1",
    MediationFailed: "arrears.mediation.mediation_failed.v1",
    MediationClosed: "arrears.mediation.mediation_closed.v1",
}


def subject_of(event: MediationEvent) -> str | None:
    return event.case_id

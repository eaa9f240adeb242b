"""What mediation tells the others. Topic `arrears.mediation.v1`, key = borrower id."""

from datetime import date, datetime
from typing import ClassVar, TypeAlias

from msgspec import Struct

from arrears.shared.kernel.ids import CaseId, LoanKey


class Instalment(Struct, frozen=True, kw_only=True):
    due_on: date
    amount_minor: int


class AgreementSigned(Struct, frozen=True, kw_only=True):
    """Signed by borrower and bank. While it is kept nobody collects (card rules art. 70)."""

    WIRE_NAME: ClassVar[str] = "arrears.mediation.agreement_signed.v1"
    case_id: CaseId
    loan_key: LoanKey
    instalments: tuple[Instalment, ...]
    currency: str
    signed_at: datetime


class AgreementFulfilled(Struct, frozen=True, kw_only=True):
    WIRE_NAME: ClassVar[str] = "arrears.mediation.agreement_fulfilled.v1"
    case_id: CaseId
    loan_key: LoanKey
    paid_minor: int


class AgreementBreached(Struct, frozen=True, kw_only=True):
    WIRE_NAME: ClassVar[str] = "arrears.mediation.agreement_breached.v1"
    case_id: CaseId
    loan_key: LoanKey
    instalment_index: int
    paid_minor: int


class MediationFailed(Struct, frozen=True, kw_only=True):
    """Reasons: declined, no_answer, not_signed. `referral` repeats that of the case's referral."""

    WIRE_NAME: ClassVar[str] = "arrears.mediation.mediation_failed.v1"
    case_id: CaseId
    loan_key: LoanKey
    reason: str
    referral: int | None = None


class MediationClosed(Struct, frozen=True, kw_only=True):
    """Talks have ended, and not as a failure.

    `reason` is nothing_owed where the figure they were about has come in: mediation has the case no
    more. It is held, taken_back or why the case was closed where intake itself has ended them, and
    not_renewed where what was offered anew after a breach was not signed.
    """

    WIRE_NAME: ClassVar[str] = "arrears.mediation.mediation_closed.v1"
    case_id: CaseId
    loan_key: LoanKey
    reason: str
    referral: int | None = None


MediationContract: TypeAlias = (
    AgreementSigned | AgreementFulfilled | AgreementBreached | MediationFailed | MediationClosed
)

"""Requests to a mediation. `now` comes in with each; nobody here asks a clock.

`round` and `offer` are given by a gateway, whose answer may come when the talks have moved on and
then changes nothing. People leave them out: they speak of what is open now, or are refused.
"""

from datetime import date, datetime
from typing import TypeAlias

from msgspec import Struct

from arrears.mediation.domain.plan import Instalment
from arrears.shared.kernel.ids import BorrowerId, CaseId, LoanKey, StaffId


class TakeMediation(Struct, frozen=True, kw_only=True):
    case_id: CaseId
    loan_key: LoanKey
    borrower_id: BorrowerId
    referral: int
    overdue_minor: int
    currency: str
    now: datetime


class WithdrawInvitation(Struct, frozen=True, kw_only=True):
    """What a gateway was not given, as it must not leave any more."""

    round: int
    now: datetime


class ReceiptInvitation(Struct, frozen=True, kw_only=True):
    round: int
    receipt_id: str
    gateway: str
    now: datetime


class AnswerInvitation(Struct, frozen=True, kw_only=True):
    round: int
    accepted: bool
    instalments: tuple[Instalment, ...] = ()
    now: datetime


class RecordOffer(Struct, frozen=True, kw_only=True):
    """A plan that a mediator brought about; it stands in the bank's name."""

    settlement_minor: int
    currency: str
    instalments: tuple[Instalment, ...]
    staff_id: StaffId
    now: datetime


class RecordDecline(Struct, frozen=True, kw_only=True):
    """The borrower told a person that there will be no plan."""

    staff_id: StaffId
    now: datetime


class SignForBorrower(Struct, frozen=True, kw_only=True):
    round: int | None = None
    offer: int | None = None
    staff_id: StaffId | None = None
    now: datetime


class SignForBank(Struct, frozen=True, kw_only=True):
    round: int | None = None
    offer: int | None = None
    staff_id: StaffId | None = None
    now: datetime


class RecordRepayment(Struct, frozen=True, kw_only=True):
    repayment_id: str
    amount_minor: int
    currency: str
    value_on: date
    now: datetime


class HoldMediation(Struct, frozen=True, kw_only=True):
    now: datetime


class ResumeMediation(Struct, frozen=True, kw_only=True):
    """The case is no longer held: talks that the hold ended begin anew."""

    now: datetime


class HoldBorrower(Struct, frozen=True, kw_only=True):
    """Contact holds the person for a reason that concerns each of the borrower's cases."""

    case_id: CaseId
    loan_key: LoanKey
    reason: str
    now: datetime


class ReleaseBorrower(Struct, frozen=True, kw_only=True):
    case_id: CaseId
    loan_key: LoanKey
    reason: str
    now: datetime


class TakeBackMediation(Struct, frozen=True, kw_only=True):
    """Mediation has the case no longer: talks that are open, or held, end for good."""

    now: datetime


class CloseMediation(Struct, frozen=True, kw_only=True):
    reason: str
    now: datetime


class WakeUp(Struct, frozen=True, kw_only=True):
    now: datetime


MediationCommand: TypeAlias = (
    TakeMediation
    | WithdrawInvitation
    | ReceiptInvitation
    | AnswerInvitation
    | RecordOffer
    | RecordDecline
    | SignForBorrower
    | SignForBank
    | RecordRepayment
    | HoldMediation
    | ResumeMediation
    | HoldBorrower
    | ReleaseBorrower
    | TakeBackMediation
    | CloseMediation
    | WakeUp
)

"""Requests to a claim. `now` comes in with each; nobody here asks a clock.

Where `staff_id` is given a person asks, and is refused what cannot be; without it another service
or the court speaks, and what no longer fits changes nothing.
"""

from datetime import date, datetime
from typing import TypeAlias

from msgspec import Struct

from arrears.shared.kernel.ids import BorrowerId, CaseId, LoanKey, StaffId


class NoteDemand(Struct, frozen=True, kw_only=True):
    case_id: CaseId
    loan_key: LoanKey
    total_minor: int
    currency: str
    delivered_at: datetime
    staff_id: StaffId | None = None
    now: datetime


class NotePromise(Struct, frozen=True, kw_only=True):
    case_id: CaseId
    loan_key: LoanKey
    promise_id: str
    amount_minor: int
    currency: str
    now: datetime


class NoteRepayment(Struct, frozen=True, kw_only=True):
    repayment_id: str
    amount_minor: int
    currency: str
    value_on: date
    now: datetime


class NoteAgreement(Struct, frozen=True, kw_only=True):
    case_id: CaseId
    loan_key: LoanKey
    signed_at: datetime
    now: datetime


class NoteAgreementEnd(Struct, frozen=True, kw_only=True):
    result: str
    now: datetime


class TakeClaim(Struct, frozen=True, kw_only=True):
    case_id: CaseId
    loan_key: LoanKey
    borrower_id: BorrowerId
    referral: int
    overdue_minor: int
    balance_minor: int
    currency: str
    due_on: date
    days_past_due: int
    now: datetime


class PauseClaim(Struct, frozen=True, kw_only=True):
    reason: str
    until_on: date | None
    now: datetime


class ResumeClaim(Struct, frozen=True, kw_only=True):
    reason: str
    now: datetime


class ReturnClaim(Struct, frozen=True, kw_only=True):
    """Intake has taken the case back; `result` is its word for why."""

    result: str
    now: datetime


class CloseClaim(Struct, frozen=True, kw_only=True):
    reason: str
    now: datetime


class ApproveFiling(Struct, frozen=True, kw_only=True):
    """`despite_limitation` takes the risk of a claim that time has barred."""

    staff_id: StaffId
    despite_limitation: bool = False
    now: datetime


class RegisterClaim(Struct, frozen=True, kw_only=True):
    docket: str
    gateway: str
    now: datetime


class EnterJudgment(Struct, frozen=True, kw_only=True):
    awarded_minor: int
    currency: str
    obey_by_on: date
    staff_id: StaffId | None = None
    now: datetime


class ApplyForEnforcement(Struct, frozen=True, kw_only=True):
    staff_id: StaffId
    now: datetime


class RecordSearch(Struct, frozen=True, kw_only=True):
    found: str
    now: datetime


class CloseEnforcement(Struct, frozen=True, kw_only=True):
    staff_id: StaffId | None = None
    now: datetime


class WakeUp(Struct, frozen=True, kw_only=True):
    now: datetime


ClaimCommand: TypeAlias = (
    NoteDemand
    | NotePromise
    | NoteRepayment
    | NoteAgreement
    | NoteAgreementEnd
    | TakeClaim
    | PauseClaim
    | ResumeClaim
    | ReturnClaim
    | CloseClaim
    | ApproveFiling
    | RegisterClaim
    | EnterJudgment
    | ApplyForEnforcement
    | RecordSearch
    | CloseEnforcement
    | WakeUp
)

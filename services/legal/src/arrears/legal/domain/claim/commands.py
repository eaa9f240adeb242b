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
    """`stated_at` is when the bank said it; None: now."""

    case_id: CaseId
    loan_key: LoanKey
    repayment_id: str
    amount_minor: int
    currency: str
    value_on: date
    stated_at: datetime | None = None
    now: datetime


class NoteAgreement(Struct, frozen=True, kw_only=True):
    case_id: CaseId
    loan_key: LoanKey
    signed_at: datetime
    last_due_on: date | None = None
    now: datetime


class NoteAgreementEnd(Struct, frozen=True, kw_only=True):
    """`result`: breached, fulfilled."""

    result: str
    now: datetime


class TakeClaim(Struct, frozen=True, kw_only=True):
    """`overdue_minor` is the bank's figure as of `as_of_on` (None: not told), less what intake had
    heard since."""

    case_id: CaseId
    loan_key: LoanKey
    borrower_id: BorrowerId
    referral: int
    overdue_minor: int
    balance_minor: int
    currency: str
    due_on: date
    days_past_due: int
    as_of_on: date | None = None
    now: datetime


class PauseClaim(Struct, frozen=True, kw_only=True):
    reason: str
    until_on: date | None
    now: datetime


class ResumeClaim(Struct, frozen=True, kw_only=True):
    reason: str
    now: datetime


class HoldBorrower(Struct, frozen=True, kw_only=True):
    """Contact holds the person for a reason that concerns each of the borrower's cases."""

    case_id: CaseId
    loan_key: LoanKey
    reason: str
    now: datetime


class ReleaseBorrower(Struct, frozen=True, kw_only=True):
    reason: str
    now: datetime


class ReturnClaim(Struct, frozen=True, kw_only=True):
    """Intake has taken the case back or given it to another stage; `result` says why."""

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


class Withhold(Struct, frozen=True, kw_only=True):
    """The gateway was about to be asked, at `looked_at`, and was not.

    `application` is that for enforcement, 0: it was the filing. `reason` and `missing`: see
    `suit_events`.
    """

    filing: int
    application: int = 0
    reason: str
    missing: tuple[str, ...] = ()
    looked_at: datetime
    now: datetime


class RegisterClaim(Struct, frozen=True, kw_only=True):
    """`filing` is the one that the court answers; so in the commands below, None: the last one."""

    docket: str
    gateway: str
    filing: int | None = None
    now: datetime


class EnterJudgment(Struct, frozen=True, kw_only=True):
    """`deducted_minor` is the money since filing that the award is less already."""

    awarded_minor: int
    currency: str
    obey_by_on: date
    deducted_minor: int = 0
    filing: int | None = None
    staff_id: StaffId | None = None
    now: datetime


class EndSuit(Struct, frozen=True, kw_only=True):
    """The court has said no, or has allowed the bank to withdraw.

    `result`: dismissed, not_accepted, withdrawn. `reason` is in the lawyer's words.
    """

    result: str
    reason: str
    staff_id: StaffId
    now: datetime


class ApplyForEnforcement(Struct, frozen=True, kw_only=True):
    staff_id: StaffId
    now: datetime


class RecordSearch(Struct, frozen=True, kw_only=True):
    found: str
    filing: int | None = None
    now: datetime


class CloseEnforcement(Struct, frozen=True, kw_only=True):
    filing: int | None = None
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
    | HoldBorrower
    | ReleaseBorrower
    | ReturnClaim
    | CloseClaim
    | ApproveFiling
    | Withhold
    | RegisterClaim
    | EnterJudgment
    | EndSuit
    | ApplyForEnforcement
    | RecordSearch
    | CloseEnforcement
    | WakeUp
)

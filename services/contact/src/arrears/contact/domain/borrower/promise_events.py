"""What happened to a promise to pay. Fields are the stored format; change by upcasting only.

`recorded_by` is the member of staff, None where an attempt heard it.
"""

from datetime import date, datetime

from msgspec import Struct

from arrears.contact.domain.values import AttemptId, PromiseId
from arrears.shared.kernel.ids import CaseId, LoanKey, StaffId


class PromiseMade(Struct, frozen=True, kw_only=True):
    case_id: CaseId
    loan_key: LoanKey
    promise_id: PromiseId
    amount_minor: int
    currency: str
    due_on: date
    attempt_id: AttemptId | None
    recorded_by: StaffId | None
    made_on: date
    made_at: datetime
    judgement_at: datetime


class PromisePaymentCounted(Struct, frozen=True, kw_only=True):
    """Money came while the promise was pending. `paid_minor` is the sum so far."""

    case_id: CaseId
    loan_key: LoanKey
    promise_id: PromiseId
    repayment_id: str
    amount_minor: int
    paid_minor: int
    value_on: date
    counted_at: datetime


class PromiseKept(Struct, frozen=True, kw_only=True):
    case_id: CaseId
    loan_key: LoanKey
    promise_id: PromiseId
    paid_minor: int
    judged_at: datetime


class PromisePartlyKept(Struct, frozen=True, kw_only=True):
    case_id: CaseId
    loan_key: LoanKey
    promise_id: PromiseId
    paid_minor: int
    judged_at: datetime


class PromiseBroken(Struct, frozen=True, kw_only=True):
    case_id: CaseId
    loan_key: LoanKey
    promise_id: PromiseId
    judged_at: datetime


class PromiseLapsed(Struct, frozen=True, kw_only=True):
    """No money came, and nobody was to ask for it when the promise was judged.

    `reason`: case_cured, by the bank's word, or case_settled, by that of staff; or the kind of the
    stop that stood in its place: borrower_changed, agreement, hardship, hold.
    """

    case_id: CaseId
    loan_key: LoanKey
    promise_id: PromiseId
    paid_minor: int
    reason: str
    judged_at: datetime

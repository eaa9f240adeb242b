"""What intake tells the stages. Topic `arrears.intake.v1`, key = borrower id."""

from datetime import date, datetime
from typing import ClassVar, TypeAlias

from msgspec import Struct

from arrears.shared.kernel.ids import BorrowerId, CaseId, LoanKey


class SealedPoint(Struct, frozen=True, kw_only=True):
    """A contact point whose `value` is encrypted with the borrower's key of category `contact`."""

    kind: str
    sealed: str


class BorrowerProfileRecorded(Struct, frozen=True, kw_only=True):
    WIRE_NAME: ClassVar[str] = "arrears.intake.borrower_profile_recorded.v1"
    borrower_id: BorrowerId
    contact_points: tuple[SealedPoint, ...]
    zone: str | None
    language: str | None


class RepaymentRecorded(Struct, frozen=True, kw_only=True):
    """Money that came in, and when the bank said so. `case_id` is None where the loan had no open
    case, or where the money came before it and its figures may have counted it."""

    WIRE_NAME: ClassVar[str] = "arrears.intake.repayment_recorded.v1"
    loan_key: LoanKey
    case_id: CaseId | None
    repayment_id: str
    amount_minor: int
    currency: str
    value_on: date
    stated_at: datetime | None = None


class CaseReferred(Struct, frozen=True, kw_only=True):
    """The case now belongs to `stage` (contact, mediation or legal) for `treatment`.

    Treatments of contact: remind, call, demand, visit. Of mediation: mediate. Of legal: sue.
    `referral` counts the referrals of the case from 1. Figures are the bank's last ones, less what
    came in since: `paid_since_minor`, valued or told after the bank's fact as of `as_of_on`.
    """

    WIRE_NAME: ClassVar[str] = "arrears.intake.case_referred.v1"
    case_id: CaseId
    loan_key: LoanKey
    episode: int
    referral: int
    stage: str
    treatment: str
    reason: str
    days_past_due: int
    due_on: date
    overdue_minor: int
    balance_minor: int
    currency: str
    product: str
    risk: str
    policy_id: str
    policy_version: int
    as_of_on: date | None = None
    paid_since_minor: int = 0


class CaseHeld(Struct, frozen=True, kw_only=True):
    """Nobody acts on the case until `until_on` or a release; None: until a release.

    Reasons: dispute, hardship, death, moratorium, complaint. A case may be held for several at
    once; `until_on` is the end of all holds together, so the newest word is the one that counts.
    """

    WIRE_NAME: ClassVar[str] = "arrears.intake.case_held.v1"
    case_id: CaseId
    loan_key: LoanKey
    reason: str
    until_on: date | None


class CaseReleased(Struct, frozen=True, kw_only=True):
    """The last hold of the case is over: work goes on."""

    WIRE_NAME: ClassVar[str] = "arrears.intake.case_released.v1"
    case_id: CaseId
    loan_key: LoanKey
    reason: str


class CaseReturned(Struct, frozen=True, kw_only=True):
    """`stage` has the case no more, and nobody has it until the next referral.

    `result` is `taken_back` where staff took the case, `borrower_changed` where the bank names
    another borrower by now, else the end that the stage itself has reported. A stage that hears it
    for itself ends its work on the case; where the stage's own report was the end, this is its echo
    and there is nothing left to end.
    """

    WIRE_NAME: ClassVar[str] = "arrears.intake.case_returned.v1"
    case_id: CaseId
    loan_key: LoanKey
    stage: str
    result: str


class LoanBorrowerChanged(Struct, frozen=True, kw_only=True):
    """The bank names another borrower for the loan.

    What is said of the loan still goes by its home, the borrower who was known first; `now_is` is
    that one again where the bank takes its word back.
    """

    WIRE_NAME: ClassVar[str] = "arrears.intake.loan_borrower_changed.v1"
    loan_key: LoanKey
    case_id: CaseId | None
    was: BorrowerId
    now_is: BorrowerId


class CaseClosed(Struct, frozen=True, kw_only=True):
    """Reasons: cured (the bank's word), uncollectible (a stage or staff has given it up), settled
    (an agreement was fulfilled and staff say that the rest is not asked for)."""

    WIRE_NAME: ClassVar[str] = "arrears.intake.case_closed.v1"
    case_id: CaseId
    loan_key: LoanKey
    reason: str
    closed_at: datetime


IntakeContract: TypeAlias = (
    BorrowerProfileRecorded
    | RepaymentRecorded
    | CaseReferred
    | CaseHeld
    | CaseReleased
    | CaseReturned
    | LoanBorrowerChanged
    | CaseClosed
)

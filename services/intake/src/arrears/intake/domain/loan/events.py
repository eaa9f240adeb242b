"""What can happen to a loan. Fields are the stored format; change them by upcasting only.

`review_on` of an event is the day at whose last minute the strategy looks at the case next.
"""

from datetime import date, datetime
from typing import TypeAlias

from msgspec import Struct

from arrears.shared.kernel.ids import BorrowerId, CaseId, LoanKey, StaffId

# --- Facts of the bank. One of these is the first event of every accepted fact.


class LoanOverdueRecorded(Struct, frozen=True, kw_only=True, gc=False):
    """`late`: dated before the day on which we learnt it. `outdated`: the bank had already said
    something newer, so this changes nothing. An outdated fact of a loan without a case has none.
    """

    case_id: CaseId | None
    loan_key: LoanKey
    episode: int
    borrower_id: BorrowerId
    fact_id: str
    as_of_on: date
    days_past_due: int
    due_on: date
    overdue_minor: int
    principal_minor: int | None
    interest_minor: int | None
    fees_minor: int | None
    balance_minor: int
    currency: str
    product: str
    bucket: str
    stated_at: datetime
    late: bool
    outdated: bool
    review_on: date


class RepaymentRecorded(Struct, frozen=True, kw_only=True, gc=False):
    """`amount_minor` = costs + interest + principal + in suspense.

    The three parts are None where the bank has not told the split of what is overdue: then the
    whole amount is in suspense here, and the policy is None. `case_id` is None where no episode
    was running, or where the money came (`value_on`) before it began and its newest figures may
    have counted it.
    """

    loan_key: LoanKey
    case_id: CaseId | None
    fact_id: str
    repayment_id: str
    amount_minor: int
    currency: str
    value_on: date
    stated_at: datetime
    late: bool
    costs_minor: int | None
    interest_minor: int | None
    principal_minor: int | None
    in_suspense_minor: int
    policy_id: str | None
    policy_version: int | None


class LoanCuredRecorded(Struct, frozen=True, kw_only=True, gc=False):
    """Ends the episode, unless `outdated`: the bank had already reported newer arrears."""

    loan_key: LoanKey
    case_id: CaseId | None
    fact_id: str
    as_of_on: date
    reason: str
    currency: str
    stated_at: datetime
    late: bool
    outdated: bool


class LoanBorrowerChanged(Struct, frozen=True, kw_only=True, gc=False):
    """The bank names another borrower. The stream stays where it is (protocol 1.1)."""

    loan_key: LoanKey
    case_id: CaseId | None
    was: BorrowerId
    now_is: BorrowerId


# --- The case and its assessment


class CaseOpened(Struct, frozen=True, kw_only=True, gc=False):
    case_id: CaseId
    loan_key: LoanKey
    episode: int
    borrower_id: BorrowerId
    opened_on: date
    as_of_on: date
    first_time: bool
    currency: str
    product: str


class AssessmentInputs(Struct, frozen=True, kw_only=True, gc=False):
    """Everything that an assessment looked at."""

    days_past_due: int
    overdue_minor: int
    currency: str
    product: str
    episode: int
    refused: bool
    promises_broken: int
    unreachable: bool
    agreement_breached: bool


class CaseAssessed(Struct, frozen=True, kw_only=True, gc=False):
    """Said when bucket, class or risk is another than before. `reasons` are the rules that hit."""

    case_id: CaseId
    loan_key: LoanKey
    bucket: str
    five_tier_class: str
    risk: str
    score: int
    reasons: tuple[str, ...]
    inputs: AssessmentInputs
    policy_id: str
    policy_version: int


class GraceGranted(Struct, frozen=True, kw_only=True, gc=False):
    """Nobody contacts the borrower while days past due are below `until_days_past_due`."""

    case_id: CaseId
    loan_key: LoanKey
    until_days_past_due: int
    days_past_due: int
    reason: str
    policy_id: str
    policy_version: int


# --- Who has the case


class CaseReferred(Struct, frozen=True, kw_only=True, gc=False):
    """The case goes to `stage` for `treatment`. `rule` is the strategy's step or `by_hand`.

    `overdue_minor` and `balance_minor` are the bank's figures as of `as_of_on`, each less
    `paid_since_minor`, the money that they cannot have counted, and never below 0. Events from
    before these two fields hold the bank's figures as they were.
    """

    case_id: CaseId
    loan_key: LoanKey
    episode: int
    referral: int
    stage: str
    treatment: str
    rule: str
    reason: str
    days_past_due: int
    due_on: date
    overdue_minor: int
    balance_minor: int
    currency: str
    product: str
    risk: str
    decided_on: date
    policy_id: str
    policy_version: int
    staff_id: StaffId | None = None
    as_of_on: date | None = None
    paid_since_minor: int = 0


class CaseHeld(Struct, frozen=True, kw_only=True, gc=False):
    """Nobody acts on the case until `until_on` or a release.

    A case has one hold for each reason; the same reason again moves that hold's end, or brings
    another note. `until_on` is the end of all holds together, None without end. `hold_until_on` is
    the end of this one where it ends before the others; None: it ends with them.
    """

    case_id: CaseId
    loan_key: LoanKey
    reason: str
    until_on: date | None
    staff_id: StaffId | None = None
    note: str | None = None
    hold_until_on: date | None = None


class HoldEnded(Struct, frozen=True, kw_only=True, gc=False):
    """The hold for `hold` is over, others are left: nobody acts on the case until `until_on`."""

    case_id: CaseId
    loan_key: LoanKey
    hold: str
    reason: str
    until_on: date | None
    staff_id: StaffId | None = None


class CaseReleased(Struct, frozen=True, kw_only=True, gc=False):
    """The last hold is over, or all are: work goes on."""

    case_id: CaseId
    loan_key: LoanKey
    reason: str
    review_on: date
    staff_id: StaffId | None = None


class CaseReturned(Struct, frozen=True, kw_only=True, gc=False):
    """`stage` has given the case back with `result`; nobody has it until the next referral.

    `review_on` is there where staff took the case back: what the stage had begun has ended then.
    """

    case_id: CaseId
    loan_key: LoanKey
    stage: str
    result: str
    staff_id: StaffId | None = None
    review_on: date | None = None


class StageReported(Struct, frozen=True, kw_only=True, gc=False):
    """What a stage told us about the case. `report_id` is the id of the stage's own event."""

    case_id: CaseId
    loan_key: LoanKey
    stage: str
    report: str
    report_id: str
    review_on: date
    result: str | None = None
    treatment: str | None = None
    referral: int | None = None
    promise_id: str | None = None
    amount_minor: int | None = None
    until_on: date | None = None
    detail: str | None = None


class CaseClosed(Struct, frozen=True, kw_only=True, gc=False):
    """Reasons: cured (the bank's word), uncollectible (a stage or staff has given it up), settled
    (staff's word, after an agreement was fulfilled)."""

    case_id: CaseId
    loan_key: LoanKey
    reason: str
    closed_at: datetime
    closed_on: date
    result: str | None = None
    staff_id: StaffId | None = None


LoanEvent: TypeAlias = (
    LoanOverdueRecorded
    | RepaymentRecorded
    | LoanCuredRecorded
    | LoanBorrowerChanged
    | CaseOpened
    | CaseAssessed
    | GraceGranted
    | CaseReferred
    | CaseHeld
    | HoldEnded
    | CaseReleased
    | CaseReturned
    | StageReported
    | CaseClosed
)

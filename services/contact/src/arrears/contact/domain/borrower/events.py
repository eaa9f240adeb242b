"""What happened between us and a borrower. Fields are the stored format; change by upcasting only.

Every event of a case names it. Times are the business times at which it happened; what others said
earlier than we heard it carries both.
"""

from datetime import date, datetime
from typing import TypeAlias

from msgspec import Struct

from arrears.contact.domain.borrower.promise_events import (
    PromiseBroken,
    PromiseKept,
    PromiseLapsed,
    PromiseMade,
    PromisePartlyKept,
    PromisePaymentCounted,
)
from arrears.contact.domain.permit import PermitInputs
from arrears.contact.domain.values import (
    AttemptId,
    Channel,
    ContactPoint,
    Outcome,
    Result,
    Said,
    Scope,
    StopKind,
)
from arrears.shared.kernel.ids import BorrowerId, CaseId, LoanKey, StaffId

# --- The person


class ContactPointsRecorded(Struct, frozen=True, kw_only=True):
    """How the borrower can be reached. `origin`: bank, or sandbox where the bank said nothing."""

    borrower_id: BorrowerId
    points: tuple[ContactPoint, ...]
    zone: str | None
    language: str | None
    origin: str
    recorded_at: datetime


# --- Treatments


class CaseNoted(Struct, frozen=True, kw_only=True):
    """A case that another stage has and contact never had: what concerns the person is told of it
    too. `reason` says how contact heard of it."""

    case_id: CaseId
    loan_key: LoanKey
    borrower_id: BorrowerId
    reason: str
    noted_at: datetime


class TreatmentStarted(Struct, frozen=True, kw_only=True):
    """Intake has referred the case. Figures are the bank's last ones."""

    case_id: CaseId
    loan_key: LoanKey
    borrower_id: BorrowerId
    referral: int
    treatment: str
    overdue_minor: int
    currency: str
    days_past_due: int
    product: str
    policy_id: str
    policy_version: int
    started_at: datetime


class RepaymentCounted(Struct, frozen=True, kw_only=True):
    """Money of the loan came in since the referral. `owed_minor` is what is left to ask for."""

    case_id: CaseId
    loan_key: LoanKey
    referral: int
    repayment_id: str
    amount_minor: int
    owed_minor: int
    currency: str
    value_on: date
    counted_at: datetime


class TreatmentCompleted(Struct, frozen=True, kw_only=True):
    """Said exactly once of each referral. `reason` says what ended it."""

    case_id: CaseId
    loan_key: LoanKey
    referral: int
    treatment: str
    result: Result
    reason: str
    attempts_made: int
    completed_at: datetime


class UnreachableReported(Struct, frozen=True, kw_only=True):
    """Every attempt of the treatment failed, or there was no way to make one."""

    case_id: CaseId
    loan_key: LoanKey
    referral: int
    treatment: str
    attempts_made: int
    reported_at: datetime


# --- Attempts


class AttemptRequested(Struct, frozen=True, kw_only=True):
    """An attempt is planned; at `planned_at` its permit is asked for."""

    attempt_id: AttemptId
    case_id: CaseId
    loan_key: LoanKey
    referral: int
    treatment: str
    channel: Channel
    attempt_no: int
    planned_at: datetime
    requested_at: datetime


class AttemptPermitted(Struct, frozen=True, kw_only=True):
    """The attempt may be made once, now: this event asks the outside world for it."""

    attempt_id: AttemptId
    case_id: CaseId
    loan_key: LoanKey
    referral: int
    treatment: str
    channel: Channel
    attempt_no: int
    point: ContactPoint
    overdue_minor: int
    currency: str
    days_past_due: int
    policy_id: str
    policy_version: int
    inputs: PermitInputs
    permitted_at: datetime
    valid_until: datetime
    outcome_expected_by: datetime


class AttemptDenied(Struct, frozen=True, kw_only=True):
    """A rule forbids the attempt now. It comes back at `next_allowed_at`.

    Where that is None only an event can lift the rule: the attempt waits for it, and
    `waits_until` bounds the waiting where waiting for ever would leave the referral unanswered.
    """

    attempt_id: AttemptId
    case_id: CaseId
    loan_key: LoanKey
    referral: int
    treatment: str
    channel: Channel
    attempt_no: int
    rule: str
    reason: str
    next_allowed_at: datetime | None
    waits_until: datetime | None
    policy_id: str | None
    policy_version: int | None
    inputs: PermitInputs
    denied_at: datetime


class AttemptRescheduled(Struct, frozen=True, kw_only=True):
    """What kept the attempt waiting is gone: it has a time again."""

    attempt_id: AttemptId
    case_id: CaseId
    loan_key: LoanKey
    channel: Channel
    planned_at: datetime
    reason: str
    rescheduled_at: datetime


class AttemptDropped(Struct, frozen=True, kw_only=True):
    """A planned attempt that will not be made."""

    attempt_id: AttemptId
    case_id: CaseId
    loan_key: LoanKey
    referral: int
    treatment: str
    channel: Channel
    reason: str
    dropped_at: datetime


class AttemptWithdrawn(Struct, frozen=True, kw_only=True):
    """The permit no longer held when the attempt was to be made: nothing has left.

    The attempt is planned again, for `next_allowed_at` where the rule names a time.
    """

    attempt_id: AttemptId
    case_id: CaseId
    loan_key: LoanKey
    referral: int
    treatment: str
    channel: Channel
    attempt_no: int
    rule: str
    reason: str
    next_allowed_at: datetime | None
    policy_id: str | None
    policy_version: int | None
    inputs: PermitInputs
    withdrawn_at: datetime


class AttemptReceipted(Struct, frozen=True, kw_only=True):
    """A gateway says that it has carried the attempt out."""

    attempt_id: AttemptId
    case_id: CaseId
    loan_key: LoanKey
    channel: Channel
    receipt_id: str
    gateway: str
    receipted_at: datetime


class AttemptConcluded(Struct, frozen=True, kw_only=True):
    attempt_id: AttemptId
    case_id: CaseId
    loan_key: LoanKey
    referral: int
    treatment: str
    channel: Channel
    outcome: Outcome
    said: Said
    concluded_at: datetime


class AttemptAnsweredLate(Struct, frozen=True, kw_only=True):
    """What came of an attempt that was given up as `unknown`, said once. The limits still count it
    as unknown, for that is how it was counted when others were permitted."""

    attempt_id: AttemptId
    case_id: CaseId
    loan_key: LoanKey
    referral: int
    treatment: str
    channel: Channel
    outcome: Outcome
    said: Said
    answered_at: datetime


class DemandDelivered(Struct, frozen=True, kw_only=True):
    case_id: CaseId
    loan_key: LoanKey
    attempt_id: AttemptId
    total_minor: int
    currency: str
    delivered_at: datetime


class DemandReturned(Struct, frozen=True, kw_only=True):
    case_id: CaseId
    loan_key: LoanKey
    attempt_id: AttemptId
    returned_at: datetime


# --- What the borrower said, but for promises. `recorded_by` is the member of staff, None where an
# attempt heard it.


class RefusalReported(Struct, frozen=True, kw_only=True):
    case_id: CaseId
    loan_key: LoanKey
    attempt_id: AttemptId | None
    recorded_by: StaffId | None
    reported_on: date
    reported_at: datetime


class HardshipReported(Struct, frozen=True, kw_only=True):
    """A claim is told of each open case of the borrower, and of one that comes before the review.

    `attempt_id` and `recorded_by` name where it was claimed, on whichever case; both are None of a
    case that came later.
    """

    case_id: CaseId
    loan_key: LoanKey
    review_on: date
    attempt_id: AttemptId | None
    recorded_by: StaffId | None
    reported_at: datetime


# --- Stops


class ContactStopped(Struct, frozen=True, kw_only=True):
    """From `heard_at` on nobody contacts the case, or the person where `scope` says so.

    A stop of a person is told of each of its cases; of one that comes later when it comes, and then
    both times are that. `said_at` is when others said it: the time between is the delay that
    operations watch.
    """

    case_id: CaseId | None
    loan_key: LoanKey | None
    borrower_id: BorrowerId
    kind: StopKind
    scope: Scope
    reason: str
    lifts_at: datetime | None
    said_at: datetime
    heard_at: datetime
    recorded_by: StaffId | None


class ContactResumed(Struct, frozen=True, kw_only=True):
    """`stop_reason` is the reason of the stop that is lifted; without it all holds are."""

    case_id: CaseId | None
    loan_key: LoanKey | None
    borrower_id: BorrowerId
    kind: StopKind
    scope: Scope
    reason: str
    resumed_at: datetime
    recorded_by: StaffId | None
    stop_reason: str | None = None


class ContactEnded(Struct, frozen=True, kw_only=True):
    """The case is closed: nothing more is said about it."""

    case_id: CaseId
    loan_key: LoanKey
    reason: str
    said_at: datetime
    heard_at: datetime


BorrowerEvent: TypeAlias = (
    AttemptRequested
    | AttemptPermitted
    | AttemptDenied
    | AttemptWithdrawn
    | AttemptReceipted
    | AttemptConcluded
    | AttemptAnsweredLate
    | CaseNoted
    | TreatmentStarted
    | RepaymentCounted
    | TreatmentCompleted
    | UnreachableReported
    | AttemptRescheduled
    | AttemptDropped
    | ContactPointsRecorded
    | DemandDelivered
    | DemandReturned
    | PromiseMade
    | PromisePaymentCounted
    | PromiseKept
    | PromisePartlyKept
    | PromiseBroken
    | PromiseLapsed
    | RefusalReported
    | HardshipReported
    | ContactStopped
    | ContactResumed
    | ContactEnded
)

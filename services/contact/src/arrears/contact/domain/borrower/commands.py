"""What can be asked of a borrower's stream. `now` comes with the request; nobody asks a clock."""

from datetime import date, datetime
from typing import TypeAlias

from msgspec import Struct

from arrears.contact.domain.permit import Denied
from arrears.contact.domain.values import (
    AttemptId,
    ContactPoint,
    Outcome,
    Said,
    Scope,
    StopKind,
)
from arrears.shared.kernel.ids import BorrowerId, CaseId, LoanKey, StaffId


class StartTreatment(Struct, frozen=True, kw_only=True):
    """Intake refers a case."""

    case_id: CaseId
    loan_key: LoanKey
    borrower_id: BorrowerId
    referral: int
    treatment: str
    overdue_minor: int
    currency: str
    days_past_due: int
    product: str
    now: datetime


class EndTreatment(Struct, frozen=True, kw_only=True):
    """The case is not contact's any more, or never was: intake has taken it back, or another stage
    has it."""

    case_id: CaseId
    loan_key: LoanKey
    borrower_id: BorrowerId
    reason: str
    now: datetime


class RecordContactPoints(Struct, frozen=True, kw_only=True):
    borrower_id: BorrowerId
    points: tuple[ContactPoint, ...]
    zone: str | None
    language: str | None
    now: datetime


class CountRepayment(Struct, frozen=True, kw_only=True):
    """Money came in on the loan; it counts where the case is treated or a promise is pending."""

    loan_key: LoanKey
    repayment_id: str
    amount_minor: int
    currency: str
    value_on: date
    now: datetime


class NoteReceipt(Struct, frozen=True, kw_only=True):
    attempt_id: AttemptId
    receipt_id: str
    gateway: str
    now: datetime


class NoteOutcome(Struct, frozen=True, kw_only=True):
    attempt_id: AttemptId
    outcome: Outcome
    said: Said
    now: datetime


class WithdrawAttempt(Struct, frozen=True, kw_only=True):
    """The attempt was not made: `verdict` is what the permit's rules said when it was to be.

    `permitted_at` names the permit, for the attempt may have been given another since.
    """

    attempt_id: AttemptId
    attempt_no: int
    permitted_at: datetime
    verdict: Denied
    now: datetime


class RecordPromise(Struct, frozen=True, kw_only=True):
    case_id: CaseId
    amount_minor: int
    currency: str
    due_on: date
    recorded_by: StaffId
    now: datetime


class RecordHardship(Struct, frozen=True, kw_only=True):
    case_id: CaseId
    review_on: date
    recorded_by: StaffId
    now: datetime


class RecordRefusal(Struct, frozen=True, kw_only=True):
    case_id: CaseId
    recorded_by: StaffId
    now: datetime


class StopContact(Struct, frozen=True, kw_only=True):
    """Nobody contacts the case, or the person, to the end of `until_on`; without one only a
    resumption lifts it.

    `case_id` and `loan_key` belong to the scope `case`. A hold of a case whose reason lies with the
    person stops the person too.
    """

    borrower_id: BorrowerId
    kind: StopKind
    scope: Scope
    reason: str
    said_at: datetime
    now: datetime
    case_id: CaseId | None = None
    loan_key: LoanKey | None = None
    until_on: date | None = None
    recorded_by: StaffId | None = None


class NameDebtor(Struct, frozen=True, kw_only=True):
    """The bank says who owes the loan. `borrower_id` is whose stream this is."""

    borrower_id: BorrowerId
    debtor_id: BorrowerId
    loan_key: LoanKey
    case_id: CaseId | None
    said_at: datetime
    now: datetime


class ResumeContact(Struct, frozen=True, kw_only=True):
    """Lifts the stops of these kinds. Those that are not in force are passed over, and so is a
    hold of the person that an open case stands behind."""

    kinds: tuple[StopKind, ...]
    scope: Scope
    reason: str
    now: datetime
    case_id: CaseId | None = None
    recorded_by: StaffId | None = None


class ReleaseCase(Struct, frozen=True, kw_only=True):
    """Intake no longer holds the case. What held the person for it goes with the last such case;
    a hold for hardship takes the shield with it."""

    case_id: CaseId
    reason: str
    now: datetime


class EndContact(Struct, frozen=True, kw_only=True):
    """The case is closed."""

    case_id: CaseId
    reason: str
    said_at: datetime
    now: datetime


class WakeUp(Struct, frozen=True, kw_only=True):
    """A time has come that the borrower's stream was waiting for."""

    now: datetime


BorrowerCommand: TypeAlias = (
    StartTreatment
    | EndTreatment
    | RecordContactPoints
    | CountRepayment
    | NoteReceipt
    | NoteOutcome
    | WithdrawAttempt
    | RecordPromise
    | RecordHardship
    | RecordRefusal
    | StopContact
    | NameDebtor
    | ResumeContact
    | ReleaseCase
    | EndContact
    | WakeUp
)

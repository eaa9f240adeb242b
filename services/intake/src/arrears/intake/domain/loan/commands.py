"""What may be asked of a loan. `now` comes in with the request; nobody here asks a clock."""

from datetime import date, datetime
from typing import TypeAlias

from msgspec import Struct

from arrears.intake.domain.facts import CuredFact, OverdueFact, RepaymentFact
from arrears.shared.kernel.ids import BorrowerId, CaseId, StaffId

# --- Facts of the bank. `late`: the fact is dated before the day on which it is handled.


class RecordOverdue(Struct, frozen=True, kw_only=True, gc=False):
    """`home` is who was named for the loan first, by a fact of any kind: the loan's stream and
    those of all stages are about this person."""

    fact: OverdueFact
    home: BorrowerId
    now: datetime
    late: bool = False


class RecordRepayment(Struct, frozen=True, kw_only=True, gc=False):
    fact: RepaymentFact
    now: datetime
    late: bool = False


class RecordCured(Struct, frozen=True, kw_only=True, gc=False):
    fact: CuredFact
    now: datetime
    late: bool = False


# --- What the stages report, and time itself


class ReportStage(Struct, frozen=True, kw_only=True, gc=False):
    """`report_id` is the id of the stage's event; the other fields are what the report carries."""

    case_id: CaseId
    stage: str
    report: str
    report_id: str
    now: datetime
    result: str | None = None
    treatment: str | None = None
    referral: int | None = None
    promise_id: str | None = None
    amount_minor: int | None = None
    until_on: date | None = None
    detail: str | None = None


class WakeUp(Struct, frozen=True, kw_only=True, gc=False):
    now: datetime


# --- People. Each says who and why.


class HoldCase(Struct, frozen=True, kw_only=True, gc=False):
    case_id: CaseId
    reason: str
    until_on: date | None
    staff_id: StaffId
    now: datetime
    note: str | None = None


class ReleaseCase(Struct, frozen=True, kw_only=True, gc=False):
    """End the hold for the reason `hold`; None ends all of them."""

    case_id: CaseId
    reason: str
    staff_id: StaffId
    now: datetime
    hold: str | None = None


class ReferCase(Struct, frozen=True, kw_only=True, gc=False):
    case_id: CaseId
    stage: str
    treatment: str
    reason: str
    staff_id: StaffId
    now: datetime


class ReturnCase(Struct, frozen=True, kw_only=True, gc=False):
    """Take the case back from the stage that has it. What it had begun counts as done."""

    case_id: CaseId
    reason: str
    staff_id: StaffId
    now: datetime


class CloseCase(Struct, frozen=True, kw_only=True, gc=False):
    """Close the case for good: nobody can collect the rest (uncollectible), or a fulfilled
    agreement has let the borrower off it (settled). Nobody but the bank can close it as cured.
    """

    case_id: CaseId
    reason: str
    staff_id: StaffId
    now: datetime
    outcome: str = "uncollectible"


StaffCommand: TypeAlias = HoldCase | ReleaseCase | ReferCase | ReturnCase | CloseCase
LoanCommand: TypeAlias = (
    RecordOverdue | RecordRepayment | RecordCured | ReportStage | WakeUp | StaffCommand
)

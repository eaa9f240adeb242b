"""Every event of ours by its wire name. All are published, whole, on `arrears.intake.v1`."""

from typing import Final

from arrears.intake.domain.borrower import (
    BorrowerEvent,
    BorrowerProfileRecorded,
    OldBorrowerProfileRecorded,
)
from arrears.intake.domain.loan.events import (
    CaseAssessed,
    CaseClosed,
    CaseHeld,
    CaseOpened,
    CaseReferred,
    CaseReleased,
    CaseReturned,
    GraceGranted,
    HoldEnded,
    LoanBorrowerChanged,
    LoanCuredRecorded,
    LoanEvent,
    LoanOverdueRecorded,
    RepaymentRecorded,
    StageReported,
)

IntakeEvent = LoanEvent | BorrowerEvent

WIRE_NAMES: Final[dict[type, str]] = {
    LoanOverdueRecorded: "arrears.intake.loan_overdue_recorded.v1",
    RepaymentRecorded: "arrears.intake.repayment_recorded.v1",
    LoanCuredRecorded: "arrears.intake.loan_cured_recorded.v1",
    LoanBorrowerChanged: "arrears.intake.loan_borrower_changed.v1",
    CaseOpened: "arrears.intake.case_opened.v1",
    CaseAssessed: "arrears.intake.case_assessed.v1",
    GraceGranted: "arrears.intake.grace_granted.v1",
    CaseReferred: "arrears.intake.case_referred.v1",
    CaseHeld: "arrears.intake.case_held.v1",
    HoldEnded: "arrears.intake.hold_ended.v1",
    CaseReleased: "arrears.intake.case_released.v1",
    CaseReturned: "arrears.intake.case_returned.v1",
    StageReported: "arrears.intake.stage_reported.v1",
    CaseClosed: "arrears.intake.case_closed.v1",
    BorrowerProfileRecorded: "arrears.intake.borrower_profile_recorded.v1",
    OldBorrowerProfileRecorded: "arrears.intake.old_borrower_profile_recorded.v1",
}

_OF_NO_CASE: Final = (BorrowerProfileRecorded, OldBorrowerProfileRecorded)


def subject_of(event: IntakeEvent) -> str | None:
    """The case id; None where the event is about no case: the subject is the stream's borrower."""
    if isinstance(event, _OF_NO_CASE):
        return None
    return event.case_id

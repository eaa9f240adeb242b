"""People's commands on a case, as commands for the loan's stream. Pure: nothing happens here.

The refusals that a caller may meet: case_unknown, case_closed, case_held, agreement_in_force,
nothing_overdue, borrower_changed, unknown_stage, unknown_treatment, unknown_hold_reason,
until_in_the_past, unknown_outcome, no_fulfilled_agreement, wrong_length, control_characters.
"""

from datetime import date, datetime

from arrears.intake.domain.loan import decisions
from arrears.intake.domain.loan.commands import (
    CloseCase,
    HoldCase,
    ReferCase,
    ReleaseCase,
    ReturnCase,
    StaffCommand,
)
from arrears.shared.kernel.ids import CaseId, LoanKey, StaffId
from arrears.shared.kernel.reaction import Issue


def hold_case(
    loan_key: LoanKey,
    case_id: CaseId,
    *,
    reason: str,
    until_on: date | None,
    staff_id: StaffId,
    now: datetime,
    note: str | None = None,
) -> Issue:
    """Reasons: dispute, hardship, death, moratorium, complaint. Without an end until released.

    Each reason is a hold of its own; the same reason again moves its end, or adds a note.
    """
    return _issue(
        loan_key,
        HoldCase(
            case_id=case_id,
            reason=reason,
            until_on=until_on,
            staff_id=staff_id,
            now=now,
            note=note,
        ),
    )


def release_case(
    loan_key: LoanKey,
    case_id: CaseId,
    *,
    reason: str,
    staff_id: StaffId,
    now: datetime,
    hold: str | None = None,
) -> Issue:
    """End the hold for the reason `hold`; None ends all of them."""
    command = ReleaseCase(case_id=case_id, reason=reason, staff_id=staff_id, now=now, hold=hold)
    return _issue(loan_key, command)


def refer_case(
    loan_key: LoanKey,
    case_id: CaseId,
    *,
    stage: str,
    treatment: str,
    reason: str,
    staff_id: StaffId,
    now: datetime,
) -> Issue:
    return _issue(
        loan_key,
        ReferCase(
            case_id=case_id,
            stage=stage,
            treatment=treatment,
            reason=reason,
            staff_id=staff_id,
            now=now,
        ),
    )


def return_case(
    loan_key: LoanKey, case_id: CaseId, *, reason: str, staff_id: StaffId, now: datetime
) -> Issue:
    """Take the case back from the stage that has it."""
    command = ReturnCase(case_id=case_id, reason=reason, staff_id=staff_id, now=now)
    return _issue(loan_key, command)


def close_case(
    loan_key: LoanKey,
    case_id: CaseId,
    *,
    reason: str,
    outcome: str,
    staff_id: StaffId,
    now: datetime,
) -> Issue:
    """Outcomes: uncollectible; settled, after an agreement was fulfilled."""
    command = CloseCase(case_id=case_id, reason=reason, staff_id=staff_id, now=now, outcome=outcome)
    return _issue(loan_key, command)


def _issue(loan_key: LoanKey, command: StaffCommand) -> Issue:
    return Issue(decisions.CATEGORY, loan_key, command)

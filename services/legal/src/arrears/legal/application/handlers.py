"""What lawyers do, as commands to the stream of the case. Pure; the edge carries them out.

A case is named by its row of `case_list`, which knows whose it is.
"""

from datetime import date, datetime

from arrears.legal.application.projections.case_list import Row
from arrears.legal.domain.claim.commands import (
    ApplyForEnforcement,
    ApproveFiling,
    ClaimCommand,
    CloseEnforcement,
    EndSuit,
    EnterJudgment,
    NoteDemand,
)
from arrears.legal.domain.claim.decisions import CATEGORY
from arrears.shared.kernel.ids import StaffId
from arrears.shared.kernel.reaction import Issue


def record_demand(
    case: Row,
    *,
    total_minor: int,
    currency: str,
    delivered_at: datetime,
    staff_id: StaffId,
    now: datetime,
) -> Issue:
    """A demand delivered by other means, such as a lawyer's letter.

    Refused: in_the_future, too_long_ago, not_positive, other_currency, claim_closed.
    """
    command = NoteDemand(
        case_id=case.case_id,
        loan_key=case.loan_key,
        total_minor=total_minor,
        currency=currency,
        delivered_at=delivered_at,
        staff_id=staff_id,
        now=now,
    )
    return _issue(case, command)


def approve_filing(
    case: Row, *, despite_limitation: bool = False, staff_id: StaffId, now: datetime
) -> Issue:
    """Refused: claim_not_taken, claim_returned, recorded_the_demand, claim_closed."""
    command = ApproveFiling(staff_id=staff_id, despite_limitation=despite_limitation, now=now)
    return _issue(case, command)


def enter_judgment(
    case: Row,
    *,
    awarded_minor: int,
    currency: str,
    obey_by_on: date,
    deducted_minor: int = 0,
    staff_id: StaffId,
    now: datetime,
) -> Issue:
    """Refused: claim_not_filed, claim_closed, other_currency, not_positive, less_than_nothing,
    more_than_was_paid, before_the_filing, too_far_ahead, judgment_already_entered."""
    command = EnterJudgment(
        awarded_minor=awarded_minor,
        currency=currency,
        obey_by_on=obey_by_on,
        deducted_minor=deducted_minor,
        staff_id=staff_id,
        now=now,
    )
    return _issue(case, command)


def end_suit(case: Row, *, result: str, reason: str, staff_id: StaffId, now: datetime) -> Issue:
    """The court's no, or its leave to withdraw: dismissed, not_accepted, withdrawn.

    Refused: claim_not_filed, claim_closed, judgment_already_entered, claim_registered,
    unknown_result.
    """
    return _issue(case, EndSuit(result=result, reason=reason, staff_id=staff_id, now=now))


def apply_for_enforcement(case: Row, *, staff_id: StaffId, now: datetime) -> Issue:
    """Refused: judgment_not_entered, time_to_obey_is_running, agreement_in_force, case_is_held."""
    return _issue(case, ApplyForEnforcement(staff_id=staff_id, now=now))


def close_enforcement(case: Row, *, staff_id: StaffId, now: datetime) -> Issue:
    """The result follows the money that came. Refused: enforcement_not_applied_for."""
    return _issue(case, CloseEnforcement(staff_id=staff_id, now=now))


def _issue(case: Row, command: ClaimCommand) -> Issue:
    return Issue(category=CATEGORY, key=case.case_id, command=command)

"""What mediators do, as commands to the stream of the case. Pure; the edge carries them out.

A case is named by its row of `case_list`, which knows whose it is.
"""

from collections.abc import Sequence
from datetime import datetime

from arrears.mediation.application.projections.case_list import Row
from arrears.mediation.domain.mediation.commands import (
    MediationCommand,
    RecordDecline,
    RecordOffer,
    SignForBank,
    SignForBorrower,
)
from arrears.mediation.domain.mediation.decisions import CATEGORY
from arrears.mediation.domain.plan import Instalment
from arrears.shared.kernel.ids import StaffId
from arrears.shared.kernel.reaction import Issue


def record_offer(
    case: Row,
    *,
    settlement_minor: int,
    currency: str,
    instalments: Sequence[Instalment],
    staff_id: StaffId,
    now: datetime,
) -> Issue:
    """Refused: mediation_not_taken, mediation_over, agreement_in_force, other_currency,
    over_authority, more_than_owed, not_what_is_left, and the rules of a plan (no_instalments,
    term_too_long, instalments_do_not_add_up, ...)."""
    command = RecordOffer(
        settlement_minor=settlement_minor,
        currency=currency,
        instalments=tuple(instalments),
        staff_id=staff_id,
        now=now,
    )
    return _issue(case, command)


def sign_for_bank(case: Row, *, staff_id: StaffId, now: datetime) -> Issue:
    """Refused: nothing_to_sign, mediation_over, same_person."""
    return _issue(case, SignForBank(staff_id=staff_id, now=now))


def sign_for_borrower(case: Row, *, staff_id: StaffId, now: datetime) -> Issue:
    """The borrower signed before a person, who records it. Refused as for the bank."""
    return _issue(case, SignForBorrower(staff_id=staff_id, now=now))


def record_decline(case: Row, *, staff_id: StaffId, now: datetime) -> Issue:
    """Refused: mediation_not_taken, mediation_over, agreement_in_force."""
    return _issue(case, RecordDecline(staff_id=staff_id, now=now))


def _issue(case: Row, command: MediationCommand) -> Issue:
    return Issue(category=CATEGORY, key=case.case_id, command=command)

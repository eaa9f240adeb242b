"""What mediators do, as commands to the stream of the case. Pure; the edge carries them out."""

from collections.abc import Sequence
from datetime import datetime

from arrears.mediation.domain.mediation.commands import (
    MediationCommand,
    RecordDecline,
    RecordOffer,
    SignForBank,
    SignForBorrower,
)
from arrears.mediation.domain.mediation.decisions import CATEGORY
from arrears.mediation.domain.plan import Instalment
from arrears.shared.kernel.ids import CaseId, StaffId
from arrears.shared.kernel.reaction import Issue


def record_offer(
    case_id: CaseId,
    *,
    settlement_minor: int,
    currency: str,
    instalments: Sequence[Instalment],
    staff_id: StaffId,
    now: datetime,
) -> Issue:
    """Refused: mediation_not_taken, mediation_over, agreement_in_force, other_currency,
    and the rules of a plan (no_instalments, instalments_do_not_add_up, term_too_long, ...)."""
    command = RecordOffer(
        settlement_minor=settlement_minor,
        currency=currency,
        instalments=tuple(instalments),
        staff_id=staff_id,
        now=now,
    )
    return _issue(case_id, command)


def sign_for_bank(case_id: CaseId, *, staff_id: StaffId, now: datetime) -> Issue:
    """Refused: nothing_to_sign, mediation_over."""
    return _issue(case_id, SignForBank(staff_id=staff_id, now=now))


def sign_for_borrower(case_id: CaseId, *, staff_id: StaffId, now: datetime) -> Issue:
    """The borrower signed before a person, who records it. Refused as for the bank."""
    return _issue(case_id, SignForBorrower(staff_id=staff_id, now=now))


def record_decline(case_id: CaseId, *, staff_id: StaffId, now: datetime) -> Issue:
    """Refused: mediation_not_taken, mediation_over, agreement_in_force."""
    return _issue(case_id, RecordDecline(staff_id=staff_id, now=now))


def _issue(case_id: CaseId, command: MediationCommand) -> Issue:
    return Issue(category=CATEGORY, key=case_id, command=command)

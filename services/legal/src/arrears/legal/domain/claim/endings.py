"""How a claim ends: settled, told no by the court, withdrawn, or closed with its case."""

from collections.abc import Sequence
from typing import Final

from arrears.legal.domain.claim.commands import EndSuit
from arrears.legal.domain.claim.events import ClaimClosed, ClaimEnded, ClaimEvent, ClaimWithdrawn
from arrears.legal.domain.claim.state import (
    DISMISSED,
    NOT_ACCEPTED,
    SETTLED,
    WITHDRAWN,
    Claim,
    Phase,
)
from arrears.shared.kernel.decider import Refused
from arrears.shared.kernel.ids import StaffId

SUIT_RESULTS: Final = (DISMISSED, NOT_ACCEPTED, WITHDRAWN)
"""What staff may enter as the end of a suit without a judgment to obey."""
_BEFORE_COURT: Final = (Phase.FILED, Phase.REGISTERED, Phase.ENFORCING)


def settle(claim: Claim) -> Sequence[ClaimEvent]:
    """An agreement was fulfilled: nothing more is asked for. What lies before the court is to be
    withdrawn, which is for the bank's lawyer to ask and for the court to allow."""
    if claim.phase is Phase.UNREFERRED:
        return ()
    return (*withdrawn(claim, SETTLED), ended(claim, SETTLED))


def end_suit(command: EndSuit, claim: Claim) -> Sequence[ClaimEvent]:
    """The court's no, or its leave to withdraw, as a lawyer enters it."""
    if command.result not in SUIT_RESULTS:
        raise Refused("unknown_result", "result")
    match claim.phase:
        case Phase.UNREFERRED | Phase.REFUSED:
            raise Refused("claim_not_filed")
        case Phase.CLOSED:
            raise Refused("claim_closed")
        case Phase.JUDGED | Phase.NOT_OBEYED | Phase.ENFORCING:
            raise Refused("judgment_already_entered")
        case _:
            pass
    if command.result == NOT_ACCEPTED and claim.registered:
        raise Refused("claim_registered", "result")
    return (ended(claim, command.result, command.reason, command.staff_id),)


def close_with_case(claim: Claim, reason: str) -> Sequence[ClaimEvent]:
    """Intake has closed the case. What lies before the court is withdrawn first."""
    if claim.phase in (Phase.UNREFERRED, Phase.CLOSED):
        return ()
    return (*withdrawn(claim, reason), closed(claim, reason))


def answer_again(claim: Claim, referral: int) -> ClaimEnded:
    """What is over is not sued for again: a judgment stands, and the court's no stands (解释 (2022)
    art. 247). But intake waits for legal's word on every referral."""
    return ClaimEnded(
        case_id=claim.case_id,
        loan_key=claim.loan_key,
        result=claim.closed_as,
        reason=None,
        recorded_by=None,
        referral=referral,
    )


def ended(
    claim: Claim, result: str, reason: str | None = None, staff_id: StaffId | None = None
) -> ClaimEnded:
    return ClaimEnded(
        case_id=claim.case_id,
        loan_key=claim.loan_key,
        result=result,
        reason=reason,
        recorded_by=staff_id,
    )


def closed(claim: Claim, reason: str) -> ClaimClosed:
    return ClaimClosed(case_id=claim.case_id, loan_key=claim.loan_key, reason=reason)


def withdrawn(claim: Claim, reason: str) -> Sequence[ClaimEvent]:
    if claim.phase not in _BEFORE_COURT:
        return ()
    return (ClaimWithdrawn(case_id=claim.case_id, loan_key=claim.loan_key, reason=reason),)

"""How a treatment ends: once, with a result that intake's strategy can go on from."""

from arrears.contact.domain.borrower.draft import Draft
from arrears.contact.domain.borrower.events import (
    AttemptDropped,
    TreatmentCompleted,
    UnreachableReported,
)
from arrears.contact.domain.borrower.state import CaseFile
from arrears.contact.domain.values import Result


def end_treatment(draft: Draft, file: CaseFile, result: Result, reason: str) -> None:
    """Says nothing where no treatment is open. A planned attempt is dropped."""
    treatment = file.treatment
    if treatment is None:
        return
    if treatment.attempt is not None:
        draft.say(
            AttemptDropped(
                attempt_id=treatment.attempt.attempt_id,
                case_id=file.case_id,
                loan_key=file.loan_key,
                referral=treatment.referral,
                treatment=treatment.treatment,
                channel=treatment.attempt.channel,
                reason=reason,
                dropped_at=draft.now,
            )
        )
    draft.say(
        TreatmentCompleted(
            case_id=file.case_id,
            loan_key=file.loan_key,
            referral=treatment.referral,
            treatment=treatment.treatment,
            result=result,
            reason=reason,
            attempts_made=treatment.attempts_made,
            completed_at=draft.now,
        )
    )


def unreachable(draft: Draft, file: CaseFile, reason: str) -> None:
    treatment = file.treatment
    assert treatment is not None
    draft.say(
        UnreachableReported(
            case_id=file.case_id,
            loan_key=file.loan_key,
            referral=treatment.referral,
            treatment=treatment.treatment,
            attempts_made=treatment.attempts_made,
            reported_at=draft.now,
        )
    )
    end_treatment(draft, file, "unreachable", reason)

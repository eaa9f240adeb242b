"""Between permit and sending time passes (protocol 3.7): is the permit still good, and if not?

What is asked here is the permit itself, once more, as of the moment of sending.
"""

from datetime import datetime

from msgspec.structs import replace

from arrears.contact.domain.borrower import endings, outcomes
from arrears.contact.domain.borrower.attempts import standing
from arrears.contact.domain.borrower.commands import WithdrawAttempt
from arrears.contact.domain.borrower.draft import Draft, Rules
from arrears.contact.domain.borrower.events import AttemptPermitted, AttemptWithdrawn
from arrears.contact.domain.borrower.state import Borrower, CaseFile, InFlight, Treatment
from arrears.contact.domain.permit import (
    NO_CONTACT_POINT,
    PERMIT_ENDED,
    Denied,
    PermitRequest,
    permit,
)


def objection(
    permitted: AttemptPermitted, borrower: Borrower, at: datetime, rules: Rules
) -> Denied | None:
    """Why the attempt must not be made at `at`; None where it still may be."""
    case_id, attempt_id = permitted.case_id, permitted.attempt_id
    file = borrower.cases.get(case_id)
    closed = file is None or file.closed_for is not None
    known = standing(
        rules, borrower, file or CaseFile(case_id=case_id, loan_key=permitted.loan_key)
    )
    # The limits count a permitted attempt; it must not stand in its own way.
    others = tuple(contact for contact in known.contacts if contact.attempt_id != attempt_id)
    verdict = permit(
        PermitRequest(attempt_id=attempt_id, channel=permitted.channel, at=at),
        replace(known, contacts=others, case_closed=closed),
        rules.book,
    )
    if isinstance(verdict, Denied):
        return verdict
    waiting = _in_flight(file, permitted)
    lasts = permitted.permitted_at <= at < permitted.valid_until
    treated = _treated(file, permitted)
    figure_holds = treated is not None and treated.overdue_minor == permitted.overdue_minor
    if figure_holds and verdict.point == permitted.point and lasts and waiting is not None:
        return None
    if treated is None:
        rule, reason = PERMIT_ENDED, "the_referral_is_over"
    elif not figure_holds:
        rule, reason = PERMIT_ENDED, "the_figure_has_changed"
    elif verdict.point != permitted.point:
        rule, reason = NO_CONTACT_POINT, "the_contact_point_has_changed"
    else:
        rule, reason = PERMIT_ENDED, "the_permit_was_not_used_in_time"
    return Denied(
        policy_id=verdict.policy_id,
        policy_version=verdict.policy_version,
        inputs=verdict.inputs,
        rule=rule,
        reason=reason,
        next_allowed_at=at,
    )


def _treated(file: CaseFile | None, permitted: AttemptPermitted) -> Treatment | None:
    """The attempt's own referral, where it is still the one that the case is treated for."""
    treatment = None if file is None else file.treatment
    return treatment if treatment and treatment.referral == permitted.referral else None


def _in_flight(file: CaseFile | None, permitted: AttemptPermitted) -> InFlight | None:
    for sent in () if file is None else file.in_flight:
        if sent.attempt_id == permitted.attempt_id and not sent.receipted:
            return sent
    return None


def withdraw(draft: Draft, command: WithdrawAttempt) -> None:
    """The attempt comes back: at its next allowed time, or at once to be judged anew."""
    found = outcomes.in_flight(draft, command.attempt_id)
    if found is None or found[1].receipted or found[1].permitted_at != command.permitted_at:
        return
    file, sent = found
    verdict = command.verdict
    draft.say(
        AttemptWithdrawn(
            attempt_id=sent.attempt_id,
            case_id=file.case_id,
            loan_key=file.loan_key,
            referral=sent.referral,
            treatment=sent.treatment,
            channel=sent.channel,
            attempt_no=command.attempt_no,
            rule=verdict.rule,
            reason=verdict.reason,
            next_allowed_at=verdict.next_allowed_at,
            policy_id=verdict.policy_id,
            policy_version=verdict.policy_version,
            inputs=verdict.inputs,
            withdrawn_at=draft.now,
        )
    )
    now_file = draft.file(file.case_id)
    treatment = None if now_file is None else now_file.treatment
    if now_file is None or treatment is None or treatment.referral != sent.referral:
        return
    reason = outcomes.ended_by(draft, now_file, sent)
    if reason is not None:
        endings.end_treatment(draft, now_file, *reason)

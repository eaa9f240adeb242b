"""A referral of intake becomes a treatment; contact points are what attempts are made to."""

from arrears.contact.domain.borrower import attempts, debtor, endings, hardship, stops
from arrears.contact.domain.borrower.commands import (
    CountRepayment,
    EndTreatment,
    RecordContactPoints,
    StartTreatment,
)
from arrears.contact.domain.borrower.draft import Draft
from arrears.contact.domain.borrower.events import (
    CaseNoted,
    ContactPointsRecorded,
    RepaymentCounted,
    TreatmentStarted,
)
from arrears.contact.domain.permit import NO_CONTACT_POINT
from arrears.contact.domain.values import SANDBOX, ContactPoint
from arrears.shared.kernel.decider import Refused


def start(draft: Draft, command: StartTreatment) -> None:
    if command.treatment not in draft.policy.treatments:
        raise Refused("unknown_treatment", "treatment")
    file = draft.file(command.case_id)
    if command.case_id in draft.borrower.closed:
        return
    if file is not None:
        if command.referral <= file.referral_last:
            return
        endings.end_treatment(draft, file, "stopped", "superseded")
    debtor.tell_of(draft, command.case_id, command.loan_key, command.borrower_id)
    stops.tell_of(draft, command.case_id, command.loan_key, command.borrower_id)
    _stand_in_for_points(draft, command)
    draft.say(
        TreatmentStarted(
            case_id=command.case_id,
            loan_key=command.loan_key,
            borrower_id=command.borrower_id,
            referral=command.referral,
            treatment=command.treatment,
            overdue_minor=command.overdue_minor,
            currency=command.currency,
            days_past_due=command.days_past_due,
            product=command.product,
            policy_id=draft.policy.id,
            policy_version=draft.policy.version,
            started_at=draft.now,
        )
    )
    attempts.request(draft, command.case_id)
    hardship.tell_of(draft, command.case_id, command.loan_key)


def count(draft: Draft, command: CountRepayment) -> None:
    """Money that came in since the referral is not asked for again, whatever its value day."""
    for file in draft.open_files():
        treatment = file.treatment
        if treatment is None or file.loan_key != command.loan_key:
            continue
        if command.currency != treatment.currency or command.amount_minor <= 0:
            continue
        if command.repayment_id in treatment.repayment_ids or treatment.overdue_minor <= 0:
            continue
        draft.say(
            RepaymentCounted(
                case_id=file.case_id,
                loan_key=file.loan_key,
                referral=treatment.referral,
                repayment_id=command.repayment_id,
                amount_minor=command.amount_minor,
                owed_minor=max(0, treatment.overdue_minor - command.amount_minor),
                currency=treatment.currency,
                value_on=command.value_on,
                counted_at=draft.now,
            )
        )


def end(draft: Draft, command: EndTreatment) -> None:
    """What is under way is waited for, as where the case is closed; promises stay."""
    if command.case_id in draft.borrower.closed:
        return
    file = draft.file(command.case_id)
    if file is None:
        _note(draft, command)
    else:
        endings.end_treatment(draft, file, "stopped", command.reason)
    hardship.tell_of(draft, command.case_id, command.loan_key)


def _note(draft: Draft, command: EndTreatment) -> None:
    """Nobody else knows the person's cases: whoever has this one learns of a stop through us."""
    draft.say(
        CaseNoted(
            case_id=command.case_id,
            loan_key=command.loan_key,
            borrower_id=command.borrower_id,
            reason=command.reason,
            noted_at=draft.now,
        )
    )
    stops.tell_of(draft, command.case_id, command.loan_key, command.borrower_id)


def _stand_in_for_points(draft: Draft, command: StartTreatment) -> None:
    """Only where the bank has said nothing of this person, and only where it is switched on."""
    if not draft.rules.sandbox_points or draft.borrower.points_origin is not None:
        return
    kinds = sorted(set(draft.policy.contact_points.needed.values()))
    draft.say(
        ContactPointsRecorded(
            borrower_id=command.borrower_id,
            points=tuple(ContactPoint(kind=kind, sealed=SANDBOX) for kind in kinds),
            zone=draft.borrower.zone,
            language=draft.borrower.language,
            origin=SANDBOX,
            recorded_at=draft.now,
        )
    )


def record_points(draft: Draft, command: RecordContactPoints) -> None:
    borrower = draft.borrower
    same = (borrower.points, borrower.zone, borrower.language, borrower.points_origin)
    if same == (command.points, command.zone, command.language, "bank"):
        return
    draft.say(
        ContactPointsRecorded(
            borrower_id=command.borrower_id,
            points=command.points,
            zone=command.zone,
            language=command.language,
            origin="bank",
            recorded_at=draft.now,
        )
    )
    for file in list(draft.borrower.cases.values()):
        attempt = attempts.attempt_of(file)
        if attempt is None or attempt.denied_by != NO_CONTACT_POINT:
            continue
        needed = draft.policy.contact_points.needed[attempt.channel]
        if any(point.kind == needed for point in command.points):
            attempts.reschedule(draft, file, attempt, "contact_points_recorded")

"""What came of an attempt: the receipt, the outcome, and what it means for the treatment."""

from arrears.contact.domain.borrower import attempts, endings, promises
from arrears.contact.domain.borrower.commands import NoteOutcome, NoteReceipt
from arrears.contact.domain.borrower.draft import Draft
from arrears.contact.domain.borrower.events import (
    AttemptConcluded,
    AttemptReceipted,
    DemandDelivered,
    DemandReturned,
)
from arrears.contact.domain.borrower.state import CaseFile, InFlight, Treatment
from arrears.contact.domain.permit import STOP_ORDER
from arrears.contact.domain.values import FAILED, AttemptId, Outcome, Result, Said
from arrears.shared.kernel.ids import CaseId

NOT_REACHED = FAILED | {"unknown"}


def in_flight(draft: Draft, attempt_id: AttemptId) -> tuple[CaseFile, InFlight] | None:
    file = draft.file(CaseId(attempt_id.rpartition("/")[0]))
    for sent in () if file is None else file.in_flight:
        if sent.attempt_id == attempt_id:
            assert file is not None
            return file, sent
    return None


def receipt(draft: Draft, command: NoteReceipt) -> None:
    found = in_flight(draft, command.attempt_id)
    if found is None or found[1].receipted:
        return
    file, sent = found
    draft.say(
        AttemptReceipted(
            attempt_id=sent.attempt_id,
            case_id=file.case_id,
            loan_key=file.loan_key,
            channel=sent.channel,
            receipt_id=command.receipt_id,
            gateway=command.gateway,
            receipted_at=draft.now,
        )
    )


def conclude(draft: Draft, command: NoteOutcome) -> None:
    found = in_flight(draft, command.attempt_id)
    if found is not None:
        _conclude(draft, *found, command.outcome, command.said)


def give_up(draft: Draft, attempt_id: AttemptId) -> None:
    """The outside world never said what came of the attempt."""
    found = in_flight(draft, attempt_id)
    if found is not None and found[1].expected_by <= draft.now:
        _conclude(draft, *found, "unknown", Said())


def _conclude(draft: Draft, file: CaseFile, sent: InFlight, outcome: Outcome, said: Said) -> None:
    draft.say(
        AttemptConcluded(
            attempt_id=sent.attempt_id,
            case_id=file.case_id,
            loan_key=file.loan_key,
            referral=sent.referral,
            treatment=sent.treatment,
            channel=sent.channel,
            outcome=outcome,
            said=said,
            concluded_at=draft.now,
        )
    )
    if sent.channel == "letter":
        _demand(draft, file, sent, outcome)
    if outcome not in NOT_REACHED:
        promises.hear(draft, file.case_id, sent, said)
    now_file = draft.file(file.case_id)
    treatment = None if now_file is None else now_file.treatment
    if now_file is None or treatment is None or treatment.referral != sent.referral:
        return
    if outcome not in NOT_REACHED:
        endings.end_treatment(draft, now_file, "reached", outcome)
    else:
        _try_again(draft, now_file, treatment, sent)


def _demand(draft: Draft, file: CaseFile, sent: InFlight, outcome: Outcome) -> None:
    if outcome == "delivered":
        draft.say(
            DemandDelivered(
                case_id=file.case_id,
                loan_key=file.loan_key,
                attempt_id=sent.attempt_id,
                total_minor=sent.overdue_minor,
                currency=sent.currency,
                delivered_at=draft.now,
            )
        )
    elif outcome == "returned":
        draft.say(
            DemandReturned(
                case_id=file.case_id,
                loan_key=file.loan_key,
                attempt_id=sent.attempt_id,
                returned_at=draft.now,
            )
        )


def _try_again(draft: Draft, file: CaseFile, treatment: Treatment, sent: InFlight) -> None:
    ended = ended_by(draft, file, sent)
    if ended is not None:
        endings.end_treatment(draft, file, *ended)
    elif treatment.attempts_made < draft.policy.treatments[treatment.treatment].attempts_max:
        attempts.request(draft, file.case_id)
    else:
        endings.unreachable(draft, file, "attempts_exhausted")


def ended_by(draft: Draft, file: CaseFile, sent: InFlight) -> tuple[Result, str] | None:
    """A stop or a promise that was heard while the attempt was under way ends the treatment."""
    stops = (*draft.borrower.stops, *file.stops)
    held = [stop.kind for stop in stops if stop.kind != "parked"]
    if held:
        return "stopped", min(held, key=STOP_ORDER.index)
    if file.promise is not None and sent.channel in draft.policy.promise.silences:
        return "reached", "promise_made"
    return None

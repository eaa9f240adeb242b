"""What came of an attempt: the receipt, the outcome, and what it means for the treatment.

After the policy's days an attempt without an outcome is `unknown`, and the treatment goes on. What
is told later, while the case is open, is evidence still: it is recorded and said to the others.
"""

from collections.abc import Iterable

from arrears.contact.domain.borrower import attempts, endings, promises
from arrears.contact.domain.borrower.commands import NoteOutcome, NoteReceipt
from arrears.contact.domain.borrower.draft import Draft
from arrears.contact.domain.borrower.events import (
    AttemptAnsweredLate,
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
    file = _file_of(draft, attempt_id)
    return None if file is None else _among(file, file.in_flight, attempt_id)


def _unheard(draft: Draft, attempt_id: AttemptId) -> tuple[CaseFile, InFlight] | None:
    file = _file_of(draft, attempt_id)
    return None if file is None else _among(file, file.unheard, attempt_id)


def _file_of(draft: Draft, attempt_id: AttemptId) -> CaseFile | None:
    return draft.file(CaseId(attempt_id.rpartition("/")[0]))


def _among(
    file: CaseFile, some: Iterable[InFlight], attempt_id: AttemptId
) -> tuple[CaseFile, InFlight] | None:
    return next(((file, sent) for sent in some if sent.attempt_id == attempt_id), None)


def receipt(draft: Draft, command: NoteReceipt) -> None:
    found = in_flight(draft, command.attempt_id) or _unheard(draft, command.attempt_id)
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
        return
    late = _unheard(draft, command.attempt_id)
    if late is not None and command.outcome != "unknown":
        _hear_late(draft, *late, command.outcome, command.said)


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
    treated = _follow(draft, file, sent, outcome, said)
    if treated is not None and treated.treatment is not None:
        _try_again(draft, treated, treated.treatment, sent)


def _hear_late(draft: Draft, file: CaseFile, sent: InFlight, outcome: Outcome, said: Said) -> None:
    """The attempt was tried again already, or its referral answered: a failure changes nothing."""
    draft.say(
        AttemptAnsweredLate(
            attempt_id=sent.attempt_id,
            case_id=file.case_id,
            loan_key=file.loan_key,
            referral=sent.referral,
            treatment=sent.treatment,
            channel=sent.channel,
            outcome=outcome,
            said=said,
            answered_at=draft.now,
        )
    )
    _follow(draft, file, sent, outcome, said)


def _follow(
    draft: Draft, file: CaseFile, sent: InFlight, outcome: Outcome, said: Said
) -> CaseFile | None:
    """What is told to the others. Gives the file where the referral is open and unanswered yet."""
    if sent.channel == "letter":
        _demand(draft, file, sent, outcome)
    if outcome not in NOT_REACHED:
        promises.hear(draft, file.case_id, sent, said)
    now_file = draft.file(file.case_id)
    treatment = None if now_file is None else now_file.treatment
    if now_file is None or treatment is None or treatment.referral != sent.referral:
        return None
    if outcome in NOT_REACHED:
        return now_file
    endings.end_treatment(draft, now_file, "reached", outcome)
    return None


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

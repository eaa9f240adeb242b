"""What the borrower said: a promise and the money that answers it, a refusal, hardship."""

from datetime import date, timedelta

from arrears.contact.domain.borrower import attempts, endings, stops
from arrears.contact.domain.borrower.commands import (
    CountRepayment,
    RecordHardship,
    RecordPromise,
    RecordRefusal,
)
from arrears.contact.domain.borrower.draft import Draft
from arrears.contact.domain.borrower.events import (
    HardshipReported,
    PromiseBroken,
    PromiseKept,
    PromiseLapsed,
    PromiseMade,
    PromisePartlyKept,
    PromisePaymentCounted,
    RefusalReported,
)
from arrears.contact.domain.borrower.state import CaseFile, InFlight, Stop
from arrears.contact.domain.quiet_hours import ONE_DAY
from arrears.contact.domain.values import AttemptId, PromiseId, Said
from arrears.shared.kernel.decider import Refused
from arrears.shared.kernel.ids import CaseId, StaffId
from arrears.shared.kernel.money import AMOUNT_MINOR_MAX


def hear(draft: Draft, case_id: CaseId, sent: InFlight, said: Said) -> None:
    """What an attempt brought back. It is never refused: what cannot hold is left unsaid."""
    file = draft.file(case_id)
    if file is None or file.closed_for is not None:
        return
    match said.kind:
        case "promise":
            amount = sent.overdue_minor if said.amount_minor is None else said.amount_minor
            due_on = said.due_on
            if due_on is None or file.promise is not None:
                return
            if _why_not(draft, amount, due_on) is None:
                _make(draft, file, amount, sent.currency, due_on, sent.attempt_id, None)
        case "refusal":
            _refuse(draft, file, sent.attempt_id, None)
        case "hardship":
            _shield(draft, file, _review_on(draft, said.review_on), sent.attempt_id, None)
        case "nothing":
            return


# --- Promise to pay


def record(draft: Draft, command: RecordPromise) -> None:
    file = _open_file(draft, command.case_id)
    if file.currency is not None and command.currency != file.currency:
        raise Refused("currency_differs_from_the_loan", "currency")
    pending = file.promise
    if pending is not None:
        said = (command.amount_minor, command.currency, command.due_on)
        if (pending.amount_minor, pending.currency, pending.due_on) == said:
            return
        raise Refused("promise_already_pending")
    why_not = _why_not(draft, command.amount_minor, command.due_on)
    if why_not is not None:
        raise Refused(*why_not)
    _make(
        draft,
        file,
        command.amount_minor,
        command.currency,
        command.due_on,
        None,
        command.recorded_by,
    )


def _open_file(draft: Draft, case_id: CaseId) -> CaseFile:
    file = draft.file(case_id)
    if case_id in draft.borrower.closed:
        raise Refused("case_closed")
    if file is None:
        raise Refused("case_unknown", "case_id")
    return file


def _why_not(draft: Draft, amount_minor: int, due_on: date) -> tuple[str, str] | None:
    today = draft.rules.calendar.day_of(draft.now)
    if not 0 < amount_minor <= AMOUNT_MINOR_MAX:
        return ("amount_out_of_range", "amount_minor")
    if due_on < today:
        return ("due_in_the_past", "due_on")
    if due_on > today + timedelta(days=draft.policy.promise.days_max):
        return ("due_too_far_ahead", "due_on")
    return None


def _make(
    draft: Draft,
    file: CaseFile,
    amount_minor: int,
    currency: str,
    due_on: date,
    attempt_id: AttemptId | None,
    recorded_by: StaffId | None,
) -> None:
    draft.say(
        PromiseMade(
            case_id=file.case_id,
            loan_key=file.loan_key,
            promise_id=PromiseId(f"{file.case_id}/promise-{file.promises_count + 1}"),
            amount_minor=amount_minor,
            currency=currency,
            due_on=due_on,
            attempt_id=attempt_id,
            recorded_by=recorded_by,
            made_on=draft.rules.calendar.day_of(draft.now),
            made_at=draft.now,
            judgement_at=draft.rules.calendar.start_of(due_on + ONE_DAY),
        )
    )
    promised = draft.file(file.case_id)
    attempt = None if promised is None else attempts.attempt_of(promised)
    if promised is None or attempt is None:
        return
    if attempt.channel in draft.policy.promise.silences:
        endings.end_treatment(draft, promised, "reached", "promise_made")


def count(draft: Draft, command: CountRepayment) -> None:
    """Money of the loan that came between the promise and its due day, each payment once."""
    for file in list(draft.borrower.cases.values()):
        promise = file.promise
        if promise is None or file.loan_key != command.loan_key:
            continue
        in_time = promise.made_on <= command.value_on <= promise.due_on
        if not in_time or command.repayment_id in promise.repayment_ids:
            continue
        if command.currency != promise.currency or command.amount_minor <= 0:
            continue
        paid = promise.paid_minor + command.amount_minor
        draft.say(
            PromisePaymentCounted(
                case_id=file.case_id,
                loan_key=file.loan_key,
                promise_id=promise.promise_id,
                repayment_id=command.repayment_id,
                amount_minor=command.amount_minor,
                paid_minor=paid,
                value_on=command.value_on,
                counted_at=draft.now,
            )
        )
        if paid >= promise.amount_minor:
            judge(draft, file.case_id)


def judge(draft: Draft, case_id: CaseId) -> None:
    """Kept, partly kept or broken, by the money alone. Kept at once when the sum is reached."""
    file = draft.file(case_id)
    if file is None or file.promise is None:
        return
    promise = file.promise
    paid = promise.paid_minor
    now, loan_key, promise_id = draft.now, file.loan_key, promise.promise_id
    if paid >= promise.amount_minor:
        draft.say(
            PromiseKept(
                case_id=case_id,
                loan_key=loan_key,
                promise_id=promise_id,
                paid_minor=paid,
                judged_at=now,
            )
        )
    elif promise.judgement_at > now:
        return
    elif paid > 0:
        draft.say(
            PromisePartlyKept(
                case_id=case_id,
                loan_key=loan_key,
                promise_id=promise_id,
                paid_minor=paid,
                judged_at=now,
            )
        )
    elif file.closed_for == "cured":
        draft.say(
            PromiseLapsed(
                case_id=case_id,
                loan_key=loan_key,
                promise_id=promise_id,
                paid_minor=paid,
                reason="case_cured",
                judged_at=now,
            )
        )
    else:
        draft.say(
            PromiseBroken(case_id=case_id, loan_key=loan_key, promise_id=promise_id, judged_at=now)
        )


# --- Refusal


def record_refusal(draft: Draft, command: RecordRefusal) -> None:
    """Twice on one day is once."""
    file = _open_file(draft, command.case_id)
    if file.refused_on != draft.rules.calendar.day_of(draft.now):
        _refuse(draft, file, None, command.recorded_by)


def _refuse(
    draft: Draft, file: CaseFile, attempt_id: AttemptId | None, recorded_by: StaffId | None
) -> None:
    draft.say(
        RefusalReported(
            case_id=file.case_id,
            loan_key=file.loan_key,
            attempt_id=attempt_id,
            recorded_by=recorded_by,
            reported_on=draft.rules.calendar.day_of(draft.now),
            reported_at=draft.now,
        )
    )


# --- Hardship


def record_hardship(draft: Draft, command: RecordHardship) -> None:
    file = _open_file(draft, command.case_id)
    today = draft.rules.calendar.day_of(draft.now)
    if command.review_on <= today:
        raise Refused("review_not_in_the_future", "review_on")
    if command.review_on > today + timedelta(days=draft.policy.hardship.review_days_max):
        raise Refused("review_too_far_ahead", "review_on")
    _shield(draft, file, command.review_on, None, command.recorded_by)


def _review_on(draft: Draft, said: date | None) -> date:
    """The day the borrower named where it can hold, else the policy's."""
    rule = draft.policy.hardship
    today = draft.rules.calendar.day_of(draft.now)
    if said is None or said <= today:
        return today + timedelta(days=rule.review_days_default)
    return min(said, today + timedelta(days=rule.review_days_max))


def _shield(
    draft: Draft,
    file: CaseFile,
    review_on: date,
    attempt_id: AttemptId | None,
    recorded_by: StaffId | None,
) -> None:
    """Hardship protects the person, whichever loan it was claimed on."""
    borrower_id = draft.borrower.borrower_id
    assert borrower_id is not None, "a case is only known of a borrower who is named"
    stop = Stop(
        kind="hardship",
        reason="hardship_reported",
        lifts_at=draft.rules.calendar.start_of(review_on),
    )
    if stop in draft.borrower.stops:
        return
    draft.say(
        HardshipReported(
            case_id=file.case_id,
            loan_key=file.loan_key,
            review_on=review_on,
            attempt_id=attempt_id,
            recorded_by=recorded_by,
            reported_at=draft.now,
        )
    )
    stops.halt(
        draft,
        stop,
        case=None,
        borrower_id=borrower_id,
        said_at=draft.now,
        recorded_by=recorded_by,
    )

"""What the borrower said: a promise and the money that answers it, a refusal."""

from datetime import date, timedelta
from typing import Final

from arrears.contact.domain.borrower import attempts, endings, hardship, stops
from arrears.contact.domain.borrower.commands import (
    CountRepayment,
    RecordPromise,
    RecordRefusal,
)
from arrears.contact.domain.borrower.draft import Draft
from arrears.contact.domain.borrower.events import RefusalReported
from arrears.contact.domain.borrower.promise_events import (
    PromiseBroken,
    PromiseKept,
    PromiseLapsed,
    PromiseMade,
    PromisePartlyKept,
    PromisePaymentCounted,
)
from arrears.contact.domain.borrower.state import CaseFile, InFlight, Promise, Stop
from arrears.contact.domain.permit import STOP_ORDER
from arrears.contact.domain.quiet_hours import ONE_DAY
from arrears.contact.domain.values import AttemptId, PromiseId, Said
from arrears.shared.kernel.business_day import booked_by
from arrears.shared.kernel.decider import Refused
from arrears.shared.kernel.ids import CaseId, StaffId
from arrears.shared.kernel.money import AMOUNT_MINOR_MAX

_NOT_OWED: Final = frozenset({"cured", "settled"})
"""Reasons of a closing after which nothing is asked for."""


def hear(draft: Draft, case_id: CaseId, sent: InFlight, said: Said) -> None:
    """What an attempt brought back. It is never refused: what cannot hold is left unsaid."""
    if said.kind == "hardship":  # It shields the person, though the case be closed by now.
        hardship.hear(draft, sent.attempt_id, said.review_on)
        return
    file = draft.file(case_id)
    if file is None or file.closed_for is not None:
        return
    if file.loan_key in draft.borrower.left_loans:
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
        case "nothing":
            return


# --- Promise to pay


def record(draft: Draft, command: RecordPromise) -> None:
    file = draft.debtors_file(command.case_id)
    if file.currency is None:
        raise Refused("figure_unknown", "case_id")  # Held or told of, but never referred here.
    if command.currency != file.currency:
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
    booked_on = booked_by(due_on, draft.policy.promise.booking_days_max, draft.rules.is_workday)
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
            judgement_at=draft.rules.calendar.start_of(booked_on + ONE_DAY),
        )
    )
    promised = draft.file(file.case_id)
    attempt = None if promised is None else attempts.attempt_of(promised)
    if promised is None or attempt is None:
        return
    if attempt.channel in draft.policy.promise.silences:
        endings.end_treatment(draft, promised, "reached", "promise_made")


def count(draft: Draft, command: CountRepayment) -> None:
    """Money whose value day lies between the promise and its due day, each payment once."""
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
    """Kept, partly kept or broken, by the money alone; lapsed where none came and none was to be
    asked for. Kept at once when the sum is reached, else judged when the bank has had its days to
    book what was paid in time."""
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
    elif (reason := _lapses_for(draft, file, promise)) is not None:
        draft.say(
            PromiseLapsed(
                case_id=case_id,
                loan_key=loan_key,
                promise_id=promise_id,
                paid_minor=paid,
                reason=reason,
                judged_at=now,
            )
        )
    else:
        draft.say(
            PromiseBroken(case_id=case_id, loan_key=loan_key, promise_id=promise_id, judged_at=now)
        )


def _lapses_for(draft: Draft, file: CaseFile, promise: Promise) -> str | None:
    """The kind of the stop that stands in its place: who is not to be asked for money breaks
    nothing. `case_cured` or `case_settled` where nothing is owed."""
    if file.closed_for in _NOT_OWED:
        return f"case_{file.closed_for}"
    if file.loan_key in draft.borrower.left_loans:
        return "borrower_changed"
    kinds = [
        stop.kind
        for stop in (*draft.borrower.stops, *file.stops)
        if _takes_its_place(stop)
        and (stop.lifts_at is None or stop.lifts_at > promise.judgement_at)
    ]
    return min(kinds, key=STOP_ORDER.index, default=None)


def _takes_its_place(stop: Stop) -> bool:
    if stop.kind == "hold":
        return stop.reason in stops.HOLDS_THE_PERSON
    return stop.kind in ("agreement", "hardship")


# --- Refusal


def record_refusal(draft: Draft, command: RecordRefusal) -> None:
    """Twice on one day is once."""
    file = draft.debtors_file(command.case_id)
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

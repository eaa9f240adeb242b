"""How each fact changes what is known of a borrower."""

from collections.abc import Callable
from datetime import timedelta
from typing import Final, assert_never

from msgspec.structs import replace

from arrears.contact.domain.borrower.events import (
    AttemptAnsweredLate,
    AttemptConcluded,
    AttemptDenied,
    AttemptDropped,
    AttemptPermitted,
    AttemptReceipted,
    AttemptRequested,
    AttemptRescheduled,
    AttemptWithdrawn,
    BorrowerEvent,
    CaseNoted,
    ContactEnded,
    ContactPointsRecorded,
    ContactResumed,
    ContactStopped,
    DemandDelivered,
    DemandReturned,
    HardshipReported,
    RefusalReported,
    RepaymentCounted,
    TreatmentCompleted,
    TreatmentStarted,
    UnreachableReported,
)
from arrears.contact.domain.borrower.promise_events import (
    PromiseBroken,
    PromiseKept,
    PromiseLapsed,
    PromiseMade,
    PromisePartlyKept,
    PromisePaymentCounted,
)
from arrears.contact.domain.borrower.state import (
    Attempt,
    Borrower,
    CaseFile,
    InFlight,
    Promise,
    Stop,
    Treatment,
    is_same,
)
from arrears.contact.domain.borrower.waiting import first_of
from arrears.contact.domain.values import Contact
from arrears.shared.kernel.ids import CaseId

CONTACTS_KEPT_FOR: Final = timedelta(hours=50)
"""A local day is at most 25 hours long, and zones differ by at most 26."""


def evolve(borrower: Borrower, event: BorrowerEvent) -> Borrower:  # noqa: C901, PLR0911, PLR0912
    """Apply one fact. Never refuses and never raises: what happened, happened."""
    match event:
        case AttemptRequested() | AttemptDenied() | AttemptRescheduled() | AttemptDropped():
            return _on_case(borrower, event.case_id, lambda file: _plan(file, event))
        case AttemptPermitted():
            return _permit(borrower, event)
        case AttemptWithdrawn():
            return _withdraw(borrower, event)
        case AttemptReceipted():
            return _on_case(borrower, event.case_id, lambda file: _receipt(file, event))
        case AttemptConcluded():
            return _conclude(borrower, event)
        case AttemptAnsweredLate():
            return _on_case(borrower, event.case_id, lambda file: _hear_late(file, event))
        case CaseNoted():
            noted = replace(borrower, borrower_id=event.borrower_id)
            return _with_file(noted, _file_of(noted, event))
        case TreatmentStarted():
            return _start(borrower, event)
        case RepaymentCounted():
            return _on_case(borrower, event.case_id, lambda file: _owe_less(file, event))
        case TreatmentCompleted():
            return _on_case(borrower, event.case_id, lambda file: replace(file, treatment=None))
        case ContactPointsRecorded():
            return replace(
                borrower,
                borrower_id=event.borrower_id,
                points=event.points,
                points_origin=event.origin,
                zone=event.zone,
                language=event.language,
            )
        case PromiseMade():
            return _on_case(borrower, event.case_id, lambda file: _promise(file, event))
        case PromisePaymentCounted():
            return _on_case(borrower, event.case_id, lambda file: _pay(file, event))
        case PromiseKept() | PromisePartlyKept() | PromiseBroken() | PromiseLapsed():
            return _on_case(borrower, event.case_id, lambda file: replace(file, promise=None))
        case RefusalReported():
            day = event.reported_on
            return _on_case(borrower, event.case_id, lambda file: replace(file, refused_on=day))
        case ContactStopped():
            return _stop(borrower, event)
        case ContactResumed():
            return _resume(borrower, event)
        case ContactEnded():
            return _end(borrower, event)
        case HardshipReported():
            return _with_file(
                borrower,
                replace(_file_of(borrower, event), hardship_review_on=event.review_on),
            )
        case UnreachableReported() | DemandDelivered() | DemandReturned():
            return borrower  # Told to others; what follows for us is told by an event of its own.
        case _:
            assert_never(event)


# --- The case that an event is about


def _on_case(
    borrower: Borrower, case_id: CaseId, change: Callable[[CaseFile], CaseFile]
) -> Borrower:
    file = borrower.cases.get(case_id)
    return borrower if file is None else _with_file(borrower, change(file))


def _with_file(borrower: Borrower, file: CaseFile) -> Borrower:
    wakes_at = first_of(file)
    if wakes_at != file.wakes_at:
        file = replace(file, wakes_at=wakes_at)
    cases = {**borrower.cases, file.case_id: file}
    if file.closed_for is not None and not file.in_flight and file.promise is None:
        del cases[file.case_id]
    return replace(borrower, cases=cases)


def _file_of(
    borrower: Borrower, event: CaseNoted | TreatmentStarted | HardshipReported
) -> CaseFile:
    known = borrower.cases.get(event.case_id)
    return known or CaseFile(case_id=event.case_id, loan_key=event.loan_key)


def _start(borrower: Borrower, event: TreatmentStarted) -> Borrower:
    started = replace(
        _file_of(borrower, event),
        referral_last=event.referral,
        currency=event.currency,
        treatment=Treatment(
            referral=event.referral,
            treatment=event.treatment,
            overdue_minor=event.overdue_minor,
            currency=event.currency,
            days_past_due=event.days_past_due,
        ),
    )
    return replace(_with_file(borrower, started), borrower_id=event.borrower_id)


def _owe_less(file: CaseFile, event: RepaymentCounted) -> CaseFile:
    treatment = file.treatment
    if treatment is None:
        return file
    counted = (*treatment.repayment_ids, event.repayment_id)
    return replace(
        file,
        treatment=replace(treatment, overdue_minor=event.owed_minor, repayment_ids=counted),
    )


# --- Attempts


def _plan(
    file: CaseFile,
    event: AttemptRequested | AttemptDenied | AttemptRescheduled | AttemptDropped,
) -> CaseFile:
    treatment = file.treatment
    if treatment is None:
        return file
    attempt = treatment.attempt
    match event:
        case AttemptRequested():
            file = replace(file, attempts_count=file.attempts_count + 1)
            attempt = Attempt(
                attempt_id=event.attempt_id,
                channel=event.channel,
                attempt_no=event.attempt_no,
                planned_at=event.planned_at,
            )
        case AttemptDenied() if attempt is not None:
            attempt = replace(
                attempt,
                planned_at=event.next_allowed_at,
                denied_by=event.rule,
                waits_until=event.waits_until,
            )
        case AttemptRescheduled() if attempt is not None:
            attempt = replace(
                attempt, planned_at=event.planned_at, denied_by=None, waits_until=None
            )
        case AttemptDropped():
            attempt = None
        case _:
            return file
    return replace(file, treatment=replace(treatment, attempt=attempt))


def _permit(borrower: Borrower, event: AttemptPermitted) -> Borrower:
    forgotten = event.permitted_at - CONTACTS_KEPT_FOR
    contact = Contact(
        attempt_id=event.attempt_id,
        channel=event.channel,
        at=event.permitted_at,
        number=event.point.sealed if event.channel == "call" else None,
    )
    kept = tuple(c for c in borrower.contacts if c.at > forgotten)
    counted = replace(borrower, contacts=(*kept, contact))
    return _on_case(counted, event.case_id, lambda file: _send(file, event))


def _send(file: CaseFile, event: AttemptPermitted) -> CaseFile:
    sent = InFlight(
        attempt_id=event.attempt_id,
        channel=event.channel,
        referral=event.referral,
        treatment=event.treatment,
        overdue_minor=event.overdue_minor,
        currency=event.currency,
        permitted_at=event.permitted_at,
        valid_until=event.valid_until,
        expected_by=event.outcome_expected_by,
    )
    treatment = file.treatment
    if treatment is not None:
        made = treatment.attempts_made + 1
        treatment = replace(treatment, attempt=None, attempts_made=made)
    return replace(file, treatment=treatment, in_flight=(*file.in_flight, sent))


def _withdraw(borrower: Borrower, event: AttemptWithdrawn) -> Borrower:
    """Nothing has left, so nothing counts; where the treatment goes on the attempt is planned."""
    contacts = tuple(c for c in borrower.contacts if c.attempt_id != event.attempt_id)
    uncounted = replace(borrower, contacts=contacts)
    return _on_case(uncounted, event.case_id, lambda file: _take_back(file, event))


def _take_back(file: CaseFile, event: AttemptWithdrawn) -> CaseFile:
    in_flight = tuple(sent for sent in file.in_flight if sent.attempt_id != event.attempt_id)
    treatment = file.treatment
    if treatment is not None and treatment.referral == event.referral:
        attempt = Attempt(
            attempt_id=event.attempt_id,
            channel=event.channel,
            attempt_no=event.attempt_no,
            planned_at=max(event.next_allowed_at or event.withdrawn_at, event.withdrawn_at),
            denied_by=event.rule,
        )
        made = treatment.attempts_made - 1
        treatment = replace(treatment, attempt=attempt, attempts_made=made)
    return replace(file, treatment=treatment, in_flight=in_flight)


def _receipt(file: CaseFile, event: AttemptReceipted) -> CaseFile:
    def receipted(some: tuple[InFlight, ...]) -> tuple[InFlight, ...]:
        return tuple(
            replace(sent, receipted=True) if sent.attempt_id == event.attempt_id else sent
            for sent in some
        )

    return replace(file, in_flight=receipted(file.in_flight), unheard=receipted(file.unheard))


def _hear_late(file: CaseFile, event: AttemptAnsweredLate) -> CaseFile:
    unheard = tuple(sent for sent in file.unheard if sent.attempt_id != event.attempt_id)
    return replace(file, unheard=unheard)


def _conclude(borrower: Borrower, event: AttemptConcluded) -> Borrower:
    contacts = tuple(
        replace(contact, outcome=event.outcome)
        if contact.attempt_id == event.attempt_id
        else contact
        for contact in borrower.contacts
    )
    return _on_case(
        replace(borrower, contacts=contacts),
        event.case_id,
        lambda file: _land(file, event),
    )


def _land(file: CaseFile, event: AttemptConcluded) -> CaseFile:
    landed = tuple(sent for sent in file.in_flight if sent.attempt_id == event.attempt_id)
    in_flight = tuple(sent for sent in file.in_flight if sent.attempt_id != event.attempt_id)
    unheard = (*file.unheard, *landed) if event.outcome == "unknown" else file.unheard
    return replace(file, in_flight=in_flight, unheard=unheard)


# --- Promises


def _promise(file: CaseFile, event: PromiseMade) -> CaseFile:
    return replace(
        file,
        promises_count=file.promises_count + 1,
        promise=Promise(
            promise_id=event.promise_id,
            amount_minor=event.amount_minor,
            currency=event.currency,
            made_on=event.made_on,
            due_on=event.due_on,
            judgement_at=event.judgement_at,
        ),
    )


def _pay(file: CaseFile, event: PromisePaymentCounted) -> CaseFile:
    promise = file.promise
    if promise is None:
        return file
    paid = replace(
        promise,
        paid_minor=event.paid_minor,
        repayment_ids=(*promise.repayment_ids, event.repayment_id),
    )
    return replace(file, promise=paid)


# --- Stops


def _stop(borrower: Borrower, event: ContactStopped) -> Borrower:
    stop = Stop(kind=event.kind, reason=event.reason, lifts_at=event.lifts_at)
    known = replace(borrower, borrower_id=event.borrower_id)
    if event.scope == "person":
        return replace(known, stops=_added(known.stops, stop))
    if event.kind == "borrower_changed" and event.loan_key is not None:
        known = replace(known, left_loans=known.left_loans | {event.loan_key})
    if event.case_id is None or event.loan_key is None or event.case_id in known.closed:
        return known
    file = known.cases.get(event.case_id) or CaseFile(
        case_id=event.case_id, loan_key=event.loan_key
    )
    return _with_file(known, replace(file, stops=_added(file.stops, stop)))


def _added(stops: tuple[Stop, ...], stop: Stop) -> tuple[Stop, ...]:
    return (*(one for one in stops if not is_same(one, stop.kind, stop.reason)), stop)


def _resume(borrower: Borrower, event: ContactResumed) -> Borrower:
    if event.scope == "person":
        return replace(borrower, stops=_without(borrower.stops, event))
    if event.kind == "borrower_changed" and event.loan_key is not None:
        borrower = replace(borrower, left_loans=borrower.left_loans - {event.loan_key})
    if event.case_id is None:
        return borrower
    return _on_case(
        borrower, event.case_id, lambda file: replace(file, stops=_without(file.stops, event))
    )


def _without(stops: tuple[Stop, ...], event: ContactResumed) -> tuple[Stop, ...]:
    return tuple(stop for stop in stops if not _lifts(event, stop))


def _lifts(event: ContactResumed, stop: Stop) -> bool:
    if event.kind == "hold" and event.stop_reason is None:
        return stop.kind == "hold"
    return is_same(stop, event.kind, event.stop_reason or event.reason)


def _end(borrower: Borrower, event: ContactEnded) -> Borrower:
    known = replace(borrower, closed=borrower.closed | {event.case_id})
    return _on_case(known, event.case_id, lambda file: replace(file, closed_for=event.reason))

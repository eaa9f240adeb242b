"""What protects a borrower: stops that are heard, lifted or over, and the end of a case.

A stop binds from the moment we hear it. Attempts that were planned are dropped and their treatment
is reported `stopped`; an attempt that is already under way is waited for. Input that is parked says
nothing about the person, only that we do not know enough: what was planned waits for the repair.
"""

from datetime import datetime

from arrears.contact.domain.borrower import attempts, endings
from arrears.contact.domain.borrower.commands import (
    EndContact,
    ReleaseCase,
    ResumeContact,
    StopContact,
)
from arrears.contact.domain.borrower.draft import Draft
from arrears.contact.domain.borrower.events import ContactEnded, ContactResumed, ContactStopped
from arrears.contact.domain.borrower.state import CaseFile, Stop, is_same
from arrears.contact.domain.permit import STOP_ORDER
from arrears.contact.domain.values import Scope, StopKind
from arrears.shared.kernel.decider import Refused
from arrears.shared.kernel.ids import BorrowerId, CaseId, LoanKey, StaffId

HARDSHIP = "hardship"


def stop(draft: Draft, command: StopContact) -> None:
    if command.scope == "case":
        if command.case_id is None or command.loan_key is None:
            raise Refused("case_missing", "case_id")
        if command.case_id in draft.borrower.closed:
            return
    lifts_at = None
    if command.until_on is not None:
        lifts_at = draft.rules.calendar.start_of(command.until_on)
        if lifts_at <= draft.now:
            lifts_at = None  # It says when it ends, and that is over: only a word can lift it.
    halt(
        draft,
        Stop(kind=command.kind, reason=command.reason, lifts_at=lifts_at),
        case=None if command.scope == "person" else (command.case_id, command.loan_key),
        borrower_id=command.borrower_id,
        said_at=command.said_at,
        recorded_by=command.recorded_by,
    )


def halt(
    draft: Draft,
    stop: Stop,
    *,
    case: tuple[CaseId | None, LoanKey | None] | None,
    borrower_id: BorrowerId,
    said_at: datetime,
    recorded_by: StaffId | None,
) -> None:
    """Stop one case, or the person where `case` is None, and drop what was planned."""
    scope: Scope = "person" if case is None else "case"
    if stop in _stops(draft, scope, None if case is None else case[0]):
        return
    named = [case] if case is not None else _open_cases(draft)
    for case_id, loan_key in named or [(None, None)]:
        draft.say(
            ContactStopped(
                case_id=case_id,
                loan_key=loan_key,
                borrower_id=borrower_id,
                kind=stop.kind,
                scope=scope,
                reason=stop.reason,
                lifts_at=stop.lifts_at,
                said_at=said_at,
                heard_at=draft.now,
                recorded_by=recorded_by,
            )
        )
    if stop.kind == "parked":
        return  # What was planned stays, and is denied until the input is repaired.
    for case_id, _ in named:
        file = None if case_id is None else draft.file(case_id)
        if file is not None and attempts.attempt_of(file) is not None:
            endings.end_treatment(draft, file, "stopped", stop.kind)


def _open_cases(draft: Draft) -> list[tuple[CaseId | None, LoanKey | None]]:
    return [(file.case_id, file.loan_key) for file in draft.open_files()]


def _stops(draft: Draft, scope: Scope, case_id: CaseId | None) -> tuple[Stop, ...]:
    if scope == "person":
        return draft.borrower.stops
    file = None if case_id is None else draft.file(case_id)
    return () if file is None else file.stops


# --- Lifting


def resume(draft: Draft, command: ResumeContact) -> None:
    for kind in command.kinds:
        lift(draft, kind, command.scope, command.case_id, command.reason, command.recorded_by)


def release(draft: Draft, command: ReleaseCase) -> None:
    held = [s for s in _stops(draft, "case", command.case_id) if s.kind == "hold"]
    lift(draft, "hold", "case", command.case_id, command.reason)
    if any(hold.reason == HARDSHIP for hold in held):
        lift(draft, "hardship", "person", None, command.reason)


def lift_expired(draft: Draft, scope: Scope, case_id: CaseId | None, kind: StopKind) -> None:
    """A stop that said when it ends is over by itself."""
    for stop_ in _stops(draft, scope, case_id):
        if stop_.kind == kind and stop_.lifts_at is not None and stop_.lifts_at <= draft.now:
            reason = "review_due" if kind == HARDSHIP else "time_is_over"
            # A stop for parked input is known by its reason.
            lift(draft, kind, scope, case_id, stop_.reason if kind == "parked" else reason)


def lift(
    draft: Draft,
    kind: StopKind,
    scope: Scope,
    case_id: CaseId | None,
    reason: str,
    recorded_by: StaffId | None = None,
) -> None:
    if not any(is_same(stop, kind, reason) for stop in _stops(draft, scope, case_id)):
        return
    borrower_id = draft.borrower.borrower_id
    assert borrower_id is not None, "whoever was stopped has been named"
    named = _open_cases(draft)
    if scope == "case":
        named = [pair for pair in named if pair[0] == case_id]
        if not named:
            return  # A closed case has nothing left to resume.
    for one_id, loan_key in named or [(None, None)]:
        draft.say(
            ContactResumed(
                case_id=one_id,
                loan_key=loan_key,
                borrower_id=borrower_id,
                kind=kind,
                scope=scope,
                reason=reason,
                resumed_at=draft.now,
                recorded_by=recorded_by,
            )
        )
    for one_id, _ in named:
        file = None if one_id is None else draft.file(one_id)
        if file is not None:
            _come_back(draft, file, kind)


def _come_back(draft: Draft, file: CaseFile, kind: StopKind) -> None:
    """An attempt that waited for the last of the stops gets a time again."""
    attempt = attempts.attempt_of(file)
    if attempt is None or attempt.denied_by not in STOP_ORDER:
        return
    if draft.borrower.stops or file.stops:
        return
    if attempt.planned_at is None or attempt.planned_at > draft.now:
        attempts.reschedule(draft, file, attempt, f"{kind}_lifted")


# --- The end


def end(draft: Draft, command: EndContact) -> None:
    """A promise stays to be judged by its money; all else that was open is over."""
    file = draft.file(command.case_id)
    if file is None or command.case_id in draft.borrower.closed:
        return
    endings.end_treatment(draft, file, "stopped", "case_closed")
    draft.say(
        ContactEnded(
            case_id=file.case_id,
            loan_key=file.loan_key,
            reason=command.reason,
            said_at=command.said_at,
            heard_at=draft.now,
        )
    )

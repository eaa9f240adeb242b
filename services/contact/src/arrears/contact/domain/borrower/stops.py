"""What protects a borrower: stops that are heard, lifted or over, and the end of a case.

A stop binds from the moment we hear it. Attempts that were planned are dropped and their treatment
is reported `stopped`; an attempt that is already under way is waited for. Input that is parked says
nothing about the person, only that we do not know enough: what was planned waits for the repair.
What one stop protects no later one of its kind shortens; a hold alone ends when intake says.

A hold is of one case. Where its reason lies with the person it holds the person as well, until no
open case is held for that reason any more.
"""

from datetime import datetime
from functools import partial
from typing import Final

from msgspec.structs import replace

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
from arrears.contact.domain.quiet_hours import ONE_DAY
from arrears.contact.domain.values import Scope, StopKind
from arrears.shared.kernel.decider import Refused
from arrears.shared.kernel.ids import BorrowerId, CaseId, LoanKey, StaffId

HARDSHIP: Final = "hardship"
HOLDS_THE_PERSON: Final = frozenset({"death", "moratorium", HARDSHIP})
"""Reasons that lie with the person; a dispute or a complaint is about its case alone."""


def stop(draft: Draft, command: StopContact) -> None:
    if command.scope == "case":
        if command.case_id is None or command.loan_key is None:
            raise Refused("case_missing", "case_id")
        if command.case_id in draft.borrower.closed:
            return
    lifts_at = _lifts_at(draft, command)
    told = partial(
        halt,
        draft,
        borrower_id=command.borrower_id,
        said_at=command.said_at,
        recorded_by=command.recorded_by,
    )
    halted = Stop(kind=command.kind, reason=command.reason, lifts_at=lifts_at)
    _check_is_kept(draft, command, halted)
    if command.scope == "person":
        told(halted, case=None)
        return
    told(halted, case=(command.case_id, command.loan_key))
    if command.loan_key in draft.borrower.left_loans:
        return  # What holds it lies with whoever owes the loan now.
    if command.kind == "hold" and command.reason in HOLDS_THE_PERSON:
        told(replace(halted, lifts_at=_held_until(draft, command.reason)), case=None)


def _lifts_at(draft: Draft, command: StopContact) -> datetime | None:
    """`until_on` is stopped to its end; where intake holds, its release comes a minute before.

    Raises Refused: until_in_the_past, of what a person asks for. What another service says is never
    refused: where its day is over only a word can lift it.
    """
    if command.until_on is None:
        return None
    lifts_at = draft.rules.calendar.start_of(command.until_on + ONE_DAY)
    if lifts_at > draft.now:
        return lifts_at
    if command.recorded_by is not None:
        raise Refused("until_in_the_past", "until_on")
    return None


def _check_is_kept(draft: Draft, command: StopContact, halted: Stop) -> None:
    """Staff learn that their words would not be kept, because they have stopped as long before.

    Raises Refused: stopped_as_long_already. The same stop again is no other, and yields nothing.
    """
    if command.kind != "staff":
        return
    standing = [one for one in _stops(draft, command.scope, command.case_id) if one != halted]
    if any(_covers(one, halted) for one in standing):
        raise Refused("stopped_as_long_already", "until_on")


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
    standing = _stops(draft, scope, None if case is None else case[0])
    if any(_covers(one, stop) for one in standing):
        return
    if case is not None:
        tell_of(draft, *case, borrower_id)
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


def _covers(standing: Stop, stop: Stop) -> bool:
    """Whether the stop is in effect already: one of its kind lasts as long, or has no end."""
    if stop.kind == "hold":
        return standing == stop  # Intake owns its holds: what it says last counts, shorter or not.
    if not is_same(standing, stop.kind, stop.reason):
        return False
    if standing.lifts_at is None or stop.lifts_at is None:
        return standing.lifts_at is None
    return standing.lifts_at >= stop.lifts_at


def tell_of(
    draft: Draft, case_id: CaseId | None, loan_key: LoanKey | None, borrower_id: BorrowerId
) -> None:
    """A case that comes while the person is stopped is told of it, as those before it were."""
    if case_id is None or case_id in draft.borrower.closed:
        return
    file = draft.file(case_id)
    if file is not None and (file.referral_last > 0 or file.stops):
        return
    for stop_ in draft.borrower.stops:
        draft.say(
            ContactStopped(
                case_id=case_id,
                loan_key=loan_key,
                borrower_id=borrower_id,
                kind=stop_.kind,
                scope="person",
                reason=stop_.reason,
                lifts_at=stop_.lifts_at,
                said_at=draft.now,
                heard_at=draft.now,
                recorded_by=None,
            )
        )


def _open_cases(draft: Draft) -> list[tuple[CaseId | None, LoanKey | None]]:
    return [(file.case_id, file.loan_key) for file in draft.open_files()]


def _holds(draft: Draft, reason: str) -> list[Stop]:
    return [
        stop
        for file in draft.open_files()
        for stop in file.stops
        if stop.kind == "hold" and stop.reason == reason
    ]


def _held_until(draft: Draft, reason: str) -> datetime | None:
    """When the last of the cases that are held for this reason is free, where all of them say."""
    ends = [hold.lifts_at for hold in _holds(draft, reason)]
    timed = [end for end in ends if end is not None]
    return max(timed) if len(timed) == len(ends) else None


def _stops(draft: Draft, scope: Scope, case_id: CaseId | None) -> tuple[Stop, ...]:
    if scope == "person":
        return draft.borrower.stops
    file = None if case_id is None else draft.file(case_id)
    return () if file is None else file.stops


# --- Lifting


def resume(draft: Draft, command: ResumeContact) -> None:
    """What intake holds only intake releases; the person may outlast the case that was held."""
    for stop_ in _stops(draft, command.scope, command.case_id):
        if stop_.kind not in command.kinds:
            continue
        if stop_.kind == "parked" and stop_.reason != command.reason:
            continue
        if stop_.kind == "hold" and command.scope == "person" and _holds(draft, stop_.reason):
            continue
        _lift(draft, stop_, command.scope, command.case_id, command.reason, command.recorded_by)


def release(draft: Draft, command: ReleaseCase) -> None:
    for hold in _stops(draft, "case", command.case_id):
        if hold.kind == "hold":
            _lift(draft, hold, "case", command.case_id, command.reason)
            _free_person(draft, hold.reason, command.reason)
            if hold.reason == HARDSHIP:
                _free_person(draft, HARDSHIP, command.reason, kind="hardship")


def _free_person(draft: Draft, held_for: str, reason: str, *, kind: StopKind = "hold") -> None:
    """Lifts the person's stop of this kind that no open case stands behind any more."""
    if _holds(draft, held_for):
        return
    for stop_ in draft.borrower.stops:
        if stop_.kind == kind and (kind != "hold" or stop_.reason == held_for):
            _lift(draft, stop_, "person", None, reason)


def lift_expired(draft: Draft, scope: Scope, case_id: CaseId | None, kind: StopKind) -> None:
    """A stop that said when it ends is over by itself."""
    for stop_ in _stops(draft, scope, case_id):
        if stop_.kind == kind and stop_.lifts_at is not None and stop_.lifts_at <= draft.now:
            reason = "review_due" if kind == "hardship" else "time_is_over"
            # A stop for parked input is known by its reason.
            _lift(draft, stop_, scope, case_id, stop_.reason if kind == "parked" else reason)
            if kind == "hold" and scope == "case":
                _free_person(draft, stop_.reason, reason)


def _lift(
    draft: Draft,
    stop_: Stop,
    scope: Scope,
    case_id: CaseId | None,
    reason: str,
    recorded_by: StaffId | None = None,
) -> None:
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
                kind=stop_.kind,
                scope=scope,
                reason=reason,
                resumed_at=draft.now,
                recorded_by=recorded_by,
                stop_reason=stop_.reason,
            )
        )
    for one_id, _ in named:
        file = None if one_id is None else draft.file(one_id)
        if file is not None:
            _come_back(draft, file, stop_.kind)


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

"""When a borrower's stream wants to be woken, and what it then does."""

from datetime import datetime
from typing import Final

from msgspec import convert

from arrears.contact.domain.borrower import attempts, outcomes, promises, stops
from arrears.contact.domain.borrower.draft import Draft
from arrears.contact.domain.borrower.state import Borrower
from arrears.contact.domain.borrower.waiting import (
    OUTCOME,
    PROMISE,
    STOP_OF_CASE,
    STOP_OF_PERSON,
    WAITING,
    Timer,
    lifting,
    timers_of,
)
from arrears.contact.domain.values import AttemptId, StopKind
from arrears.shared.kernel.decider import SOON
from arrears.shared.kernel.ids import CaseId

_NO_CASE: Final = CaseId("")


def due(borrower: Borrower, after: datetime) -> datetime | None:
    """Every decision does what is due by then, so a time that has passed is one we never saw.

    It is served at once rather than forgotten.
    """
    instants = [stop.lifts_at for stop in borrower.stops if stop.lifts_at is not None]
    instants.extend(f.wakes_at for f in borrower.cases.values() if f.wakes_at is not None)
    return max(min(instants), after + SOON) if instants else None


def serve(draft: Draft) -> None:
    """Do everything that is due by now, in order of time. What follows from it is due later."""
    for timer in sorted(_due_by(draft.borrower, draft.now)):
        _serve(draft, timer)


def _due_by(borrower: Borrower, now: datetime) -> list[Timer]:
    found = [
        timer for timer in lifting(STOP_OF_PERSON, _NO_CASE, borrower.stops) if timer.at <= now
    ]
    for file in borrower.cases.values():
        if file.wakes_at is not None and file.wakes_at <= now:
            found.extend(timer for timer in timers_of(file) if timer.at <= now)
    return found


def _serve(draft: Draft, timer: Timer) -> None:
    if timer.rank == STOP_OF_PERSON:
        stops.lift_expired(draft, "person", None, convert(timer.what, StopKind))
    elif timer.rank == STOP_OF_CASE:
        stops.lift_expired(draft, "case", timer.case_id, convert(timer.what, StopKind))
    elif timer.rank == PROMISE:
        promises.judge(draft, timer.case_id)
    elif timer.rank == OUTCOME:
        outcomes.give_up(draft, AttemptId(timer.what))
    elif timer.rank == WAITING:
        attempts.stop_waiting(draft, timer.case_id)
    else:
        attempts.ask_permit(draft, timer.case_id)

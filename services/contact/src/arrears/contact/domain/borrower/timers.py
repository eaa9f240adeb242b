"""What a borrower's stream waits for. Timers are read off the state; nothing else stores them."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Final, NamedTuple

from arrears.contact.domain.borrower import attempts, outcomes, promises, stops
from arrears.contact.domain.borrower.draft import Draft
from arrears.contact.domain.borrower.state import Borrower, Stop
from arrears.contact.domain.values import AttemptId, Scope, StopKind
from arrears.shared.kernel.ids import CaseId

_SOON: Final = timedelta(seconds=1)


class Timer(NamedTuple):
    """At one instant the lower rank comes first, so that a stop is over before it is asked for."""

    at: datetime
    rank: int
    case_id: CaseId
    what: str


def timers(borrower: Borrower) -> Iterator[Timer]:
    for stop in borrower.stops:
        yield from _lifting(0, CaseId(""), stop)
    for case_id, file in borrower.cases.items():
        for stop in file.stops:
            if file.closed_for is None:
                yield from _lifting(1, case_id, stop)
        if file.promise is not None:
            yield Timer(file.promise.judgement_at, 2, case_id, "")
        for sent in file.in_flight:
            yield Timer(sent.expected_by, 3, case_id, sent.attempt_id)
        attempt = attempts.attempt_of(file)
        if attempt is None:
            continue
        if attempt.planned_at is not None:
            yield Timer(attempt.planned_at, 5, case_id, attempt.attempt_id)
        elif attempt.waits_until is not None:
            yield Timer(attempt.waits_until, 4, case_id, attempt.attempt_id)


def _lifting(rank: int, case_id: CaseId, stop: Stop) -> Iterator[Timer]:
    if stop.lifts_at is not None:
        yield Timer(stop.lifts_at, rank, case_id, stop.kind)


def due(borrower: Borrower, after: datetime) -> datetime | None:
    """Every decision does what is due by then, so a time that has passed is one we never saw.

    It is served at once rather than forgotten.
    """
    first: datetime | None = None
    for timer in timers(borrower):
        at = timer.at if timer.at > after else after + _SOON
        if first is None or at < first:
            first = at
    return first


def serve(draft: Draft) -> None:
    """Do everything that is due by now, in order of time. What follows from it is due later."""
    for timer in sorted(t for t in timers(draft.borrower) if t.at <= draft.now):
        _serve(draft, timer)


_KINDS: Final[dict[str, StopKind]] = {
    "agreement": "agreement",
    "hardship": "hardship",
    "hold": "hold",
    "parked": "parked",
    "staff": "staff",
}


def _serve(draft: Draft, timer: Timer) -> None:
    match timer.rank:
        case 0 | 1:
            scope: Scope = "person" if timer.rank == 0 else "case"
            case_id = timer.case_id or None
            stops.lift_expired(draft, scope, case_id, _KINDS[timer.what])
        case 2:
            promises.judge(draft, timer.case_id)
        case 3:
            outcomes.give_up(draft, AttemptId(timer.what))
        case 4:
            attempts.stop_waiting(draft, timer.case_id)
        case _:
            attempts.ask_permit(draft, timer.case_id)

"""What a borrower's stream waits for, read off the state; nothing else stores a timer."""

from collections.abc import Iterator
from datetime import datetime
from typing import NamedTuple

from arrears.contact.domain.borrower.state import CaseFile, Stop
from arrears.shared.kernel.ids import CaseId


class Timer(NamedTuple):
    """At one instant the lower rank comes first, so that a stop is over before it is asked for."""

    at: datetime
    rank: int
    case_id: CaseId
    what: str


STOP_OF_PERSON, STOP_OF_CASE, PROMISE, OUTCOME, WAITING, ATTEMPT = range(6)


def timers_of(file: CaseFile) -> Iterator[Timer]:
    case_id = file.case_id
    if file.closed_for is None:
        yield from lifting(STOP_OF_CASE, case_id, file.stops)
    if file.promise is not None:
        yield Timer(file.promise.judgement_at, PROMISE, case_id, file.promise.promise_id)
    for sent in file.in_flight:
        yield Timer(sent.expected_by, OUTCOME, case_id, sent.attempt_id)
    attempt = None if file.treatment is None else file.treatment.attempt
    if attempt is None:
        return
    if attempt.planned_at is not None:
        yield Timer(attempt.planned_at, ATTEMPT, case_id, attempt.attempt_id)
    elif attempt.waits_until is not None:
        yield Timer(attempt.waits_until, WAITING, case_id, attempt.attempt_id)


def lifting(rank: int, case_id: CaseId, stops: tuple[Stop, ...]) -> Iterator[Timer]:
    for stop in stops:
        if stop.lifts_at is not None:
            yield Timer(stop.lifts_at, rank, case_id, stop.kind)


def first_of(file: CaseFile) -> datetime | None:
    return min((timer.at for timer in timers_of(file)), default=None)

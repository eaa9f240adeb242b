"""When an attempt is made: spread over the allowed hours by a hash, the same on every machine.

What is decided at the end of a day is planned for the next opening of the borrower's day (protocol
3.5). Each further attempt of a treatment takes another part of the day than the one before it. A
day that is already full by the person's limit is passed over.
"""

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from hashlib import sha256
from zoneinfo import ZoneInfo

from arrears.contact.domain.policy import Policy
from arrears.contact.domain.quiet_hours import ONE_DAY, instant, local_day, next_opening
from arrears.contact.domain.values import AttemptId

DAYS_AHEAD_MAX = 4000


def plan(
    attempt_id: AttemptId,
    attempt_no: int,
    attempts_max: int,
    *,
    after: datetime,
    zone: ZoneInfo,
    policy: Policy,
    taken: Mapping[date, int],
) -> datetime:
    """An allowed instant later than `after`. `taken` is what the days already hold."""
    day = local_day(next_opening(after, zone, policy.quiet_hours), zone)
    for _ in range(DAYS_AHEAD_MAX):
        if taken.get(day, 0) < policy.connected_per_day.max:
            break
        day += ONE_DAY
    return _moment(attempt_id, attempt_no, attempts_max, day, zone, policy)


def _moment(
    attempt_id: AttemptId,
    attempt_no: int,
    parts: int,
    day: date,
    zone: ZoneInfo,
    policy: Policy,
) -> datetime:
    hours = policy.quiet_hours
    opening = instant(day, hours.ends, zone)
    span_seconds = int((instant(day, hours.last_start, zone) - opening).total_seconds())
    part_seconds = span_seconds // parts
    case_id, _, _ = attempt_id.rpartition("/")
    part = (_number(case_id) + attempt_no) % parts
    seconds = part * part_seconds + _number(attempt_id) % part_seconds
    return opening + timedelta(seconds=seconds)


def _number(text: str) -> int:
    return int.from_bytes(sha256(text.encode("utf-8", "surrogatepass")).digest()[:8], "big")

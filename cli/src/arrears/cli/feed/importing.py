"""How a feed file becomes records and closings: what to send, to which partition, which days end.

Pure. The importer carries the steps out: it sends records, waits for all acknowledgements before a
closing, and remembers the number of the last line that was acknowledged, so it can go on there.
"""

from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import date, datetime, timedelta
from hashlib import sha256
from typing import Final, TypeAlias

import msgspec
from msgspec import Struct

from arrears.cli.feed.lines import Line
from arrears.shared.contracts.corebanking import BUSINESS_DAY_CLOSED, BusinessDayClosed
from arrears.shared.kernel.business_day import ONE_DAY, BankCalendar
from arrears.shared.kernel.ids import derived_id

JUMP_DAYS_MAX: Final = 400
"""Lines further apart are sent, but no days are closed towards them (protocol 3.9)."""
KEY_BYTES_MAX: Final = 1_000
"""A longer name goes by its hash: the record and its key together must fit on the topic."""
TYPE_CHARACTERS_MAX: Final = 80


class Outline(Struct, frozen=True, kw_only=True):
    """As much of a line as the importer looks at. Whether it is a good fact, intake says."""

    type: str
    time: datetime
    partitionkey: str | None = None
    subject: str | None = None


class Survey(Struct, frozen=True, kw_only=True):
    """What a first reading of the file finds, for a dry run and for the bar.

    `first_day` and `last_day` bound the days that will be closed; None where no line has a day.
    `far` counts the lines that lie outside of them; `days` those within, by day.
    """

    lines: int
    undecodable: int
    too_long: int
    far: int
    closings: int
    first_day: date | None
    last_day: date | None
    types: dict[str, int]
    days: dict[date, int]


class Opened(Struct, frozen=True, kw_only=True):
    """Where a topic stands: the first day of its closings, and the day after the last of them."""

    first_day: date
    open_day: date


class Send(Struct, frozen=True, kw_only=True):
    line: int
    key: bytes
    value: bytes


class CloseDays(Struct, frozen=True, kw_only=True):
    """Close these days, in order, on every partition, once all before is acknowledged.

    `line` is the last line that came before.
    """

    line: int
    first_day: date
    days: tuple[date, ...]


Step: TypeAlias = Send | CloseDays

_OUTLINE: Final = msgspec.json.Decoder(Outline)
_ENCODER: Final = msgspec.json.Encoder()


def outline_of(line: Line) -> Outline | None:
    """None for what is no CloudEvent with a type and an aware time."""
    try:
        outline = _OUTLINE.decode(line.value)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    return outline if outline.time.tzinfo is not None else None


def survey(lines: Iterable[Line], calendar: BankCalendar) -> Survey:
    """Read everything once. A closing in the file counts as one and is never sent on.

    The days to close are those of the larger part of the lines: one line of the year 2205, even
    the first, must not decide when the feed begins.
    """
    counts, days, types = Counter[str](), Counter[date](), Counter[str]()
    for line in lines:
        counts["lines"] += 1
        counts["too_long"] += line.too_long
        outline = None if line.too_long else outline_of(line)
        day = None if outline is None else _day_of(outline, calendar)
        if outline is None or day is None:
            counts["undecodable"] += not line.too_long
            continue
        if outline.type == BUSINESS_DAY_CLOSED:
            counts["closings"] += 1
            continue
        types[outline.type[:TYPE_CHARACTERS_MAX]] += 1
        days[day] += 1
    near = _nearby(days)
    return Survey(
        lines=counts["lines"],
        undecodable=counts["undecodable"],
        too_long=counts["too_long"],
        far=sum(days.values()) - sum(near.values()),
        closings=counts["closings"],
        first_day=min(near, default=None),
        last_day=max(near, default=None),
        types=dict(sorted(types.items())),
        days=dict(sorted(near.items())),
    )


def steps(
    lines: Iterable[Line],
    found: Survey,
    calendar: BankCalendar,
    *,
    after_line: int = 0,
    opened: Opened | None = None,
    close_last: bool = True,
) -> Iterator[Step]:
    """What to do, in order. `after_line` goes on behind a line that was acknowledged before.

    `opened` is what the topic's closings say, where it has some: days before are never closed
    again. `close_last` False leaves the last day open, for a file that another one follows.
    """
    begins = found.first_day if opened is None else opened.first_day
    open_day = begins if opened is None else opened.open_day
    number = 0
    for line in lines:
        outline = None if line.too_long else outline_of(line)
        day = None if outline is None else _day_of(outline, calendar)
        if outline is not None and day is not None and outline.type == BUSINESS_DAY_CLOSED:
            continue
        if begins is not None and open_day is not None and _moves(day, open_day, found.last_day):
            assert day is not None
            if line.number > after_line:
                yield CloseDays(line=number, first_day=begins, days=days_between(open_day, day))
            open_day = day
        number = line.number
        if number > after_line:
            yield Send(line=number, key=key_of(line, outline), value=line.value)
    if close_last and begins is not None and open_day is not None and found.last_day is not None:
        days = days_between(open_day, found.last_day + ONE_DAY)
        if days:
            yield CloseDays(line=number, first_day=begins, days=days)


def key_of(line: Line, outline: Outline | None) -> bytes:
    """The same line always has the same key, so that a repetition lands in the same partition."""
    named = None if outline is None else outline.partitionkey or outline.subject
    key = line.value if not named else named.encode("utf-8", "surrogatepass")
    return key if named and len(key) <= KEY_BYTES_MAX else sha256(key).hexdigest().encode()


def partition_of(key: bytes, partition_count: int) -> int:
    return int.from_bytes(sha256(key).digest()[:4], "big") % partition_count


def closing_line(day: date, first_day: date, partition_count: int, calendar: BankCalendar) -> bytes:
    """The record that closes every day up to `day`; each partition of the feed gets it."""
    event = {
        "specversion": "1.0",
        "id": derived_id("closing", str(first_day), str(day), str(partition_count)),
        "source": "/arrears/importer",
        "type": BUSINESS_DAY_CLOSED,
        "time": calendar.start_of(day + ONE_DAY) - timedelta(seconds=1),
        "subject": day.isoformat(),
        "datacontenttype": "application/json",
        "data": BusinessDayClosed(day=day, first_day=first_day, partition_count=partition_count),
    }
    return _ENCODER.encode(event)


def _day_of(outline: Outline, calendar: BankCalendar) -> date | None:
    try:
        return calendar.day_of(outline.time)
    except (OverflowError, ValueError):
        return None


def _moves(day: date | None, open_day: date, last_day: date | None) -> bool:
    return day is not None and last_day is not None and open_day < day <= last_day


def days_between(start: date, end: date) -> tuple[date, ...]:
    """The days from `start` up to the one before `end`."""
    return tuple(start + timedelta(days=number) for number in range((end - start).days))


def _nearby(days: Counter[date]) -> Counter[date]:
    """The largest group of days with no jump inside it; of equal ones the earliest."""
    groups: list[Counter[date]] = []
    last: date | None = None
    for day in sorted(days):
        if last is None or (day - last).days > JUMP_DAYS_MAX:
            groups.append(Counter())
        groups[-1][day] = days[day]
        last = day
    return max(groups, key=lambda group: sum(group.values()), default=Counter())

"""Business days of the bank: dates in the bank's zone, and the instants that bound them."""

from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, time, timedelta
from itertools import islice
from typing import Final, TypeAlias
from zoneinfo import ZoneInfo

ONE_DAY = timedelta(days=1)
IsWorkday: TypeAlias = Callable[[date], bool]
_DAYS_MAX: Final = 60
"""No country rests for longer; a calendar that says so is broken, and nobody waits for its next
workday for ever."""


def is_weekday(day: date) -> bool:
    """Monday to Friday: the workdays where no country's holidays are known."""
    return day.isoweekday() <= 5


def workdays_from(day: date, is_workday: IsWorkday) -> Iterator[date]:
    """The workdays among the days from this one on."""
    return (found for n in range(_DAYS_MAX) if is_workday(found := day + timedelta(days=n)))


def booked_by(day: date, workdays: int, is_workday: IsWorkday) -> date:
    """The last of so many workdays of the bank after the day: by then it has booked what was paid
    on that day."""
    return max(islice(workdays_from(day + ONE_DAY, is_workday), workdays), default=day)


class BankCalendar:
    """Turns instants into the bank's dates and back. `zone` is an IANA name."""

    __slots__ = ("_last", "_starts", "zone")

    def __init__(self, zone: str) -> None:
        self.zone = ZoneInfo(zone)
        self._starts: dict[date, datetime] = {}
        never = datetime.min.replace(tzinfo=UTC)
        self._last = (never, never, date.min)

    def day_of(self, at: datetime) -> date:
        begins, ends, day = self._last
        if begins <= at < ends:  # Who asks mostly asks of one day for a while.
            return day
        day = at.astimezone(self.zone).date()
        self._last = (self.start_of(day), self.start_of(day + ONE_DAY), day)
        return day

    def start_of(self, day: date) -> datetime:
        """00:00 of the day in the bank's zone, as an aware UTC instant."""
        found = self._starts.get(day)
        if found is None:
            found = datetime.combine(day, time(), self.zone).astimezone(UTC)
            if len(self._starts) > 4000:
                self._starts.clear()
            self._starts[day] = found
        return found

    def last_minute_of(self, day: date) -> datetime:
        """23:59 of the day: when the strategy looks at a borrower (protocol 3.3)."""
        return self.start_of(day + ONE_DAY) - timedelta(minutes=1)

"""Legal periods: how a last day is found, and from what.

By civil procedure law art. 85 and civil code arts. 201-203 the day on which a period begins is not
counted. A period of months ends on the corresponding day, or at the month's end where there is
none. A last day that is a day off moves to the next workday.
"""

import re
from calendar import monthrange
from datetime import date, timedelta
from typing import Final

from msgspec import Struct

from arrears.shared.kernel.business_day import IsWorkday, workdays_from

_RULE: Final = re.compile(r"([1-9]\d{0,3})([dm])\Z", re.ASCII)


class Deadline(Struct, frozen=True, kw_only=True):
    """A last day with its derivation: rule, first day, the day before it moved for days off."""

    rule: str
    start_on: date
    raw_on: date
    on: date


class Derivation(Struct, frozen=True, kw_only=True):
    """How a last day was found; kept in the event that sets it.

    The day after `start_on` is the first that counts. `moved_from_on` is the day as it was counted,
    where that is a day off. `provisional`: the holidays of its year were not announced yet.
    """

    rule: str
    start_on: date
    moved_from_on: date | None
    provisional: bool


def deadline(rule: str, start_on: date, is_workday: IsWorkday) -> Deadline:
    """`rule` is days or months: 15d, 36m. Raises ValueError for any other text."""
    raw_on = end_of(rule, start_on)
    return Deadline(rule=rule, start_on=start_on, raw_on=raw_on, on=rolled(raw_on, is_workday))


def end_of(rule: str, start_on: date) -> date:
    """The last day as it is counted, not moved. Protections that lapse end here (freezes)."""
    found = _RULE.match(rule)
    if found is None:
        raise ValueError(f"rule {rule!r}: must be a number of days or months, such as 15d or 36m")
    count = int(found[1])
    return start_on + timedelta(days=count) if found[2] == "d" else months_later(start_on, count)


def months_later(day: date, months: int) -> date:
    years, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    return date(years, month + 1, min(day.day, monthrange(years, month + 1)[1]))


def rolled(day: date, is_workday: IsWorkday) -> date:
    """The day itself, or the next workday where it is a day off; the day where there is none."""
    return next(workdays_from(day, is_workday), day)

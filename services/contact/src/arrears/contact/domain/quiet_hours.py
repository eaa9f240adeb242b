"""The borrower's clock: in which zone it runs, and when it says that nobody may be disturbed."""

from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from arrears.contact.domain.policy import QuietHours

ONE_DAY = timedelta(days=1)
MACHINE_ZONES = frozenset({"localtime", "posixrules"})
"""Names that mean another zone on every machine."""


@lru_cache(maxsize=1024)
def zone_or_none(name: str | None) -> ZoneInfo | None:
    """The zone of an IANA name; None where the name is unknown or no name at all."""
    if not name or name in MACHINE_ZONES:
        return None
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        return None  # A folder of the zone database, such as `Asia`, is an OSError.


def borrower_zone(name: str | None, market: ZoneInfo) -> ZoneInfo:
    """The bank's market stands in where the borrower's zone is unknown."""
    return zone_or_none(name) or market


def local_day(at: datetime, zone: ZoneInfo) -> date:
    return at.astimezone(zone).date()


def start_of_day(day: date, zone: ZoneInfo) -> datetime:
    return instant(day, time(), zone)


def instant(day: date, at: time, zone: ZoneInfo) -> datetime:
    """When the zone's clock shows this; where it skips it, the instant after the gap."""
    return datetime.combine(day, at, zone).astimezone(UTC)


def is_quiet(at: datetime, zone: ZoneInfo, hours: QuietHours) -> bool:
    return not hours.ends <= at.astimezone(zone).time() < hours.begins


def next_open(at: datetime, zone: ZoneInfo, hours: QuietHours) -> datetime:
    """The first instant at or after `at` that is not quiet."""
    if not is_quiet(at, zone, hours):
        return at
    return next_opening(at, zone, hours)


def next_opening(at: datetime, zone: ZoneInfo, hours: QuietHours) -> datetime:
    """The first end of the quiet hours strictly later than `at`."""
    day = local_day(at, zone)
    while (opening := instant(day, hours.ends, zone)) <= at:
        day += ONE_DAY
    return opening


def closing_after(at: datetime, zone: ZoneInfo, hours: QuietHours) -> datetime:
    """When the quiet hours begin that follow an open instant."""
    return instant(local_day(at, zone), hours.begins, zone)

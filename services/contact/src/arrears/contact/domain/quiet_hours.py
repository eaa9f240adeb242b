"""The borrower's clock: in which zone it runs, and when it says that nobody may be disturbed."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from arrears.contact.domain.policy import QuietHours
from arrears.shared.kernel.zones import zone_named

ONE_DAY = timedelta(days=1)


def borrower_zone(name: str | None, market: ZoneInfo) -> ZoneInfo:
    """The bank's market stands in where the borrower's zone is unknown."""
    return zone_named(name) or market


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

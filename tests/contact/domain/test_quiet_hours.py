"""The borrower's clock, in every zone and on the days when it jumps."""

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo, available_timezones

import pytest
from hypothesis import given as forall
from hypothesis import strategies as st

from arrears.contact.domain.policy import QuietHours
from arrears.contact.domain.quiet_hours import (
    borrower_zone,
    closing_after,
    is_quiet,
    local_day,
    next_opening,
    start_of_day,
)

HOURS = QuietHours(
    begins_at="21:00",
    ends_at="08:00",
    last_start_at="20:30",
    channels=("sms", "call", "visit"),
    source="bank",
)
MARKET = ZoneInfo("Asia/Shanghai")
ONE_MICROSECOND = timedelta(microseconds=1)

INSTANTS = st.datetimes(
    min_value=datetime(1990, 1, 1),  # noqa: DTZ001 - hypothesis adds the zone
    max_value=datetime(2037, 1, 1),  # noqa: DTZ001
    timezones=st.just(UTC),
)
ZONES = st.sampled_from(sorted(available_timezones() - {"localtime", "posixrules"})).map(ZoneInfo)


@pytest.mark.parametrize(
    ("clock", "quiet"),
    [
        (time(7, 59, 59), True),
        (time(8, 0, 0), False),
        (time(20, 59, 59), False),
        (time(20, 59, 59, 999_999), False),
        (time(21, 0, 0), True),
        (time(0, 0, 0), True),
        (time(12, 0, 0), False),
    ],
)
@pytest.mark.parametrize("zone", ["Asia/Shanghai", "Europe/London", "America/New_York", "UTC"])
def test_quiet_from_nine_in_the_evening_to_eight_in_the_morning(
    clock: time, quiet: bool, zone: str
) -> None:
    local = datetime.combine(datetime(2026, 7, 1).date(), clock, ZoneInfo(zone))  # noqa: DTZ001
    assert is_quiet(local.astimezone(UTC), ZoneInfo(zone), HOURS) is quiet


@pytest.mark.parametrize(
    ("zone", "at", "opens_at"),
    [
        # The night before the clocks go forward is an hour shorter, and back an hour longer.
        ("Europe/London", "2026-03-28T22:00:00+00:00", "2026-03-29T07:00:00+00:00"),
        ("Europe/London", "2026-10-24T21:00:00+00:00", "2026-10-25T08:00:00+00:00"),
        ("America/New_York", "2026-03-08T02:00:00+00:00", "2026-03-08T12:00:00+00:00"),
        ("America/New_York", "2026-11-01T01:00:00+00:00", "2026-11-01T13:00:00+00:00"),
        # Samoa had no 30 December 2011 at all.
        ("Pacific/Apia", "2011-12-30T08:00:00+00:00", "2011-12-30T18:00:00+00:00"),
        # At eight it is open already: the next opening is tomorrow's.
        ("Asia/Shanghai", "2026-03-02T00:00:00+00:00", "2026-03-03T00:00:00+00:00"),
        ("Asia/Kathmandu", "2026-01-01T00:00:00+00:00", "2026-01-01T02:15:00+00:00"),
    ],
)
def test_the_next_opening_is_eight_of_the_local_clock(zone: str, at: str, opens_at: str) -> None:
    opening = next_opening(datetime.fromisoformat(at), ZoneInfo(zone), HOURS)
    assert opening == datetime.fromisoformat(opens_at)


@forall(at=INSTANTS, zone=ZONES)
def test_the_next_opening_is_the_first_instant_that_is_not_quiet(
    at: datetime, zone: ZoneInfo
) -> None:
    opening = next_opening(at, zone, HOURS)
    assert opening > at
    assert not is_quiet(opening, zone, HOURS)
    assert is_quiet(opening - ONE_MICROSECOND, zone, HOURS)
    if is_quiet(at, zone, HOURS):
        assert local_day(opening, zone) - local_day(at, zone) <= timedelta(days=2)


@forall(at=INSTANTS, zone=ZONES)
def test_what_is_open_closes_later_the_same_day(at: datetime, zone: ZoneInfo) -> None:
    if is_quiet(at, zone, HOURS):
        return
    closing = closing_after(at, zone, HOURS)
    assert closing > at
    assert is_quiet(closing, zone, HOURS)
    assert not is_quiet(closing - ONE_MICROSECOND, zone, HOURS)


@forall(at=INSTANTS, zone=ZONES)
def test_a_day_starts_at_the_first_instant_that_bears_its_date(
    at: datetime, zone: ZoneInfo
) -> None:
    day = local_day(at, zone)
    start = start_of_day(day, zone)
    assert start <= at
    assert local_day(start, zone) == day
    assert local_day(start - ONE_MICROSECOND, zone) < day


@pytest.mark.parametrize("name", [None, "Mars/Olympus", "localtime"])
def test_a_zone_that_is_none_gives_way_to_the_banks_market(name: str | None) -> None:
    assert borrower_zone(name, MARKET) is MARKET


def test_a_known_zone_is_the_borrowers() -> None:
    assert borrower_zone("Europe/London", MARKET) == ZoneInfo("Europe/London")

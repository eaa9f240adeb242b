"""When people answer: office hours of the bank's country, always later than the question."""

from datetime import UTC, date, datetime, time, timedelta, timezone
from typing import Final

from arrears.shared.sandbox.dice import roll

BANK: Final = timezone(timedelta(hours=8))
"""Both feeds that the sandbox speaks for lie at +08:00 all year (Shanghai, Taipei)."""


def day_of(at: datetime) -> date:
    return at.astimezone(BANK).date()


def office_hour(day: date, *key: object) -> datetime:
    """Some minute between 09:00 and 17:00 of the day."""
    opens = datetime.combine(day, time(9), BANK)
    return (opens + timedelta(minutes=roll(480, "office hour", *key))).astimezone(UTC)


def at_ten(day: date) -> datetime:
    return datetime.combine(day, time(10), BANK).astimezone(UTC)


def working_day(day: date) -> date:
    """The day itself, or the Monday after a weekend."""
    return day + timedelta(days=max(0, 7 - day.weekday()) if day.weekday() >= 5 else 0)

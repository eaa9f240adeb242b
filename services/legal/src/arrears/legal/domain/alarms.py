"""Alarms before the last day of a right: each threshold once, the nearest one that is reached.

`raised` is the threshold of the last alarm before this last day, None where there was none. A
threshold that was passed by, because the last day was known too late, is not raised afterwards.
"""

from collections.abc import Iterable
from datetime import date, timedelta


def days_of(
    last_on: date, thresholds: Iterable[int], raised: int | None, today: date
) -> list[date]:
    """The days on which an alarm is to be raised; past ones are overdue."""
    if last_on < today:
        return []
    return [
        last_on - timedelta(days=days) for days in thresholds if raised is None or days < raised
    ]


def reached(
    last_on: date, thresholds: Iterable[int], raised: int | None, today: date
) -> int | None:
    """The threshold to raise today, if any."""
    left = (last_on - today).days
    nearest = min((days for days in thresholds if left <= days), default=None)
    if nearest is None or left < 0:
        return None
    return nearest if raised is None or nearest < raised else None

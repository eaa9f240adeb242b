"""What fell due while no clock looked, and when each of it is to be woken (protocol 3.10). Pure.

Under the feed's clock business days move time; from the day that the wall clock moves it, every
timer between the bank's last closed day and now is overdue at once. They are woken one after the
other, in the bank's working hours, so that what they lead to cannot leave as a flood.
"""

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from typing import Final

from msgspec import Struct

from arrears.shared.kernel.business_day import ONE_DAY, BankCalendar
from arrears.shared.runtime.stage import Stage

WORK_BEGINS: Final = time(9)
WORK_ENDS: Final = time(18)


class Following(Struct, frozen=True, kw_only=True):
    """What a timer would lead to: wire names of events, and kinds of effects asked for."""

    events: tuple[str, ...] = ()
    effects: tuple[str, ...] = ()
    error: str | None = None


def slots(start: datetime, per_hour: int, calendar: BankCalendar) -> Iterator[datetime]:
    """Instants from `start` on, `per_hour` of them in each working hour of the bank."""
    step = -(timedelta(hours=-1) // per_hour)  # Rounded up: never one more than `per_hour`.
    day = calendar.day_of(start)
    while True:
        at = max(start, _instant(calendar, day, WORK_BEGINS))
        end = _instant(calendar, day, WORK_ENDS)
        while at < end:
            yield at
            at += step
        day += ONE_DAY


def _instant(calendar: BankCalendar, day: date, clock: time) -> datetime:
    return datetime.combine(day, clock, calendar.zone).astimezone(UTC)


def following(stage: Stage, category: str, state: object, at: datetime) -> Following:
    """Decide as if the timer were woken at that instant; nothing is written."""
    decider = stage.deciders[category]
    assert decider.wake is not None, f"{category} has a due time but nothing to be woken with"
    try:
        events = decider.decide(decider.wake(at), state)
    except Exception as error:  # It would be parked, and the plan says so.
        return Following(error=type(error).__name__)
    return Following(
        events=tuple(stage.wire_names[type(event)] for event in events),
        effects=tuple(kind for event in events if (kind := stage.effect_of(event)) is not None),
    )

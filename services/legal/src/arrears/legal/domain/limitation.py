"""How long the claim may be sued for (civil code arts. 188-195). Pure arithmetic of days.

The period runs from the due day and begins anew with each interruption. What the debtor does
after it has run out (promises, pays, agrees) revives it; what the creditor does then does not.
"""

from collections.abc import Iterable
from datetime import date

from msgspec import Struct

from arrears.legal.domain.deadlines import Deadline, IsWorkday, deadline

BY_DEBTOR = frozenset({"promise", "part_payment", "agreement"})
"""Acts in which the debtor accepts the debt (时效规定 2020 arts. 14, 19); a demand is not one."""


class Interruption(Struct, frozen=True, kw_only=True):
    """`by`: demand, promise, part_payment, agreement."""

    by: str
    on: date


def expiry(
    due_on: date, interruptions: Iterable[Interruption], *, months: int, is_workday: IsWorkday
) -> Deadline:
    """The last day on which the claim may be filed, after all interruptions in order of days."""
    last = deadline(f"{months}m", due_on, is_workday)
    for interruption in sorted(interruptions, key=lambda one: one.on):
        last = renewed(last.on, interruption, months=months, is_workday=is_workday) or last
    return last


def renewed(
    last_day: date, interruption: Interruption, *, months: int, is_workday: IsWorkday
) -> Deadline | None:
    """The later last day that one more interruption brings; None where it brings none."""
    if interruption.on > last_day and interruption.by not in BY_DEBTOR:
        return None
    found = deadline(f"{months}m", interruption.on, is_workday)
    return found if found.on > last_day else None

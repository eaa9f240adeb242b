"""How long the claim may be sued for (civil code arts. 188-195). Pure arithmetic of days.

The period runs from the due day and begins anew with each interruption. What the debtor does
after it has run out (promises, pays, agrees) revives it; what the creditor does then does not.
"""

from collections.abc import Iterable
from datetime import date

from msgspec import Struct

from arrears.legal.domain.deadlines import IsWorkday, deadline

BY_DEBTOR = frozenset({"promise", "part_payment", "agreement"})
"""Acts in which the debtor accepts the debt (时效规定 2020 arts. 14, 19); a demand is not one."""


class Interruption(Struct, frozen=True, kw_only=True):
    """`by`: demand, promise, part_payment, agreement."""

    by: str
    on: date


def expires_on(
    due_on: date, interruptions: Iterable[Interruption], *, months: int, is_workday: IsWorkday
) -> date:
    """The last day on which the claim may be filed, after all interruptions in order of days."""
    last_day = deadline(f"{months}m", due_on, is_workday).on
    for interruption in sorted(interruptions, key=lambda one: one.on):
        last_day = after(last_day, interruption, months=months, is_workday=is_workday)
    return last_day


def after(
    last_day: date, interruption: Interruption, *, months: int, is_workday: IsWorkday
) -> date:
    """The last day as one more interruption leaves it. It never comes nearer."""
    if interruption.on > last_day and interruption.by not in BY_DEBTOR:
        return last_day
    return max(last_day, deadline(f"{months}m", interruption.on, is_workday).on)

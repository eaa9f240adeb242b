"""How long the claim may be sued for (civil code arts. 188-195). Pure arithmetic of days.

The period runs from the due day and begins anew with each interruption. What the debtor does
after it has run out (promises, pays, agrees) revives it; what the creditor does then does not.
"""

from collections.abc import Iterable, Sequence
from datetime import date, timedelta
from typing import Final

from msgspec import Struct

from arrears.legal.domain.deadlines import Deadline, deadline
from arrears.shared.kernel.business_day import IsWorkday

BY_DEBTOR: Final = frozenset({"promise", "part_payment", "agreement"})
"""Acts in which the debtor accepts the debt (时效规定 2020 arts. 14, 19); neither a demand nor a
suit is one."""
INSTALMENTS: Final = "instalments"
"""The period of a debt that is owed in instalments begins with the last one (civil code art. 189);
a breach makes the rest due at once, so it begins then at the latest."""
SUIT: Final = "suit"
"""The complaint was handed in (civil code art. 195, 时效规定 2020 art. 10)."""
_ANY_TIME: Final = BY_DEBTOR | {INSTALMENTS}
_SHORTEST: Final = timedelta(days=28)
"""No period of months is shorter."""


class Interruption(Struct, frozen=True, kw_only=True):
    """`by`: demand, promise, part_payment, agreement, instalments, suit."""

    by: str
    on: date


def kept(acts: Sequence[Interruption], one_more: Interruption) -> tuple[Interruption, ...]:
    """Those of the acts, in order of days, that can still decide the last day, whatever the due day
    and the period turn out to be.

    After an act that counts at any time the last day is the period's from that act or from the due
    day, so nothing before it matters. Of the creditor's acts after it one goes whose neighbours lie
    at most 28 days apart: where the earlier one counts, the later one is in time, and where it
    comes too late, so do the two others. So at most two acts lie in 28 days, over the 20 years
    that a claim lives at most (civil code art. 188).
    """
    found: list[Interruption] = []
    for act in sorted((*acts, one_more), key=lambda one: one.on):
        if act.by in _ANY_TIME:
            found.clear()
        elif len(found) > 1 and act.on - found[-2].on <= _SHORTEST:
            found.pop()
        found.append(act)
    return tuple(found)


def expiry(
    due_on: date,
    interruptions: Iterable[Interruption],
    *,
    months: int,
    is_workday: IsWorkday,
    known_on: date = date.min,
) -> Deadline | None:
    """The last day on which the claim may be filed, after all interruptions in order of days.

    `known_on` is the last day as it was known before; None: it still is.
    """
    found = deadline(f"{months}m", due_on, is_workday)
    first_on = max(found.on, known_on)
    later = renewed_by_all(first_on, interruptions, months=months, is_workday=is_workday)
    return later or (found if found.on > known_on else None)


def renewed_by_all(
    last_day: date, interruptions: Iterable[Interruption], *, months: int, is_workday: IsWorkday
) -> Deadline | None:
    """The later last day that these bring one after the other; None where they bring none.

    `last_day` may have counted some of them already: none counts for more the second time.
    """
    found: Deadline | None = None
    for interruption in sorted(interruptions, key=lambda one: one.on):
        last_on = last_day if found is None else found.on
        found = renewed(last_on, interruption, months=months, is_workday=is_workday) or found
    return found


def renewed(
    last_day: date, interruption: Interruption, *, months: int, is_workday: IsWorkday
) -> Deadline | None:
    """The later last day that one more interruption brings; None where it brings none."""
    if interruption.on > last_day and interruption.by not in _ANY_TIME:
        return None
    found = deadline(f"{months}m", interruption.on, is_workday)
    return found if found.on > last_day else None

"""What makes a plan of instalments acceptable. Pure; every broken rule is named."""

from calendar import monthrange
from collections.abc import Sequence
from datetime import date, timedelta

from msgspec import Struct

from arrears.mediation.domain.policy import PlanRule


class Instalment(Struct, frozen=True, kw_only=True):
    due_on: date
    amount_minor: int


class Pause(Struct, frozen=True, kw_only=True):
    """Days of a hold. Whoever is told not to pay loses none of them."""

    since_on: date
    days: int


def moved(last_day: date, pauses: Sequence[Pause]) -> date:
    """What was left up to `last_day` when a hold began runs on from its release."""
    for pause in pauses:
        if pause.since_on <= last_day:
            last_day += timedelta(days=pause.days)
    return last_day


def in_order(instalments: Sequence[Instalment]) -> tuple[Instalment, ...]:
    """Money fills instalments in the order in which they fall due."""
    return tuple(sorted(instalments, key=lambda instalment: instalment.due_on))


def total_minor(instalments: Sequence[Instalment]) -> int:
    return sum(instalment.amount_minor for instalment in instalments)


def broken_rules(
    instalments: Sequence[Instalment], *, settlement_minor: int, today: date, rule: PlanRule
) -> tuple[str, ...]:
    """Stable codes of all rules that the plan breaks; empty when it may be proposed."""
    if not instalments:
        return ("no_instalments",)
    days = [instalment.due_on for instalment in instalments]
    checks = {
        "nothing_to_settle": settlement_minor <= 0,
        "too_many_instalments": len(instalments) > rule.instalments_max,
        "instalment_not_positive": any(i.amount_minor <= 0 for i in instalments),
        "instalments_do_not_add_up": total_minor(instalments) != settlement_minor,
        "instalment_due_in_the_past": min(days) <= today,
        "term_too_long": max(days) > months_later(today, rule.term_months_max),
    }
    return tuple(reason for reason, broken in checks.items() if broken)


def months_later(day: date, months: int) -> date:
    """The corresponding day, or the month's end where there is none (civil code art. 202)."""
    years, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    return date(years, month + 1, min(day.day, monthrange(years, month + 1)[1]))

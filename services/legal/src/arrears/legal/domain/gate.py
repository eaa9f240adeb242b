"""The gate before any filing: every missing item is named. Pure."""

from collections.abc import Collection
from datetime import date
from typing import Final

from msgspec import Struct

DEMAND_DELIVERED: Final = "demand_delivered"
TOTAL_KNOWN: Final = "total_known"
LIMITATION_ALIVE: Final = "limitation_alive"
TIME_TO_PAY: Final = "time_to_pay_over"
LEAST_SUM: Final = "least_sum_reached"
APPROVAL: Final = "approval"
NO_AGREEMENT: Final = "no_agreement_in_force"
NOT_HELD: Final = "not_held"


class GateInputs(Struct, frozen=True, kw_only=True):
    """What the gate was judged by; kept in the event that tells of the verdict.

    `pay_by_on` is the last day to pay what the demand asks for, None where the policy gives none;
    `least_minor` the least sum that is sued for.
    """

    today: date
    demand_delivered_on: date | None
    total_minor: int | None
    currency: str
    limitation_expires_on: date
    approval_from_minor: int | None
    approved: bool
    despite_limitation: bool
    agreement_in_force: bool
    held: bool
    pay_by_on: date | None = None
    least_minor: int = 0


def missing_items(inputs: GateInputs) -> tuple[str, ...]:
    """What stands between the claim and the court; empty when it may be filed.

    Limitation is the debtor's defence and no court raises it (civil code 192-193), so a person
    may take the risk on purpose. Nobody is sued in the days that the demand gave to pay, but where
    the last day to sue lies among them the bank's right comes first.
    """
    total_minor = inputs.total_minor or 0
    needs_approval = (
        inputs.approval_from_minor is not None and total_minor >= inputs.approval_from_minor
    )
    expired = inputs.limitation_expires_on < inputs.today
    items = {
        DEMAND_DELIVERED: inputs.demand_delivered_on is None,
        TOTAL_KNOWN: total_minor <= 0,
        LIMITATION_ALIVE: expired and not inputs.despite_limitation,
        TIME_TO_PAY: _may_still_pay(inputs),
        LEAST_SUM: 0 < total_minor < inputs.least_minor,
        APPROVAL: needs_approval and not inputs.approved,
        NO_AGREEMENT: inputs.agreement_in_force,
        NOT_HELD: inputs.held,
    }
    return tuple(item for item, is_missing in items.items() if is_missing)


def waits_until(inputs: GateInputs, missing: Collection[str]) -> date | None:
    """The last day to pay, where that is among what is missing: on the day after, look again."""
    return inputs.pay_by_on if TIME_TO_PAY in missing else None


def _may_still_pay(inputs: GateInputs) -> bool:
    if inputs.pay_by_on is None or inputs.pay_by_on < inputs.today:
        return False
    return not inputs.today <= inputs.limitation_expires_on <= inputs.pay_by_on

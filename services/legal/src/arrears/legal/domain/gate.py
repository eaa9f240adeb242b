"""The gate before any filing: every missing item is named. Pure."""

from datetime import date
from typing import Final

from msgspec import Struct

DEMAND_DELIVERED: Final = "demand_delivered"
TOTAL_KNOWN: Final = "total_known"
LIMITATION_ALIVE: Final = "limitation_alive"
APPROVAL: Final = "approval"
NO_AGREEMENT: Final = "no_agreement_in_force"
NOT_HELD: Final = "not_held"


class GateInputs(Struct, frozen=True, kw_only=True):
    """What the gate was judged by; kept in the event that tells of the verdict."""

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


def missing_items(inputs: GateInputs) -> tuple[str, ...]:
    """What stands between the claim and the court; empty when it may be filed.

    Limitation is the debtor's defence and no court raises it (civil code 192-193), so a person
    may take the risk on purpose.
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
        APPROVAL: needs_approval and not inputs.approved,
        NO_AGREEMENT: inputs.agreement_in_force,
        NOT_HELD: inputs.held,
    }
    return tuple(item for item, is_missing in items.items() if is_missing)
